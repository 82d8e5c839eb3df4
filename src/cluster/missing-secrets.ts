import type { RenderedObject } from '../plan/plan.ts';
import { ifAllowed } from './cluster-errors.ts';
import type { KubeClient } from './kube-client.ts';
import { objectPath } from './resources.ts';

/**
 * Secrets that rendered objects name and that are not there, as `namespace/name`; none where they may not be looked at.
 * @throws ClusterUnavailable.
 */
export async function missingSecrets(
  kube: KubeClient,
  objects: readonly RenderedObject[],
): Promise<readonly string[]> {
  const wanted = new Set(objects.flatMap(object => secretOf(object) ?? []));
  const missing = await Promise.all(
    [...wanted].map(async key => {
      const [namespace = '', name = ''] = key.split('/');
      const path = objectPath({ kind: 'Secret', namespace, name });
      const there = await ifAllowed(async () => (await kube.get(path)) !== undefined, true);
      return there ? undefined : key;
    }),
  );
  return missing.filter(key => key !== undefined);
}

/** `spec.secretRef` of an AlertProvider, `spec.provider.secretRef` of a MetricTemplate; in the object's own namespace. */
function secretOf({ spec, metadata }: RenderedObject): string | undefined {
  const own = at(spec, 'secretRef') ?? at(at(spec, 'provider'), 'secretRef');
  const name = at(own, 'name');
  return typeof name === 'string' ? `${metadata.namespace}/${name}` : undefined;
}

function at(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null
    ? Object.entries(value).find(([name]) => name === key)?.[1]
    : undefined;
}
