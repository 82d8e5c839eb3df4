import type { CanaryAnalysis, CanaryView, WorkloadView } from './observation.ts';

/** Flagger's default -control-loop-interval: how long a change may wait to be noticed, on top of the interval. */
export const CONTROL_LOOP_MS = 10_000;

/** Analysis ticks that a release needs when no check fails. Flagger scheduler.go: runCanary, runAB, runBlueGreen. */
export function analysisTicks(analysis: CanaryAnalysis): number {
  // Blue/green and A/B count one tick past the last iteration before they promote.
  if (analysis.strategy !== 'weighted') return (analysis.iterations ?? 10) + 1;
  const promotionSteps = analysis.stepWeightPromotion ? Math.ceil(100 / analysis.stepWeightPromotion) : 0;
  return analysis.weights.length + 1 + promotionSteps;
}

/** The longest that Progressing may last before it is our limit, not Flagger's, that is reached (ms). */
export function analysisLimitMs(canary: CanaryView): number {
  const ticks = analysisTicks(canary.analysis) + Math.max(canary.analysis.threshold, 1) + 2;
  const schedule = ticks * canary.analysis.intervalMs + canary.progressDeadlineMs;
  return Math.round(schedule * 1.25) + 2 * CONTROL_LOOP_MS;
}

/** How long Flagger may take to notice a new revision (ms): a tick, and slack for a controller that restarts. */
export function startLimitMs(canary: CanaryView): number {
  return 2 * canary.analysis.intervalMs + 2 * CONTROL_LOOP_MS;
}

/**
 * How long Promoting and Finalising may last (ms): while old primary pods stay available only the *Deployment's*
 * progressDeadlineSeconds counts (Flagger canary/deployment_ready.go).
 */
export function promotionLimitMs(canary: CanaryView, primary: WorkloadView | undefined): number {
  const deadline = Math.max(primary?.progressDeadlineMs ?? 600_000, canary.progressDeadlineMs);
  return deadline + 3 * canary.analysis.intervalMs + 2 * CONTROL_LOOP_MS;
}

/** How long a state must hold before it is believed to be final (ms): one interval and two control loops. */
export function holdMs(canary: CanaryView | undefined): number {
  return (canary?.analysis.intervalMs ?? CONTROL_LOOP_MS) + 2 * CONTROL_LOOP_MS;
}
