import type { CanaryBaseline } from './baseline.ts';
import type { Expectation } from './expectation.ts';
import type { KnownRevisions } from './flux-progress.ts';
import type { Identity } from './identity.ts';
import type { Observation } from './observation.ts';
import type {
  CommitRecord,
  PullRequestOutcome,
  ReconcileTarget,
  RevertForms,
  RevertRecord,
  UnavailableReason,
  WriteRefusal,
} from './ports.ts';
import type { TargetKey } from './target.ts';
import type { Track } from './track.ts';
import type { Outcome, Reason, Verdict } from './verdict.ts';

/** What the release may be put back to. */
export type RestorePoint =
  /** What the files held before our commit. */
  | { readonly kind: 'parent' }
  /** The commit whose release the primary runs: the parent was rejected and never reverted. */
  | { readonly kind: 'commit'; readonly sha: string }
  | { readonly kind: 'none'; readonly why: string };

/** What was set out to be done. Fixed when the commit is on the branch. */
export interface Intent {
  readonly id: string;
  readonly name: string;
  /** An adoption adds Canaries and leaves templates alone: it ends `initialized`. */
  readonly kind: 'release' | 'adoption';
  readonly identity: Identity;
  readonly baselines: readonly CanaryBaseline[];
  readonly expectations: readonly Expectation[];
  readonly restore: RestorePoint;
  /** The canaries wait for each other before any is promoted; our commit holds the gates. */
  readonly barrier: boolean;
  readonly limits: {
    readonly applyMs: number;
    readonly approvalMs: number;
    readonly lostSightMs: number;
    readonly backMs: number;
    /** By the runner's clock, ms: how long a revert may be tried; undefined = not known. */
    readonly revertBy: number | undefined;
    /** By the runner's clock, ms: when the job has no time left for more than a revert; undefined = not known. */
    readonly jobEndsAt: number | undefined;
  };
  readonly onCancel: 'revert' | 'hand-over';
}

/** Verdict that a revert leads to when it is proven. */
export type CauseVerdict = Extract<
  Verdict,
  'rolled-back' | 'not-applied' | 'not-started' | 'promotion-failed' | 'cancelled' | 'timed-out'
>;

/** Why we revert. */
export interface Cause {
  readonly verdict: CauseVerdict;
  readonly reason: Reason;
  readonly detail: string;
  /** We could not tell whether the release is bad. */
  readonly errored: boolean;
}

/** Common to every phase. Runner times in ms. */
export interface Followed {
  readonly intent: Intent;
  readonly commit: CommitRecord;
  readonly committedAt: number;
  readonly tracks: Readonly<Record<TargetKey, Track>>;
  readonly observation?: Observation;
  readonly known: KnownRevisions;
  /** When Flux was first seen to have applied a revision that holds our commit, or the target to carry it. */
  readonly appliedAt?: number;
  readonly appliedDetail?: string;
  /** When the barrier was taken out of Git. */
  readonly barrierOpenedAt?: number;
  readonly lostSightSince?: number;
  readonly lostSight?: string;
  /** Why, as a reason; absent: it could not be reached. */
  readonly lostSightReason?: UnavailableReason;
  /** Things worth knowing that happened on the way, oldest first. */
  readonly notes: readonly string[];
}

export type RolloutState =
  /**
   * `confirming`: a watch showed an end; a fresh read has been asked for. `opening`: the barrier is being taken out of
   * Git. `linksAsked`: what lies between Kustomization and target has been asked to look.
   */
  | (Followed & {
      readonly phase: 'following';
      readonly confirming: boolean;
      readonly opening?: true;
      readonly linksAsked?: true;
    })
  | (Followed & { readonly phase: 'reverting'; readonly cause: Cause; readonly forms: RevertForms })
  | (Followed & {
      readonly phase: 'openingPullRequest';
      readonly cause: Cause;
      readonly forms: RevertForms;
      readonly why: Extract<Reason, 'changed-since' | 'no-restore-point' | 'revert-refused'>;
      readonly whyDetail: string;
    })
  | (Followed & {
      readonly phase: 'verifyingRevert';
      readonly cause: Cause;
      readonly forms: RevertForms;
      readonly revert: RevertRecord;
      readonly revertedAt: number;
      readonly deadline: number;
      /** Since when each canary is back without a break. */
      readonly backSince: Readonly<Record<TargetKey, number>>;
      readonly waitingFor?: string;
      readonly confirming: boolean;
      readonly linksAsked?: true;
    })
  | (Followed & {
      readonly phase: 'done';
      readonly outcome: Outcome;
      readonly endedAt: number;
      readonly cause?: Cause;
      readonly forms?: RevertForms;
      readonly revert?: RevertRecord;
      readonly revertedAt?: number;
      readonly pullRequest?: { readonly url: string; readonly number: number };
      /** The version may still be in Git, and trying again could take it back: whoever comes next does. */
      readonly revertOpen?: { readonly sha?: string };
      readonly backAt?: number;
    });

/** What happened, as the loop tells it. Every event carries the runner's time separately. */
export type RolloutEvent =
  | { readonly type: 'observed'; readonly observation: Observation; readonly known: KnownRevisions }
  | { readonly type: 'unreadable'; readonly message: string; readonly reason?: UnavailableReason }
  | { readonly type: 'tick' }
  | { readonly type: 'cancelled'; readonly by: string }
  | { readonly type: 'reverted'; readonly revert: RevertRecord }
  | { readonly type: 'revertUnsure'; readonly revert: string; readonly detail: string }
  | { readonly type: 'revertConflict'; readonly paths: readonly string[] }
  | {
      readonly type: 'revertRefused';
      readonly reason: WriteRefusal;
      readonly detail: string;
      readonly remedy: string;
    }
  /** Whether the branch still holds our commit; undefined = GitHub does not say just now. */
  | { readonly type: 'branchLookedAt'; readonly holds: boolean | undefined }
  | { readonly type: 'barrierOpened' }
  | { readonly type: 'barrierStuck'; readonly detail: string }
  | { readonly type: 'pullRequestAnswered'; readonly outcome: PullRequestOutcome };

/** What the loop is asked to do; the answer comes back as an event. */
export type Effect =
  /** Read everything afresh. */
  | { readonly type: 'read' }
  /** Of the source; or of what lies between the Kustomization and the target, once that has what is looked for. */
  | { readonly type: 'requestReconcile'; readonly of: ReconcileTarget }
  /** Every target is promoted: whether the branch still asks for it. */
  | { readonly type: 'lookAtBranch' }
  /** Takes the gates that hold the canaries out of Git, in one commit. */
  | { readonly type: 'openBarrier' }
  | { readonly type: 'revert'; readonly forms: RevertForms; readonly cause: Cause }
  | {
      readonly type: 'openPullRequest';
      readonly forms: RevertForms;
      readonly cause: Cause;
      readonly why: string;
    };

export interface Transition {
  readonly state: RolloutState;
  readonly effects: readonly Effect[];
}
