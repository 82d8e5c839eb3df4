import type { MetricPresetName } from '../flagger/metric-presets.ts';
import type { ObjectRef, TargetKey, TargetRef } from '../rollout/target.ts';

/** Where a value of rollout.yaml stands, for errors that come later than parsing. 1-based. */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface RepositoryName {
  readonly owner: string;
  readonly repo: string;
}

/** One requested change; its value comes from the file or from the step's `set`. */
export type Change = {
  /** Targets it applies to; all of them unless said. */
  readonly in: readonly TargetKey[];
  /** The name by which `set` refers to it: the image repository, env or arg name, or `name`. */
  readonly name: string;
  /** Container; the only one unless said. Not for `at`. */
  readonly container?: string;
  readonly position: Position;
} & (
  | {
      readonly kind: 'image';
      /** Repository without tag and digest, as the manifests name it. */
      readonly repository: string;
      /** Tag, digest or both. */
      readonly version: string;
      /** A new repository, when the value names another one that rollout.yaml allows: `ghcr.io/other/shop:1`. */
      readonly newRepository?: string;
    }
  | { readonly kind: 'env'; readonly env: string; readonly value: string }
  | { readonly kind: 'arg'; readonly arg: string; readonly value: string }
  | {
      readonly kind: 'chart';
      /** Name of the chart, as its HelmRelease has it. */
      readonly chart: string;
      readonly version: string;
    }
  | {
      readonly kind: 'field';
      readonly file: string;
      readonly object: ObjectRef;
      /** `data.checkout` → ['data', 'checkout']; list indices are numbers. */
      readonly path: readonly (string | number)[];
      readonly value: string;
    }
  /** A value in a file that a generator of kustomize reads, or in its literals. */
  | {
      readonly kind: 'input';
      readonly file: string;
      readonly path: readonly (string | number)[];
      readonly value: string;
    }
);

/** What rollout.yaml says of one Canary. `spec` holds only the fields given, in Canary.spec's own words. */
export interface CanarySettings {
  readonly target: TargetKey;
  /** Folder-relative file in the GitOps repository; default: where it is found, else beside the target. */
  readonly file?: string;
  /** Canary name when it is created; default: the target's. */
  readonly name?: string;
  /** provider, ingressRef, service, analysis, …: plain JSON values, metrics and alerts taken out. */
  readonly spec: Readonly<Record<string, unknown>>;
  /** In short form; `query` ones become a MetricTemplate. */
  readonly metrics?: readonly MetricSettings[];
  readonly alerts?: readonly AlertSettings[];
  readonly webhooks?: readonly WebhookSettings[];
  /** Add nginx.ingress.kubernetes.io/service-upstream to the Ingress that it names. */
  readonly serviceUpstream: boolean;
  readonly position: Position;
}

export interface MetricSettings {
  readonly name: string;
  readonly min?: number;
  readonly max?: number;
  readonly interval?: string;
  /** With `query`: rendered as a MetricTemplate. Without both: Flagger's builtin, or `templateRef`. */
  readonly query?: string;
  /** A query of flagger/metric-presets.ts. */
  readonly preset?: MetricPresetName;
  readonly provider?: Readonly<Record<string, unknown>>;
  readonly templateRef?: { readonly name: string; readonly namespace?: string };
  readonly templateVariables?: Readonly<Record<string, string>>;
}

export interface AlertSettings {
  readonly type: 'slack' | 'msteams' | 'discord' | 'rocket' | 'gchat';
  readonly name?: string;
  readonly channel?: string;
  readonly username?: string;
  readonly address?: string;
  readonly secretRef?: string;
  readonly proxy?: string;
  readonly severity: 'info' | 'warn' | 'error';
}

/** A webhook in short form, or in Flagger's own words. */
export type WebhookSettings =
  | { readonly load: string; readonly tester: string; readonly name?: string }
  | { readonly test: string; readonly tester: string; readonly name?: string; readonly timeout?: string }
  | { readonly gate: string; readonly tester: string; readonly name?: string }
  | (Readonly<Record<string, unknown>> & { readonly name: string; readonly url: string });

