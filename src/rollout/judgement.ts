import type { Expectation } from './expectation.ts';
import type { KnownRevisions } from './flux-progress.ts';
import type { Identity } from './identity.ts';
import type { ClusterTime } from './observation.ts';
import type { Track, TrackOutcome, TrackStage } from './track.ts';

/** What one look at one canary says: where it stands, or how it ended. */
export interface Judgement {
  readonly stage: TrackStage;
  readonly outcome?: TrackOutcome;
  /** Something that is waited for and that a person can change. */
  readonly waitingFor?: string;
  /** The stage's clock stands still. */
  readonly held?: boolean;
  /** How long this stage may last, and how it ends when it lasts longer. */
  readonly limit?: { readonly ms: number; readonly outcome: TrackOutcome };
  readonly delivered?: boolean;
  readonly deliveredClusterTime?: ClusterTime;
  readonly valuesLive?: boolean;
  readonly analysing?: boolean;
  readonly amended?: boolean;
  /** A terminal phase of ours that has to hold before it is believed. */
  readonly holding?: boolean;
}

export interface JudgeContext {
  readonly rolloutId: string;
  readonly identity: Identity;
  readonly track: Track;
  readonly expectations: readonly Expectation[];
  readonly objects: Readonly<Record<string, unknown>>;
  readonly known: KnownRevisions;
  readonly limits: { readonly applyMs: number; readonly approvalMs: number };
  /** The canaries of this rollout still wait for each other. */
  readonly barrierClosed: boolean;
  readonly now: number;
}
