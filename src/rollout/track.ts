import type { CanaryBaseline } from './baseline.ts';
import type { CanaryPhase, ClusterTime, FlaggerEvent } from './observation.ts';
import { type History, NO_HISTORY } from './history.ts';
import type { Proven } from './proven.ts';
import type { TargetKey } from './target.ts';
import type { Reason } from './verdict.ts';

/** How one canary ended. `failed` and `errored` are never mixed: bad release, or no telling. */
export type TrackOutcome =
  | { readonly kind: 'promoted'; readonly analysed: boolean; readonly detail: string }
  | { readonly kind: 'initialized'; readonly detail: string }
  | {
      readonly kind: 'failed' | 'errored';
      readonly reason: Reason;
      readonly detail: string;
      /** The primary carries the release already. */
      readonly tainted: boolean;
    }
  | { readonly kind: 'promotion-failed'; readonly reason: Reason; readonly detail: string }
  | { readonly kind: 'not-applied'; readonly reason: Reason; readonly detail: string }
  | { readonly kind: 'not-started'; readonly reason: Reason; readonly detail: string }
  | { readonly kind: 'timed-out'; readonly reason: Reason; readonly detail: string }
  | { readonly kind: 'superseded'; readonly reason: Reason; readonly detail: string }
  | { readonly kind: 'replaced'; readonly reason: Reason; readonly detail: string };

/** Where one canary stands, in the order of the way to promotion. */
export const TRACK_STAGES = [
  'applying',
  'delivering',
  'waitingApproval',
  'analysing',
  'waitingPromotion',
  'promoting',
  'finalising',
  'ended',
] as const;

export type TrackStage = (typeof TRACK_STAGES)[number];

/** What is remembered of one canary while it is followed. Runner times in ms. */
export interface Track {
  readonly target: TargetKey;
  readonly baseline: CanaryBaseline;
  readonly stage: TrackStage;
  readonly stageSince: number;
  /** When the target's template was first seen to carry our id, and by the cluster's clock. */
  readonly deliveredAt?: number;
  readonly deliveredClusterTime?: ClusterTime;
  /** When Flagger was first seen to analyse our revision. */
  readonly analysedFrom?: number;
  readonly proven: Proven;
  /** Last seen before Flagger zeroes them on Failed. Percent, count, count. */
  readonly peak: { readonly weight: number; readonly iteration: number; readonly failedChecks: number };
  readonly phase: CanaryPhase;
  /** Of this rollout, each counted from its delivery on. */
  readonly events: readonly FlaggerEvent[];
  /** How often each thing had been said before the delivery: Kubernetes counts over many releases. */
  readonly saidBefore: Readonly<Record<string, number>>;
  /** How the analysis went, for people to look at; nothing is decided by it. */
  readonly history: History;
  readonly waitingFor?: string;
  /** Suspended since; the stage's clock stands still meanwhile. */
  readonly heldSince?: number;
  /** A terminal phase that cannot be joined by hash must hold for a while: since when it does. */
  readonly terminalSince?: number;
  /** A colleague's commit changed the template while keeping our id. */
  readonly amended: boolean;
  readonly outcome?: TrackOutcome;
}

export function newTrack(baseline: CanaryBaseline, proven: Proven, now: number): Track {
  return {
    target: baseline.target,
    baseline,
    stage: 'applying',
    stageSince: now,
    proven,
    peak: { weight: 0, iteration: 0, failedChecks: 0 },
    phase: baseline.phase,
    events: [],
    saidBefore: {},
    history: NO_HISTORY,
    amended: false,
  };
}
