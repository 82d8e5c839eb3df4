import type { Observation } from './observation.ts';
import type { TargetKey } from './target.ts';
import type { FileBlob } from './file-blob.ts';

/** What the rollout needs from the world. Adapters hold no policy; they translate. */

export interface Clock {
  /** ms since the epoch. */
  now(): number;
  /** Resolves after `ms`, or at once when `signal` is aborted. Never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Why a cluster cannot be read: it does not answer, does not know us, or we have nothing to show to it. */
export type UnavailableReason = 'cluster-unreachable' | 'cluster-unauthorized' | 'credential-plugin-failed';

/** The cluster could not be read just now; the caller decides how long that may last. */
export class ClusterUnavailable extends Error {
  override readonly name = 'ClusterUnavailable';
  readonly reason: UnavailableReason;
  readonly remedy: string | undefined;

  constructor(
    message: string,
    options: { readonly cause?: unknown; readonly reason?: UnavailableReason; readonly remedy?: string } = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.reason = options.reason ?? 'cluster-unreachable';
    this.remedy = options.remedy;
  }
}

/** A right is missing: nothing that waiting could mend. */
export class ClusterForbidden extends Error {
  override readonly name = 'ClusterForbidden';
}

export type ReconcileTarget = 'source' | 'links';

export interface ClusterView {
  /**
   * Reads everything afresh (source `read`); retried inside while the Canary moved under it.
   * @throws ClusterUnavailable, ClusterForbidden
   */
  read(): Promise<Observation>;
  /**
   * The next observation that differs from the one last returned (source `watch`), or undefined after `timeoutMs`
   * without any change, or when aborted. Watches mend themselves inside; lasting loss shows in `read`.
   */
  next(options: {
    readonly timeoutMs: number;
    readonly signal?: AbortSignal;
  }): Promise<Observation | undefined>;
  /** Asks Flux to look now: at the source, or at what it applied. `forbidden` is fine: it is only slower then. */
  requestReconcile(of: ReconcileTarget): Promise<'requested' | 'forbidden' | 'failed'>;
  close(): Promise<void>;
}

export type { FileBlob, FileMode } from './file-blob.ts';

export interface FileChange {
  readonly path: string;
  /** What the plan was made from; null = the file did not exist. A commit is only made when head still has it. */
  readonly before: FileBlob | null;
  readonly text: string;
}

export interface CommittedFile {
  readonly path: string;
  readonly before: FileBlob | null;
  readonly after: FileBlob;
  /** As it stands once the barrier that our commit put into it is taken out: ours, too. */
  readonly opened?: FileBlob;
}

/** A commit of ours that is on the branch. */
export interface CommitRecord {
  readonly sha: string;
  readonly parent: string;
  readonly tree: string;
  readonly files: readonly CommittedFile[];
  /** GitHub says that the signature is good. */
  readonly verified: boolean;
  readonly url: string;
}

export interface CommitRequest {
  readonly files: readonly FileChange[];
  readonly title: string;
  readonly body: string;
  /** `Gated-Rollout-Id` and its kin; order kept. */
  readonly trailers: readonly (readonly [name: string, value: string])[];
  /** Called with the commit's sha before the branch is moved: a rollout saved here is never lost. */
  readonly beforePush: (sha: string) => Promise<void> | void;
  /** Refuse where GitHub would not sign. */
  readonly mustBeVerified: boolean;
}

/** Why GitHub would not take a write; each has a sentence on what to change. */
export type WriteRefusal =
  | 'bad-credentials'
  | 'missing-permission'
  | 'repository-not-found'
  | 'sso-required'
  | 'rate-limited'
  | 'branch-protected'
  | 'branch-contended'
  | 'unsigned-commit'
  | 'github-unreachable'
  | 'unsupported-file';

export type CommitOutcome =
  | { readonly kind: 'committed'; readonly commit: CommitRecord }
  /** The files the plan was made from have changed on the branch: plan again. */
  | { readonly kind: 'stale'; readonly head: string; readonly paths: readonly string[] }
  /** The answer to the push was lost, and nobody could say afterwards whether the branch holds the commit. */
  | { readonly kind: 'unsure'; readonly sha: string; readonly detail: string }
  | {
      readonly kind: 'refused';
      readonly reason: WriteRefusal;
      readonly detail: string;
      readonly remedy: string;
    };

/** What a path shall be after the revert. */
export type Restored = { readonly kind: 'blob'; readonly blob: FileBlob } | { readonly kind: 'absent' };

export interface RestoredFile {
  readonly path: string;
  readonly restored: Restored;
  /** Of a path that the commit did not change (an id has to stand there): what it held; null = nothing. */
  readonly from?: FileBlob | null;
}

export interface RevertRequest {
  readonly commit: CommitRecord;
  /** For every path of the commit. `text` may differ from `commit.files[].before` (a stamped revert). */
  readonly files: readonly RestoredFile[];
  readonly title: string;
  readonly body: string;
  readonly trailers: readonly (readonly [name: string, value: string])[];
  readonly beforePush: (sha: string) => Promise<void> | void;
  /** By the runner's clock, ms: until then GitHub is asked again for what may pass; undefined = for an hour. */
  readonly deadline?: number;
}

export interface RevertRecord {
  readonly sha: string;
  readonly url: string;
  /**
   * `made`: a commit of ours (of this run, or of another that was first) that takes the release back. `found`: nobody
   * said so, but this commit of the branch holds what was before.
   */
  readonly how: 'made' | 'found';
}

export type RevertOutcome =
  | { readonly kind: 'reverted'; readonly revert: RevertRecord }
  /** Nothing of ours is left on the branch (another run was first, or a person). */
  | { readonly kind: 'already'; readonly revert: RevertRecord }
  /** Someone changed the same lines after us (`apps/deployment.yaml:16-17`); nothing was written. */
  | { readonly kind: 'conflict'; readonly paths: readonly string[]; readonly head: string }
  /** The answer to the push was lost, and nobody could say afterwards whether the branch holds the revert. */
  | { readonly kind: 'unsure'; readonly revert: string; readonly detail: string }
  | {
      readonly kind: 'refused';
      readonly reason: WriteRefusal;
      readonly detail: string;
      readonly remedy: string;
    };

/** What is known of a revision that Flux attempted, in relation to our commit and our revert. */
export interface RevisionFacts {
  /** Equal to our commit, or a descendant of it. */
  readonly containsCommit: boolean;
  readonly containsRevert: boolean;
  /** A commit after ours, up to this revision, changed a path of ours (our own revert not counted). */
  readonly changesOurPaths: boolean;
}

export interface GitOps {
  commit(request: CommitRequest): Promise<CommitOutcome>;
  /**
   * Whether the branch holds a commit now.
   * @throws Refusal when GitHub does not say.
   */
  holds(sha: string): Promise<boolean>;
  revert(request: RevertRequest): Promise<RevertOutcome>;
  /** Cached by revision; undefined when GitHub could not be asked just now. */
  revisionFacts(query: {
    readonly revision: string;
    readonly commit: CommitRecord;
    readonly revert: string | undefined;
  }): Promise<RevisionFacts | undefined>;
  /** A branch with what could be restored, and a pull request that says what a person must decide. */
  openRevertPullRequest(request: RevertPullRequest): Promise<PullRequestOutcome>;
}

export interface RevertPullRequest {
  readonly commit: CommitRecord;
  readonly files: RevertRequest['files'];
  readonly title: string;
  readonly body: string;
  readonly branch: string;
}

export type PullRequestOutcome =
  /** `left`: places that merging it does not take back, `apps/deployment.yaml:16-17`. */
  | {
      readonly kind: 'opened';
      readonly url: string;
      readonly number: number;
      readonly left: readonly string[];
    }
  /** No line could be put back by itself: a pull request would hold nothing. */
  | { readonly kind: 'nothing-to-restore'; readonly left: readonly string[] }
  | { readonly kind: 'failed'; readonly message: string };

/** One of the ways a target's template is put back; see `revert-form.ts`. */
export type RevertForm = 'plain' | 'stamped';

export type RevertForms = Readonly<Record<TargetKey, RevertForm>>;
