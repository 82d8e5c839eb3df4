import type { ReleasePlan } from '../plan/plan.ts';
import { Refusal } from '../rollout/verdict.ts';
import type { RunParts } from './parts.ts';

/**
 * Nothing is begun that could not be ended: the job and the tokens must outlive the longest analysis and its revert.
 * @throws Refusal `job-too-short`, `token-too-short`.
 */
export function checkTime(
  parts: Pick<RunParts, 'clock' | 'inputs' | 'startedAt' | 'checkTokenLife'>,
  plan: Pick<ReleasePlan, 'schedule'>,
): void {
  const { jobMs, backMs } = parts.inputs.limits;
  const longestMs = Math.max(0, ...plan.schedule.map(each => each.longestMs));
  const worstMs = longestMs + backMs;
  parts.checkTokenLife(worstMs);
  if (jobMs === undefined) return;
  const leftMs = parts.startedAt + jobMs - parts.clock.now();
  if (leftMs >= worstMs) return;
  throw new Refusal(
    'job-too-short',
    `The analysis may take ${minutes(longestMs)} until it is decided, and a revert ${minutes(backMs)} more; the job has ${minutes(leftMs)} left.`,
    { remedy: 'Raise timeout-minutes of the job (and the input that repeats it), or shorten the analysis.' },
  );
}

function minutes(ms: number): string {
  return `${Math.max(0, Math.round(ms / 60_000))} min`;
}
