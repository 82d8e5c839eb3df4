import { objectKey } from '../rollout/live-value.ts';
import { unhashed } from '../rollout/name-hash.ts';
import type { FluxChain, TargetView } from '../rollout/observation.ts';
import type { ObjectRef, ObservedObject, TargetKey, TargetRef } from '../rollout/target.ts';
import { asking } from './cluster-errors.ts';
import { configMapsOf } from './config-references.ts';
import type { KubeClient } from './kube-client.ts';
import { parseSecret } from './parse-secret.ts';
import { objectPath, targetPath } from './resources.ts';

export interface Watched {
  readonly targets: readonly TargetRef[];
  readonly chains: Readonly<Record<TargetKey, FluxChain>>;
  readonly objects: readonly ObservedObject[];
}

/** Objects beside the targets, by their keys; null where there is none. */
type Read = readonly (readonly [key: string, object: unknown])[];

/** Those that changes name. @throws ClusterForbidden, ClusterUnavailable. */
export async function readNamed(kube: KubeClient, watched: Watched): Promise<Read> {
  const named = watched.objects.flatMap(object => ('referenced' in object ? [] : [object]));
  return await Promise.all(
    named.map(async object => {
      const namespace = namespaceOf(object, watched);
      const path = pathOfObject({ ...object, namespace }, watched.targets);
      const found = await asking(() => kube.get(path));
      return [objectKey(object), found === undefined ? null : shownOf(object, found)] as const;
    }),
  );
}

/** The ConfigMaps that the targets, as they are now, refer to. @throws ClusterForbidden, ClusterUnavailable. */
export async function readReferenced(
  kube: KubeClient,
  { objects, targets }: Watched,
  views: readonly TargetView[],
): Promise<Read> {
  if (!objects.some(object => 'referenced' in object)) return [];
  const all = await Promise.all(targets.map((target, index) => readConfigs(kube, target, views[index])));
  return all.flat();
}

/** Of a Secret its version alone: an annotation of kubectl's may hold all of it. */
function shownOf({ kind }: ObjectRef, object: unknown): unknown {
  return kind === 'Secret' ? parseSecret(object) : object;
}

/** The ConfigMaps of a pod template, by their names with and without a hash of their content. */
async function readConfigs(
  kube: KubeClient,
  { namespace }: TargetRef,
  view: TargetView | undefined,
): Promise<Read> {
  const names = configMapsOf(view?.target?.template);
  const found = await Promise.all(
    names.map(async name => {
      const object = await asking(() => kube.get(objectPath({ kind: 'ConfigMap', namespace, name })));
      return { name, object: object ?? null };
    }),
  );
  const keyed = (nameOf: (name: string) => string) =>
    found.map(
      ({ name, object }) =>
        [objectKey({ kind: 'ConfigMap', namespace, name: nameOf(name) }), object] as const,
    );
  // Later ones win: a name that is written so, over one that is so only without its hash.
  return [...keyed(unhashed), ...keyed(name => name)];
}

/** A HelmRelease may be in another namespace than what it installs. */
function namespaceOf(object: ObjectRef, { targets, chains }: Watched): string {
  const link = Object.values(chains)
    .flatMap(({ links }) => links)
    .find(({ kind, view }) => kind === object.kind && view.name === object.name);
  return object.namespace ?? link?.view.namespace ?? targets[0]?.namespace ?? 'default';
}

/** `Service/hello` of an `at` change is the Knative one where that is what is released. */
function pathOfObject(
  object: ObjectRef & { readonly namespace: string },
  targets: readonly TargetRef[],
): string {
  const target = targets.find(
    ({ kind, namespace, name }) =>
      kind === object.kind && namespace === object.namespace && name === object.name,
  );
  return target ? targetPath(target) : objectPath(object);
}
