import type { ClusterTime, Condition } from './condition.ts';
import type { FluxChain } from './flux-chain.ts';
import type { TargetKey, TargetKind } from './target.ts';

export type * from './condition.ts';
export type * from './flux-chain.ts';

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
