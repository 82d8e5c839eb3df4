import type { Judgement } from './judgement.ts';
import type { TargetView } from './observation.ts';
import type { TargetKey } from './target.ts';
import type { TrackOutcome, TrackStage } from './track.ts';

/**
 * When each link was first seen to hold for one canary (ms, the runner's clock). It is only added to: what was proven
 * stays proven, wherever the canary goes next. For people to look at; nothing is decided by it.
 */
export interface Proven {
  /** The values asked for were live with our id; of an adoption: the Canary was there. */
  readonly delivered?: number;
  /** Flagger was past the analysis of our revision. */
  readonly analysed?: number;
  readonly promoted?: number;
  /** The highest share of traffic on the release, percent; absent = not known. */
  readonly traffic?: number;
}

/** What an earlier run of the same rollout has proven. */
export interface Seen {
  readonly committed?: number;
  readonly applied?: number;
  readonly canaries: Readonly<Record<TargetKey, Proven>>;
}

/** A rollout that is come upon: what was proven of it before, and how far it got, is not known. */
export const NOTHING_SEEN: Seen = { canaries: {} };

/** Flagger scheduler.go: past these an analysis was passed. */
const PASSED: readonly TrackStage[] = ['waitingPromotion', 'promoting', 'finalising'];

/** @param on.outcome confirmed by a fresh read */
export function withProven(
  before: Proven,
  on: {
    readonly judgement: Judgement;
    readonly outcome: TrackOutcome | undefined;
    readonly view: TargetView;
    readonly rolloutId: string;
    readonly adoption: boolean;
    readonly now: number;
  },
): Proven {
  const { judgement, outcome, now } = on;
  const promoted = outcome?.kind === 'promoted';
  const passed = judgement.analysing === true && PASSED.includes(judgement.stage);
  const analysed = passed || promoted || outcome?.kind === 'promotion-failed';
  const delivered = on.adoption ? judgement.delivered : judgement.valuesLive;
  const seen: Proven = {
    ...(delivered ? { delivered: now } : {}),
    ...(analysed ? { analysed: now } : {}),
    ...(promoted ? { promoted: now } : {}),
  };
  return withTraffic({ ...seen, ...before }, trafficOn(on.view, judgement, on.rolloutId));
}

/** While the revert is followed no canary is judged; that users were sent to the release all the same is noted. */
export function withTrafficOf(before: Proven, view: TargetView, rolloutId: string): Proven {
  return withTraffic(before, servedByPrimary(view, rolloutId) ? 100 : undefined);
}

function withTraffic(before: Proven, traffic: number | undefined): Proven {
  if (traffic === undefined) return before;
  return { ...before, traffic: Math.max(before.traffic ?? 0, traffic) };
}

/** Percent; undefined where this look does not tell. */
function trafficOn(view: TargetView, judgement: Judgement, rolloutId: string): number | undefined {
  const { canary } = view;
  if (servedByPrimary(view, rolloutId) || judgement.outcome?.kind === 'promotion-failed') return 100;
  if (!canary || judgement.analysing !== true) return undefined;
  if (judgement.stage === 'finalising') return 100;
  // In WaitingPromotion Flagger's status says 0 while traffic stays at the maximum.
  if (judgement.stage !== 'analysing') return Math.max(canary.canaryWeight, ...canary.analysis.weights);
  return canary.canaryWeight;
}

function servedByPrimary({ primary }: TargetView, rolloutId: string): boolean {
  return primary?.rolloutId === rolloutId && primary.complete;
}
