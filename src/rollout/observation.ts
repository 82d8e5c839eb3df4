import type { ArtifactRules } from '../build/tree-builder.ts';
import type { TargetKey, TargetKind } from './target.ts';

/**
 * What the cluster shows, in one shape for the state machine. Times are milliseconds since the epoch; `ClusterTime`
 * is by the cluster's clock and is compared only with other cluster times, never with the runner's.
 */
export type ClusterTime = number;

export type CanaryPhase =
  | ''
  | 'Initializing'
  | 'Initialized'
  | 'Waiting'
  | 'Progressing'
  | 'WaitingPromotion'
  | 'Promoting'
  | 'Finalising'
  | 'Succeeded'
  | 'Failed'
  | 'Terminating'
  | 'Terminated';

export interface Condition {
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  /** Generation of the object that it speaks of, where its controller says so. */
  readonly generation?: number;
}

/** Condition `Promoted` of a Canary; its times are the only ones of its status that mean anything. */
export interface PromotedCondition extends Condition {
  readonly lastTransitionTime: ClusterTime;
  readonly lastUpdateTime: ClusterTime;
}

export interface AnalysisMetric {
  readonly name: string;
  readonly min?: number;
  readonly max?: number;
  /** `builtin`, `inline` (a query in the Canary itself), or the MetricTemplate as namespace/name. */
  readonly source: string;
}

export type CanaryStrategy = 'weighted' | 'ab' | 'blue-green';

export interface CanaryAnalysis {
  readonly strategy: CanaryStrategy;
  /** ms; never under 10 000, Flagger's floor. */
  readonly intervalMs: number;
  /** Failed checks at which Flagger rolls back. */
  readonly threshold: number;
  /** A/B and blue/green only. */
  readonly iterations?: number;
  /** Percent, as Flagger will step through them: [25, 50]. Weighted only. */
  readonly weights: readonly number[];
  /** Percent; the step by which traffic moves to the promoted primary. */
  readonly stepWeightPromotion?: number;
  readonly metrics: readonly AnalysisMetric[];
  readonly webhooks: readonly { readonly name: string; readonly type: string; readonly url: string }[];
}

export interface CanaryView {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly resourceVersion: string;
  readonly phase: CanaryPhase;
  /** Percent. */
  readonly canaryWeight: number;
  readonly iterations: number;
  readonly failedChecks: number;
  /** Opaque hashes: compared, never computed. */
  readonly lastAppliedSpec: string;
  readonly lastPromotedSpec: string;
  readonly trackedConfigs: Readonly<Record<string, string>>;
  readonly promoted?: PromotedCondition;
  readonly suspended: boolean;
  readonly skipAnalysis: boolean;
  /** As written; undefined = Flagger's own flag decides. */
  readonly provider?: string;
  readonly progressDeadlineMs: number;
  readonly analysis: CanaryAnalysis;
  /** Flagger's clock minus the API server's, ms; 0 when it cannot be told. */
  readonly flaggerSkewMs: number;
}

export interface WorkloadView {
  readonly kind: TargetKind;
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly resourceVersion: string;
  readonly generation: number;
  /** Annotations on the pod template. */
  readonly rolloutId?: string;
  readonly sourceSha?: string;
  /** The pod template as the API server shows it (parsed JSON): where requested values are looked up. */
  readonly template: unknown;
  /** Of the workload itself: by these a patch may select it. */
  readonly labels?: Readonly<Record<string, string>>;
  /** The desired replicas; 0 for a DaemonSet scaled away by Flagger. */
  readonly replicas: number;
  readonly readyReplicas: number;
  /** Status belongs to this generation, and every pod wanted is updated and available. */
  readonly complete: boolean;
  /** Of a Knative Service or Revision that is not ready: why, in the words of its condition. */
  readonly notReady?: string;
  /** The workload's own progressDeadlineSeconds, ms (default 600 000). */
  readonly progressDeadlineMs: number;
  readonly deadlineExceeded: boolean;
  /** When Flux last applied it (managedFields), if it can be told. */
  readonly appliedAt?: ClusterTime;
}

/** One generation of a target's pod template: a ReplicaSet of a Deployment, a Revision of a Knative Service. */
export interface ReplicaSetView {
  readonly name: string;
  readonly createdAt: ClusterTime;
  /** Label pod-template-hash; '' for a Revision: Flagger hashes its name, which is nothing to join by. */
  readonly podTemplateHash: string;
  readonly rolloutId?: string;
  /** Its pod template (parsed JSON), where it was read. */
  readonly template?: unknown;
  readonly replicas: number;
}

/** A part of a Knative Service's traffic, as its status says. */
export interface RevisionTraffic {
  readonly revision: string;
  readonly rolloutId?: string;
  /** Percent. */
  readonly percent: number;
}

/** An Event of Flagger on the Canary. Lossy and aggregated: colour and causes, never proof. */
export interface FlaggerEvent {
  readonly type: 'Normal' | 'Warning';
  readonly message: string;
  readonly count: number;
  readonly firstSeen: ClusterTime;
  readonly lastSeen: ClusterTime;
}

export interface SourceView {
  readonly kind: 'GitRepository' | 'OCIRepository' | 'Bucket' | 'ExternalArtifact';
  readonly namespace: string;
  readonly name: string;
  readonly url: string;
  /** The branch that is followed. */
  readonly branch?: string;
  /** What is followed where it is no branch (a tag, a range of tags, another ref, one commit), for people to read. */
  readonly pinned?: string;
  readonly suspended: boolean;
  /** Commit of the artifact, 40 hex digits. */
  readonly revision?: string;
  readonly ready?: Condition;
  readonly intervalMs: number;
  /** spec.verify is set: Flux takes signed commits only. */
  readonly verifies: boolean;
  /** What of a commit its artifact holds. */
  readonly artifact?: ArtifactRules;
}

