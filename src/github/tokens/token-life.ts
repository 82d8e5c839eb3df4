import { Refusal } from '../../rollout/verdict.ts';
import type { TokenSource } from './token-source.ts';

/** Time that requests themselves take, and that clocks may differ by (ms). */
const SLACK_MS = 2 * 60_000;

/**
 * @throws Refusal `token-too-short` when a token that cannot be renewed ends before `neededMs` are over. Tokens whose
 * end is not known are let through: a job's own token lives as long as the job.
 */
export function checkTokenLife(query: {
  readonly tokens: readonly TokenSource[];
  readonly neededMs: number;
  readonly now: number;
}): void {
  for (const source of query.tokens) {
    const end = source.expiresAt();
    if (source.kind === 'app' || end === undefined) continue;
    const leftMs = end - query.now;
    if (leftMs >= query.neededMs + SLACK_MS) continue;
    throw new Refusal(
      'token-too-short',
      `The token ends in ${minutes(leftMs)}; the analysis and a revert may take ${minutes(query.neededMs)}.`,
      {
        remedy:
          'Give app-client-id and app-private-key in place of the token: tokens are then made anew when they are needed.',
      },
    );
  }
}

function minutes(ms: number): string {
  return `${Math.max(0, Math.round(ms / 60_000))} min`;
}
