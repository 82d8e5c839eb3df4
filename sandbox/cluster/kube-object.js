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
  { api: 'apis/kustomize.toolkit.fluxcd.io/v1', plural: 'kustomizations', kind: 'Kustomization' },
];
export function pluralOf(kind) {
  return KINDS.find(known => known.kind === kind)?.plural;
}
export function isFields(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
/** The map at a path, empty when there is none. */
export function fieldsAt(value, ...path) {
  const found = valueAt(value, ...path);
  return isFields(found) ? found : {};
}
export function valueAt(value, ...path) {
  let at = value;
  for (const key of path) at = isFields(at) ? at[key] : undefined;
  return at;
}
export function listAt(value, ...path) {
  const found = valueAt(value, ...path);
  return Array.isArray(found) ? found : [];
}
export function textAt(value, ...path) {
  const found = valueAt(value, ...path);
  return typeof found === 'string' ? found : '';
}
export function numberAt(value, ...path) {
  const found = valueAt(value, ...path);
  return typeof found === 'number' ? found : undefined;
}
/** JSON merge patch (RFC 7386): null deletes. */
export function merged(old, patch) {
  if (!isFields(patch)) return patch;
  const result = isFields(old) ? { ...old } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merged(result[key], value);
  }
  return result;
}
/** The same for the same content, whatever the order of keys. */
export function canonical(value) {
  return JSON.stringify(value, (_key, part) =>
    isFields(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([left], [right]) => (left < right ? -1 : 1)))
      : part,
  );
}
