import type { RateLimit } from '../github/rate-limit.ts';
import type { RolloutView } from './view.ts';

/** A report of progress is written at most this often; its end at once (ms). */
const PROGRESS_EVERY_MS = 15_000;

/**
 * When a report that costs requests is due: for progress on any change, but only so often; else on a change of stage.
 * The repository shares its requests with everybody: under half of them progress is left out, under a fifth only the
 * end is shown.
 */
export class Cadence {
  private readonly limit: (now: number) => RateLimit;
  private written: { readonly stage: string; readonly text: string; readonly at: number } | undefined;

  constructor(limit: (now: number) => RateLimit) {
    this.limit = limit;
  }

  isDue(view: RolloutView, on: { readonly now: number; readonly progress: boolean }): boolean {
    const { written } = this;
    if (!written) return true;
    const stage = stageKey(view);
    if (view.outcome) return written.stage !== stage || written.text !== textKey(view);
    const share = this.shareLeft(on.now);
    if (share < 0.2) return false;
    if (!on.progress) return written.stage !== stage;
    if (on.now - written.at < PROGRESS_EVERY_MS) return false;
    return written.stage !== stage || (share >= 0.5 && written.text !== textKey(view));
  }

  /** It was refused for a while: what it would have shown is still due. */
  forget(): void {
    this.written = undefined;
  }

  wrote(view: RolloutView, now: number): void {
    this.written = { stage: stageKey(view), text: textKey(view), at: now };
  }

  private shareLeft(now: number): number {
    const limit = this.limit(Number.isFinite(now) ? now : Date.now());
    return limit.kind === 'unlimited' || limit.limit === 0 ? 1 : limit.remaining / limit.limit;
  }
}

function stageKey(view: RolloutView): string {
  return view.outcome ? `done ${view.outcome.verdict}` : view.stage;
}

function textKey(view: RolloutView): string {
  const canaries = view.canaries.map(({ weight, iteration, failedChecks, phase, waitingFor }) => [
    weight,
    iteration,
    failedChecks,
    phase,
    waitingFor,
  ]);
  // Not the headline: the time left in it changes by itself, and is no news.
  return JSON.stringify([view.stage, canaries, view.proof.map(({ state }) => state), view.notes.length]);
}
