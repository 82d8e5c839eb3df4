import type { Inputs, RolloutFile } from '../config/settings.ts';
import type { TreeOptions } from '../flux/tree-ground.ts';
import type { RepositoryFiles } from '../build/repository-files.ts';
import type { FoundValue, MetricNow, PlanWarning, ReleasePlan, RenderedObject } from '../plan/plan.ts';
import type { RolloutView } from '../report/view.ts';
import type { AutomationHold } from '../rollout/automation-hold.ts';
import type { FluxChain, Observation } from '../rollout/observation.ts';
import type { Clock, ClusterView, CommitRecord, FileChange, GitOps, RevertRecord } from '../rollout/ports.ts';
import type { ObservedObject, TargetKey } from '../rollout/target.ts';
import type { Memory } from './memory.ts';

/** A rollout's commit as found again in the history. */
export interface FoundRollout {
  readonly commit: CommitRecord;
  readonly trailers: readonly (readonly [name: string, value: string])[];
  readonly revert: RevertRecord | undefined;
}

/** A commit that somebody else made: the paths of it that we follow, and the commit that holds each as it was. */
export interface FollowedCommit {
  readonly sha: string;
  readonly files: readonly { readonly path: string; readonly before: string }[];
}

/** An ImageUpdateAutomation that takes its files from the GitOps repository. */
export interface ImageAutomation {
  readonly namespace: string;
  readonly name: string;
  /** Folder that it rewrites; '' is the whole repository. */
  readonly path: string;
  /** The branch that it pushes to. */
  readonly branch: string;
  readonly hold: AutomationHold;
}

/** The GitOps repository as a run needs it. */
export interface RunGitOps extends GitOps {
  /** The commit that the branch is at. */
  head(): Promise<string>;
  filesAt(commit: string): Promise<RepositoryFiles>;
  /** The newest commit of ours that carries the trailer `Gated-Rollout: name`, as far back as one looks for it. */
  newestRollout(name: string): Promise<FoundRollout | undefined>;
  /** The commit of ours that put this id on a pod template (a revert's for a stamped id). */
  commitOfId(id: string): Promise<string | undefined>;
  /** Whether any commit of the branch, whoever made it, says that it put this id there. */
  isIdNamed(id: string): Promise<boolean>;
  /** A commit of ours by its sha, whether or not the branch has it; undefined when there is no such commit. */
  rolloutAt(sha: string): Promise<FoundRollout | undefined>;
  /** Shas of the commits that changed one of the paths on the branch, newest first; of what a merge brought, the merge. */
  commitsTouching(paths: readonly string[]): Promise<readonly string[]>;
  parentOf(sha: string): Promise<string | undefined>;
  /** Whether the branch was at `sha` once, when or before it was at `before`. */
  hasBeenAt(sha: string, before: string): Promise<boolean>;
  /** A commit of somebody else, as far as it is followed. */
  followed(commit: FollowedCommit): Promise<CommitRecord>;
  /** The commit is on the branch. */
  holds(sha: string): Promise<boolean>;
}

export interface ClusterPreflight {
  readonly chains: Readonly<Record<TargetKey, FluxChain>>;
  readonly observation: Observation;
  readonly warnings: readonly PlanWarning[];
}

/** The cluster as a run needs it. Every method throws Refusal, ClusterForbidden or ClusterUnavailable. */
export interface RunCluster {
  /** The branch that Flux tracks for the targets, and who applies them. */
  trace(): Promise<Readonly<Record<TargetKey, FluxChain>>>;
  /** Everything in the cluster that would keep a commit from being delivered. */
  preflight(chains: Readonly<Record<TargetKey, FluxChain>>): Promise<ClusterPreflight>;
  /** Whether the API server would take what is going to be committed. @throws Refusal in its words. */
  dryRun(objects: readonly RenderedObject[]): Promise<DryRun>;
  /** Secrets (`namespace/name`) that they name and that are not there; none where they may not be looked at. */
  missingSecrets(objects: readonly RenderedObject[]): Promise<readonly string[]>;
  /** What the metrics of the analyses say now. Never throws. */
  metricsNow(plan: Pick<ReleasePlan, 'schedule' | 'rendered'>): Promise<readonly MetricNow[]>;
  /** Image automations that write to the repository; `everywhere`: all namespaces were looked into. */
  automations(chains: Readonly<Record<TargetKey, FluxChain>>): Promise<{
    readonly all: readonly ImageAutomation[];
    readonly everywhere: boolean;
  }>;
  /** Changes how an image automation is held, as decided from how it is held then. */
  changeHold(
    automation: Pick<ImageAutomation, 'namespace' | 'name'>,
    next: (hold: AutomationHold) => AutomationHold,
  ): Promise<AutomationHold>;
  /** Whether we may suspend it, asked without doing it. */
  checkMayHold(automation: Pick<ImageAutomation, 'namespace' | 'name'>): Promise<void>;
  view(options: {
    readonly chains: Readonly<Record<TargetKey, FluxChain>>;
    readonly objects: readonly ObservedObject[];
  }): ClusterView;
}

