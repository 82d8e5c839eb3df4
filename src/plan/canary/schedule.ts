import type { CanaryAnalysis } from '../../rollout/observation.ts';
import type { TargetKey } from '../../rollout/target.ts';
import { analysisTicks, CONTROL_LOOP_MS } from '../../rollout/time-budget.ts';
import type { ScheduledAnalysis } from '../plan.ts';

/** How long an analysis takes, by Flagger's ticks: one per interval, and one more for each failed check it tolerates. */
export function scheduleOf(
  target: TargetKey,
  analysis: CanaryAnalysis,
  canary?: NonNullable<ScheduledAnalysis['canary']>,
): ScheduledAnalysis {
  const ticks = analysisTicks(analysis);
  const { intervalMs } = analysis;
  return {
    target,
    analysis,
    shortestMs: ticks * intervalMs,
    longestMs: (ticks + Math.max(0, analysis.threshold)) * intervalMs + CONTROL_LOOP_MS,
    ...(canary ? { canary } : {}),
  };
}
