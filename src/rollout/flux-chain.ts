import type { ArtifactRules } from '../build/tree-builder.ts';
import type { ClusterTime, Condition } from './condition.ts';

/** What the cluster, or a tree, shows of Flux. */

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
