import type { Clock } from '../rollout/ports.ts';
import { newLines } from './log-lines.ts';
import type { RolloutView } from './view.ts';
import { headline } from './words.ts';

/** One place that a report is shown at. Its failures are its own: they never reach the rollout. */
export interface ReportSink {
  /** For the log: `the check run`. */
  readonly name: string;
  /** Whether this view is worth a write now. Asked often; must be cheap. */
  wants(view: RolloutView, now: number): boolean;
  /** @throws when it could not. */
  write(view: RolloutView, on: Writing): Promise<void>;
}

/** How a view is to be written. */
export interface Writing {
  /** Nothing comes after it. */
  readonly last: boolean;
  /** Resolves when the next request that writes may be sent; to be awaited before each of them. */
  readonly turn: () => Promise<void>;
}

export interface ReportLog {
  info(line: string): void;
  warning(line: string): void;
  error(line: string): void;
}

/** GitHub's rule for writes: no two within a second (docs "Best practices for using the REST API"). */
const BETWEEN_WRITES_MS = 1_000;
/** Time for the last reports in all (ms). */
const LAST_REPORT_MS = 60_000;

/**
 * Shows a rollout in the log at once, and elsewhere as often as each place wants it. Never throws, and `update` never
 * waits: a place that does not answer costs the rollout nothing.
 */
export class Reporter {
  private readonly sinks: readonly ReportSink[];
  private readonly log: ReportLog;
  private readonly clock: Clock;
  private readonly said = new Set<string>();
  private readonly complained = new Set<string>();
  private latest: RolloutView | undefined;
  private pump: Promise<void> | undefined;
  private readonly ending = new AbortController();
  private lastWrite = Number.NEGATIVE_INFINITY;

  constructor(on: { readonly sinks: readonly ReportSink[]; readonly log: ReportLog; readonly clock: Clock }) {
    this.sinks = on.sinks;
    this.log = on.log;
    this.clock = on.clock;
  }

  update(view: RolloutView): void {
    this.say(view);
    this.latest = view;
    this.pump ??= this.keepWriting().finally(() => {
      this.pump = undefined;
    });
  }

  async finish(view: RolloutView): Promise<void> {
    this.say(view);
    this.ending.abort();
    await this.pump;
    for (const sink of this.sinks) {
      if (!sink.wants(view, Number.POSITIVE_INFINITY)) continue;
      const written = await this.within(LAST_REPORT_MS, this.write(sink, view, true));
      if (written) continue;
      this.log.warning(`${sink.name} does not show how this ended: ${headline(view)}.`);
    }
  }

  private say(view: RolloutView): void {
    for (const line of newLines(view, this.said)) this.log.info(line);
  }

  private async keepWriting(): Promise<void> {
    while (this.latest && !this.ending.signal.aborted) {
      const view = this.latest;
      for (const sink of this.sinks) {
        if (this.ending.signal.aborted) return;
        if (sink.wants(view, this.clock.now())) await this.write(sink, view, false);
      }
      if (this.latest === view && !this.sinks.some(sink => sink.wants(view, Number.POSITIVE_INFINITY)))
        return;
      await this.clock.sleep(BETWEEN_WRITES_MS, this.ending.signal);
    }
  }

  private async write(sink: ReportSink, view: RolloutView, last: boolean): Promise<boolean> {
    try {
      await sink.write(view, { last, turn: () => this.turn() });
      return true;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const complaint = `${sink.name} could not be written: ${why}`;
      if (!this.complained.has(complaint)) this.log.info(complaint);
      this.complained.add(complaint);
      return false;
    }
  }

  private async turn(): Promise<void> {
    const wait = this.lastWrite + BETWEEN_WRITES_MS - this.clock.now();
    // Taken before it is waited for, so that whoever asks next waits for us, too.
    this.lastWrite = this.clock.now() + Math.max(0, wait);
    if (wait > 0) await this.clock.sleep(wait);
  }

  private async within(ms: number, work: Promise<boolean>): Promise<boolean> {
    const timer = new AbortController();
    const late = this.clock.sleep(ms, timer.signal).then(() => false);
    const result = await Promise.race([work, late]);
    timer.abort();
    return result;
  }
}