export interface KustomizationView {
  readonly namespace: string;
  readonly name: string;
  /** spec.path, normalised: no leading ./ and no trailing slash; '' is the root. */
  readonly path: string;
  readonly suspended: boolean;
  readonly ready?: Condition;
  readonly reconciling?: Condition;
  readonly generation: number;
  readonly observedGeneration: number;
  /** Commits (40 hex digits) out of lastAppliedRevision and lastAttemptedRevision. */
  readonly lastAppliedRevision?: string;
  readonly lastAttemptedRevision?: string;
  readonly intervalMs: number;
  /** wait or healthChecks: lastAppliedRevision lags behind. */
  readonly waits: boolean;
  readonly targetNamespace?: string;
  /** Images that the Kustomization itself sets (spec.images), by their names. */
  readonly imageNames?: readonly string[];
  /** What it applied that has a pod template, by its inventory. */
  readonly workloads?: readonly AppliedWorkload[];
  /** `.spec` as it is (parsed JSON). */
  readonly spec?: Readonly<Record<string, unknown>>;
  /** The file of the repository in which it was found, where no cluster was asked. */
  readonly manifest?: string;
}

export interface AppliedWorkload {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** A HelmRelease, of helm-controller. */
export interface HelmReleaseView {
  readonly namespace: string;
  readonly name: string;
  readonly suspended: boolean;
  readonly generation: number;
  readonly observedGeneration: number;
  readonly ready?: Condition;
  /** Helm took a failed upgrade back (rollback, uninstall), or tried to. */
  readonly remediated?: Condition;
  /** Digest of the values of the last attempt; opaque. */
  readonly lastAttemptedConfigDigest?: string;
  /** Chart version of the last attempt. */
  readonly lastAttemptedRevision?: string;
  /** Digest of the chart of the last attempt, where it comes from an OCIRepository: `sha256:…`. */
  readonly lastAttemptedRevisionDigest?: string;
  /** Newest first. */
  readonly history: readonly HelmRevision[];
  readonly intervalMs: number;
  /** `enabled` corrects what others change in the cluster; `warn` only says so. */
  readonly driftDetection: 'enabled' | 'warn' | 'disabled';
  /** A failed upgrade is retried and taken back by Helm itself. */
  readonly remediatesUpgrades: boolean;
  /** Drift of a Deployment's replicas is not corrected (spec.driftDetection.ignore). */
  readonly ignoresReplicas: boolean;
  /** Rollout ids that its spec puts on pod templates, by a postRenderer or by values. */
  readonly rolloutIds: readonly string[];
}

export interface HelmRevision {
  readonly version: number;
  /** Helm's word: deployed, superseded, failed, … */
  readonly status: string;
  readonly chartVersion: string;
  readonly configDigest: string;
  /** Digest of the chart, where it comes from an OCIRepository. */
  readonly ociDigest?: string;
  /** When Helm began it. */
  readonly deployedAt: ClusterTime;
}

/** The OCIRepository that a HelmRelease takes its chart from (spec.chartRef). */
export interface ChartSourceView {
  readonly namespace: string;
  readonly name: string;
  /** oci://… */
  readonly url: string;
  readonly suspended: boolean;
  /** The artifact belongs to the newest generation. */
  readonly upToDate: boolean;
  readonly ready?: Condition;
  /** What was pulled last. */
  readonly artifact?: { readonly tag?: string; readonly digest: string };
}

/**
 * An object that our commit changes through the Kustomization that applies it, and that in turn brings the target: a
 * HelmRelease, or a Kustomization that takes its files from another repository and holds patches of its own.
 */
export type ChainLink =
  | {
      readonly kind: 'HelmRelease';
      readonly view: HelmReleaseView;
      /** Where it takes its chart from an OCIRepository that may be read. */
      readonly chartSource?: ChartSourceView;
    }
  | { readonly kind: 'Kustomization'; readonly view: KustomizationView; readonly source: SourceView };

/** The objects of Flux that bring a target to life, from its source to the object that applies it. */
export interface FluxChain {
  /** The repository that is released into. */
  readonly source: SourceView;
  /** Root first; the last one carries our commit: it takes its files from `source`. */
  readonly kustomizations: readonly KustomizationView[];
  /** Between that one and the target, in the order of the way; none where it applies the target itself. */
  readonly links: readonly ChainLink[];
}

export interface TargetView {
  readonly target?: WorkloadView;
  /** `NAME-primary`; of a Knative Service the Revision that Flagger's annotation names. */
  readonly primary?: WorkloadView;
  readonly canary?: CanaryView;
  /** Of the target, newest first; [] for a DaemonSet. */
  readonly replicaSets: readonly ReplicaSetView[];
  /** Of a Knative Service only. */
  readonly traffic?: readonly RevisionTraffic[];
  /** Newest last. */
  readonly events: readonly FlaggerEvent[];
  /** By metric, the last value that Flagger found (its own gauge); where it may be read, and in reads only. */
  readonly metricValues?: Readonly<Record<string, number>>;
  readonly flux?: FluxChain;
}

/**
 * One look at everything a rollout depends on. `watch`: put together from watches, good for progress. `read`: fresh
 * GETs, the Canary read again at the end and unchanged, which is what verdicts are made from.
 */
export interface Observation {
  readonly source: 'watch' | 'read';
  /** By the runner's clock, ms. */
  readonly at: number;
  readonly targets: Readonly<Record<TargetKey, TargetView>>;
  /** Other objects whose live values are asked for, by `Kind namespace/name`; null = it does not exist. */
  readonly objects: Readonly<Record<string, unknown>>;
}
