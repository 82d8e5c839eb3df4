/** A Kubernetes object as plain data. The emulation reads only what it needs of it. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Metadata;
  readonly [field: string]: unknown;
}

export interface Metadata {
  readonly name: string;
  readonly namespace: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly managedFields?: readonly ManagedFields[];
  readonly ownerReferences?: readonly {
    readonly kind: string;
    readonly name: string;
    readonly uid: string;
  }[];
}

export interface ManagedFields {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly subresource?: string;
  readonly time: string;
}

export type Fields = Readonly<Record<string, unknown>>;

/** API path, plural and kind of everything that the emulation knows. */
export const KINDS = [
  { api: 'api/v1', plural: 'namespaces', kind: 'Namespace' },
  { api: 'api/v1', plural: 'services', kind: 'Service' },
  { api: 'api/v1', plural: 'configmaps', kind: 'ConfigMap' },
  { api: 'api/v1', plural: 'secrets', kind: 'Secret' },
  { api: 'api/v1', plural: 'events', kind: 'Event' },
  { api: 'apis/apps/v1', plural: 'deployments', kind: 'Deployment' },
  { api: 'apis/apps/v1', plural: 'daemonsets', kind: 'DaemonSet' },
  { api: 'apis/apps/v1', plural: 'replicasets', kind: 'ReplicaSet' },
  { api: 'apis/networking.k8s.io/v1', plural: 'ingresses', kind: 'Ingress' },
  { api: 'apis/autoscaling/v2', plural: 'horizontalpodautoscalers', kind: 'HorizontalPodAutoscaler' },
  { api: 'apis/flagger.app/v1beta1', plural: 'canaries', kind: 'Canary' },
  { api: 'apis/flagger.app/v1beta1', plural: 'metrictemplates', kind: 'MetricTemplate' },
  { api: 'apis/flagger.app/v1beta1', plural: 'alertproviders', kind: 'AlertProvider' },
  { api: 'apis/source.toolkit.fluxcd.io/v1', plural: 'gitrepositories', kind: 'GitRepository' },
  {
    api: 'apis/image.toolkit.fluxcd.io/v1',
    plural: 'imageupdateautomations',
    kind: 'ImageUpdateAutomation',
  },
  { api: 'apis/source.toolkit.fluxcd.io/v1', plural: 'ocirepositories', kind: 'OCIRepository' },
  { api: 'apis/source.toolkit.fluxcd.io/v1', plural: 'buckets', kind: 'Bucket' },
  { api: 'apis/kustomize.toolkit.fluxcd.io/v1', plural: 'kustomizations', kind: 'Kustomization' },
  { api: 'apis/helm.toolkit.fluxcd.io/v2', plural: 'helmreleases', kind: 'HelmRelease' },
] as const;

export function pluralOf(kind: string): string | undefined {
  return KINDS.find(known => known.kind === kind)?.plural;
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The map at a path, empty when there is none. */
export function fieldsAt(value: unknown, ...path: readonly string[]): Fields {
  const found = valueAt(value, ...path);
  return isFields(found) ? found : {};
}

export function valueAt(value: unknown, ...path: readonly string[]): unknown {
  let at = value;
  for (const key of path) at = isFields(at) ? at[key] : undefined;
  return at;
}

export function listAt(value: unknown, ...path: readonly string[]): readonly unknown[] {
  const found = valueAt(value, ...path);
  return Array.isArray(found) ? found : [];
}

export function textAt(value: unknown, ...path: readonly string[]): string {
  const found = valueAt(value, ...path);
  return typeof found === 'string' ? found : '';
}

export function numberAt(value: unknown, ...path: readonly string[]): number | undefined {
  const found = valueAt(value, ...path);
  return typeof found === 'number' ? found : undefined;
}

/** JSON merge patch (RFC 7386): null deletes. */
export function merged(old: unknown, patch: unknown): unknown {
  if (!isFields(patch)) return patch;
  const result: Record<string, unknown> = isFields(old) ? { ...old } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merged(result[key], value);
  }
  return result;
}

/** The same for the same content, whatever the order of keys. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    isFields(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([left], [right]) => (left < right ? -1 : 1)))
      : part,
  );
}
