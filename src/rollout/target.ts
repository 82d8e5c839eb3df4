/** What is released: a workload with a pod template, and the names by which everything else refers to it. */

/** `Service` is Knative's (serving.knative.dev); a core Service has no pod template that could be released. */
export const TARGET_KINDS = ['Deployment', 'DaemonSet', 'Service'] as const;
export type TargetKind = (typeof TARGET_KINDS)[number];

export interface TargetRef {
  readonly kind: TargetKind;
  readonly namespace: string;
  readonly name: string;
}

/** `prod/frontend`, `DaemonSet prod/agent` or `Service prod/hello`: the form written in rollout.yaml, used as the key everywhere. */
export type TargetKey = string;

/** The key of a target; Deployment is what is meant when no kind is said. */
export function targetKey(target: TargetRef): TargetKey {
  const path = `${target.namespace}/${target.name}`;
  return target.kind === 'Deployment' ? path : `${target.kind} ${path}`;
}

/** The kind that a word before namespace/name means, or the first word of a key. */
export function kindMeant(word: string | undefined): TargetKind {
  return TARGET_KINDS.find(kind => kind === word) ?? 'Deployment';
}

export function kindOfKey(key: TargetKey): TargetKind {
  return kindMeant(key.split(' ', 1)[0]);
}

/** Any object of the cluster by name. */
export interface ObjectRef {
  readonly apiVersion?: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}

/** What is looked at beside the targets: one object, or all of a kind that their pod templates refer to. */
export type ObservedObject = ObjectRef | { readonly kind: 'ConfigMap'; readonly referenced: true };

/** Annotations on the pod template by which a rollout is known. */
export const ROLLOUT_ID_ANNOTATION = 'gated-rollout/id';
export const SOURCE_SHA_ANNOTATION = 'gated-rollout/source-sha';

/** How a patch file begins that holds nothing but what we wrote, so that a revert may delete it. */
export const OWN_PATCH_MARK = '# Written by Gated Rollout:';
export const ID_PATCH_HEADER = `${OWN_PATCH_MARK} the id of the rollout, on the pod template.\n`;
export const VALUE_PATCH_HEADER = `${OWN_PATCH_MARK} a value of this environment.\n`;
