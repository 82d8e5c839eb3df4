import type { CanaryView } from '../rollout/observation.ts';
import type { Track } from '../rollout/track.ts';

/** After the analysis: the template is copied, traffic goes back, the old pods go. Flagger scheduler.go: one tick each. */
const PROMOTION_TICKS = 2;

/** Where an analysis stands in its own steps; undefined where Flagger counts none. */
export function stepOf(
  track: Track,
  canary: CanaryView | undefined,
): { readonly step: number; readonly steps: number } | undefined {
  if (!canary) return undefined;
  const { strategy, weights, iterations } = canary.analysis;
  if (strategy !== 'weighted') {
    if (iterations === undefined) return undefined;
    return { step: Math.min(track.peak.iteration, iterations), steps: iterations };
  }
  if (weights.length === 0) return undefined;
  return { step: weights.filter(weight => weight <= track.peak.weight).length, steps: weights.length };
}

/**
 * How long it takes until the release is promoted when no check fails from now on (ms); undefined when that depends on
 * a person, or on nothing that is known.
 */
export function timeLeftMs(track: Track, canary: CanaryView | undefined, now: number): number | undefined {
  if (!canary || track.heldSince !== undefined) return undefined;
  const { intervalMs } = canary.analysis;
  const ticks = ticksLeft(track, canary);
  if (ticks === undefined) return undefined;
  const since = track.history.progress.at(-1)?.at ?? track.stageSince;
  return Math.max(0, ticks * intervalMs - Math.min(now - since, intervalMs));
}

function ticksLeft(track: Track, canary: CanaryView): number | undefined {
  const { strategy, weights, stepWeightPromotion } = canary.analysis;
  switch (track.stage) {
    case 'promoting':
      return PROMOTION_TICKS;
    case 'finalising':
      return 1;
    case 'analysing': {
      const at = stepOf(track, canary);
      if (!at) return undefined;
      const shifting = stepWeightPromotion ? Math.ceil(100 / stepWeightPromotion) : 0;
      // Blue/green sends all traffic to the canary for one tick before it promotes.
      const last = strategy === 'blue-green' ? 2 : 1;
      const ahead = strategy === 'weighted' ? weights.length - at.step : at.steps - at.step;
      return ahead + last + shifting + PROMOTION_TICKS;
    }
    default:
      return undefined;
  }
}