/** What the API server said of rendered objects. */
export type DryRun =
  | { readonly kind: 'accepted'; readonly objects: number }
  | { readonly kind: 'unchecked'; readonly why: string };

export interface PlanQuery {
  readonly files: RepositoryFiles;
  readonly chains: Readonly<Record<TargetKey, FluxChain>>;
  readonly observation: Observation;
  readonly rolloutId: string;
}

export interface StampQuery extends PlanQuery {
  readonly targets: readonly TargetKey[];
}

export interface Planner {
  /** @throws Refusal with what was looked for, where, and what was found. */
  plan(query: PlanQuery): Promise<ReleasePlan>;
  /** Only the id on the pod templates of these targets. @throws Refusal. */
  stamp(query: StampQuery): Promise<readonly FileChange[]>;
  /** @throws Refusal `chain-broken` when what the tree says is not what runs. */
  proveChain(found: readonly FoundValue[], observation: Observation): void;
}

/** What is secret in the repository, as far as it was read. */
export interface KeptSecrets {
  /** Every text in a value, without what may not be said. */
  hideIn<T>(value: T): T;
  /** What changes in a file, as a unified diff; empty where nothing of it may be shown. */
  diffOf(text: { readonly path: string; readonly before: string; readonly after: string }): string;
}

/** Where reports go for one rollout. Never throws, never delays what it reports on. */
export interface RunReporter {
  update(view: RolloutView): void;
  finish(view: RolloutView): Promise<void>;
}

/** The workflow run that we are, as reports and trailers name it. */
export interface RunIdentity {
  /** `owner/repo` of the source. */
  readonly repository: string;
  readonly sha: string;
  readonly url: string;
  readonly id: string;
  readonly attempt: string;
}

/** What GitHub says of the branch before anything is written to it. */
export interface RepositoryCheck {
  /** The commits that GitHub makes for us must carry a good signature. */
  readonly mustBeVerified: boolean;
  readonly warnings: readonly string[];
}

/** The GitOps repository at the branch that Flux tracks. */
export interface OpenedRepository {
  /** `owner/repo` and branch, for people to read. */
  readonly name: { readonly repository: string; readonly branch: string };
  readonly gitops: RunGitOps;
  /** @throws Refusal when our token or the rules of the branch would not let us commit. */
  check(flux: { readonly verifies: boolean }): Promise<RepositoryCheck>;
}

/** Who made the source commit, as far as GitHub vouches for it (gitops/own-commit.ts). */
export type SourceOrigin = 'ours' | 'foreign' | 'unknown';

export type SourceRelation = 'identical' | 'ahead' | 'behind' | 'diverged' | undefined;

/** Everything a run is made from; put together where the step begins, and nowhere else. */
export interface RunParts {
  readonly run: RunIdentity;
  readonly inputs: Inputs;
  readonly rollout: RolloutFile;
  readonly clock: Clock;
  readonly random: () => number;
  /** Aborted when the job is cancelled; the reason says by what. */
  readonly cancel: AbortSignal;
  readonly cluster: RunCluster;
  /** @throws Refusal when GitHub does not know us or the repository. */
  readonly openRepository: (branch: string) => Promise<OpenedRepository>;
  readonly planner: Planner;
  /** Keeps what is secret in the repository out of everything that leaves this run. */
  readonly secrets: KeptSecrets;
  /**
   * The GitOps repository as it lies in the workspace, for runs that have no secrets; undefined: this run has them.
   */
  readonly workspaceOnly?:
    | {
        readonly files: RepositoryFiles;
        readonly tree: Pick<TreeOptions, 'builder' | 'isOurs' | 'repository'>;
      }
    | { readonly impossible: string };
  /** Reports to the check run and the pull requests of a rollout's source commit. */
  readonly reporterFor: (rollout: { readonly id: string; readonly sourceSha: string }) => RunReporter;
  /** Notes for the log, as they happen. */
  readonly say: (line: string) => void;
  readonly remember: (memory: Memory) => void;
  /** @throws TakenOver when the post step has begun to end this rollout: nothing may be written any more. */
  readonly mayWrite: () => Promise<void>;
  /** @throws Refusal when the source commit is on no branch that this mode, which writes, may start from. */
  readonly requireAllowedSource: (mode: 'release' | 'sweep') => Promise<void>;
  /** How the source commit of what runs relates to ours (ours as head). */
  readonly sourceRelation: (delivered: string) => Promise<SourceRelation>;
  /** @throws Refusal when a token ends before the rollout and its revert could (`worstMs`). */
  readonly checkTokenLife: (worstMs: number) => void;
  /** When this step began, ms by the clock. */
  readonly startedAt: number;
}

/** The post step has taken over; main must not write any more. */
export class TakenOver extends Error {
  override readonly name = 'TakenOver';
}

/** The job was cancelled before anything was written. */
export class CancelledBeforeCommit extends Error {
  override readonly name = 'CancelledBeforeCommit';
}