/** rollout.yaml and `set`, checked. */
export interface RolloutFile {
  readonly name: string;
  readonly gitops: { readonly repository?: RepositoryName; readonly branch?: string };
  readonly targets: readonly TargetRef[];
  /** The Flux object that applies the targets, when it should not be traced. */
  readonly via?: ObjectRef;
  /** The file of the manifest of that object, where several clusters have one of its name; asked without a cluster. */
  readonly viaFile?: string;
  readonly changes: readonly Change[];
  readonly write?: 'overlay' | 'base';
  /** In the values of HelmReleases: the annotations of the pods. */
  readonly idPath?: readonly (string | number)[];
  readonly imageAutomation: 'refuse' | 'suspend' | 'follow';
  readonly canaries: readonly CanarySettings[];
  /** Let the canaries promote together or not at all (a confirm-promotion gate of our own). */
  readonly barrier: boolean;
}

/** Limits, all in ms. */
export interface Limits {
  /** For a baseline to settle before we commit. */
  readonly settleMs: number;
  /** From the push until the target carries our id. */
  readonly applyMs: number;
  /** For a gate to be opened. */
  readonly approvalMs: number;
  /** For the cluster or GitHub to be out of sight. */
  readonly lostSightMs: number;
  /** For the cluster to be proven back after a revert, beyond the analysis that the revert itself needs. */
  readonly backMs: number;
  /** How long the job may take in all; undefined = not known. */
  readonly jobMs: number | undefined;
}

export type Mode = 'release' | 'plan' | 'sweep';

/** How the GitOps repository is reached. */
export type GitOpsCredentials =
  /** Nothing was given for it: `token` is used, which is never sent to another host than the workflow's. */
  | { readonly kind: 'job' }
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'app'; readonly clientId: string; readonly privateKey: string };

/** The action's inputs, checked; secrets are masked before this object is made. */
export interface Inputs {
  /** Path of rollout.yaml in the workspace. */
  readonly config: string;
  /** `name=value` lines of `set`, in order. */
  readonly set: readonly { readonly name: string; readonly value: string }[];
  readonly mode: 'auto' | Mode;
  /** Names and patterns of the branches whose commits may be released; none = the default branch. */
  readonly branches: readonly string[];
  /** For checks, comments and the source repository. */
  readonly token: string;
  readonly gitops: GitOpsCredentials;
  readonly gitopsApiUrl?: string;
  /** Kubeconfig text or path as given; undefined = in cluster, or the default places. */
  readonly kubeconfig?: string;
  readonly kubeContext?: string;
  readonly allowDowngrade: boolean;
  /** Commit a new id even when nothing changed (a tag that moved, a retry). */
  readonly evenIfUnchanged: boolean;
  readonly onCancel: 'revert' | 'hand-over';
  readonly resultFile?: string;
  /** Path of the HTML report. */
  readonly reportFile?: string;
  /** Of the GitHub Deployment; none is made without it. */
  readonly environment?: string;
  /** The Service behind which Flagger serves its metrics. */
  readonly flaggerMetrics?: { readonly namespace: string; readonly name: string; readonly port: string };
  /** Beside those of the targets: whose Services a plan may ask for metrics. */
  readonly metricsNamespaces: readonly string[];
  readonly limits: Limits;
}

/** A user's mistake, with everything needed to mend it. */
export interface ConfigProblem {
  readonly position?: Position;
  /** `target[0]`, `change[1].env`, or `input set`. */
  readonly field: string;
  /** A sentence, where found and allowed do not say it. */
  readonly message?: string;
  readonly found?: string;
  /** The name or word that was most likely meant. */
  readonly meant?: string | undefined;
  readonly allowed: string;
  /** As it would stand in the file. */
  readonly example?: string;
  /** A sentence that says what to do, where the rest does not. */
  readonly remedy?: string;
}
