import type { ObjectRef, TargetRef } from '../rollout/target.ts';
import { Refusal } from '../rollout/verdict.ts';

/** Group, version and plural of the kinds that we read. */
const RESOURCES: Readonly<Record<string, readonly [api: string, plural: string]>> = {
  Deployment: ['apis/apps/v1', 'deployments'],
  DaemonSet: ['apis/apps/v1', 'daemonsets'],
  StatefulSet: ['apis/apps/v1', 'statefulsets'],
  ReplicaSet: ['apis/apps/v1', 'replicasets'],
  ConfigMap: ['api/v1', 'configmaps'],
  Secret: ['api/v1', 'secrets'],
  Service: ['api/v1', 'services'],
  Event: ['api/v1', 'events'],
  Ingress: ['apis/networking.k8s.io/v1', 'ingresses'],
  HorizontalPodAutoscaler: ['apis/autoscaling/v2', 'horizontalpodautoscalers'],
  Canary: ['apis/flagger.app/v1beta1', 'canaries'],
  MetricTemplate: ['apis/flagger.app/v1beta1', 'metrictemplates'],
  AlertProvider: ['apis/flagger.app/v1beta1', 'alertproviders'],
  GitRepository: ['apis/source.toolkit.fluxcd.io/v1', 'gitrepositories'],
  Kustomization: ['apis/kustomize.toolkit.fluxcd.io/v1', 'kustomizations'],
  OCIRepository: ['apis/source.toolkit.fluxcd.io/v1', 'ocirepositories'],
  ExternalArtifact: ['apis/source.toolkit.fluxcd.io/v1', 'externalartifacts'],
  ArtifactGenerator: ['apis/source.extensions.fluxcd.io/v1beta1', 'artifactgenerators'],
  HelmRelease: ['apis/helm.toolkit.fluxcd.io/v2', 'helmreleases'],
  HelmChart: ['apis/source.toolkit.fluxcd.io/v1', 'helmcharts'],
  Revision: ['apis/serving.knative.dev/v1', 'revisions'],
  HTTPRoute: ['apis/gateway.networking.k8s.io/v1', 'httproutes'],
};

function resourceOf(kind: string): readonly [api: string, plural: string] {
  const found = RESOURCES[kind];
  if (found) return found;
  throw new Refusal('change-not-found', `Objects of kind ${kind} cannot be looked up in the cluster.`, {
    remedy: `Known kinds: ${Object.keys(RESOURCES).join(', ')}.`,
  });
}

/** Group (`''`: core) and plural of a kind, as Roles name them. */
export function rbacName(kind: string): { readonly group: string; readonly resource: string } {
  const [api, resource] = resourceOf(kind);
  return { group: api.startsWith('apis/') ? (api.split('/')[1] ?? '') : '', resource };
}

/** Path of a namespaced collection. */
export function collectionPath(kind: string, namespace: string): string {
  const [api, plural] = resourceOf(kind);
  return `/${api}/namespaces/${encodeURIComponent(namespace)}/${plural}`;
}

export function objectPath(object: ObjectRef & { readonly namespace: string }): string {
  return `${collectionPath(object.kind, object.namespace)}/${encodeURIComponent(object.name)}`;
}

/** A target's collection: `Service` is Knative's there, and the core one everywhere else. */
export function targetCollection({ kind, namespace }: Pick<TargetRef, 'kind' | 'namespace'>): string {
  return kind === 'Service'
    ? `/apis/serving.knative.dev/v1/namespaces/${encodeURIComponent(namespace)}/services`
    : collectionPath(kind, namespace);
}

export function targetPath(target: TargetRef): string {
  return `${targetCollection(target)}/${encodeURIComponent(target.name)}`;
}
