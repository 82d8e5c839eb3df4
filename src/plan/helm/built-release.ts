import type { Expectation } from '../../rollout/expectation.ts';
import { rolloutIdsIn } from '../../rollout/rollout-ids.ts';
import { Refusal } from '../../rollout/verdict.ts';
import {
  type BuiltObject,
  builtObject,
  type ChangedObject,
  type Difference,
  differences,
  documentsOf,
} from '../built-objects.ts';
import { record, text } from '../patch-reach.ts';
import type { HelmSite } from './helm-site.ts';
import { takesValuesFrom } from './helm-values.ts';

/** What a release may change of a HelmRelease. */
const OWN_FIELDS: readonly (readonly string[])[] = [
  ['spec', 'values'],
  ['spec', 'postRenderers'],
  ['spec', 'chart', 'spec', 'version'],
];

/**
 * How a changed object belongs to a release by Helm: it is the HelmRelease, or holds values of it. Undefined when it does
 * not; else the differences that no release means.
 */
export function changeOfRelease(
  { before, after }: ChangedObject,
  releases: readonly HelmSite[],
): readonly Difference[] | undefined {
  const object = after ?? before;
  if (!object) return undefined;
  if (releases.some(helm => takesValuesFrom(helm.object, object.kind, object.name))) return [];
  if (!releases.some(helm => isRelease(object, helm))) return undefined;
  return differences(before?.data, after?.data).filter(
    ({ path }) => !OWN_FIELDS.some(field => field.every((key, index) => path[index] === key)),
  );
}

function isRelease({ kind, name, namespace }: BuiltObject, { release }: HelmSite): boolean {
  const inNamespace = namespace === undefined || namespace === release.namespace;
  return kind === 'HelmRelease' && name === release.name && inNamespace;
}

/** @throws Refusal `chain-broken` when the build of the HelmRelease does not hold the rollout's id, or another chart. */
export function proveRelease(
  build: { readonly text: string; readonly by: string },
  helm: HelmSite,
  on: { readonly id: string | undefined; readonly expectations: readonly Expectation[] },
): void {
  const built = documentsOf(build.text)
    .filter(document => document.includes('kind: HelmRelease'))
    .map(builtObject)
    .find(object => isRelease(object, helm));
  const spec = record(built?.data['spec']);
  if (on.id !== undefined && !rolloutIdsIn([spec['postRenderers'], spec['values']]).includes(on.id)) {
    throw broken(helm, `${build.by} builds no id of the rollout into it`);
  }
  const version = text(record(record(spec['chart'])['spec'])['version']);
  const { namespace, name } = helm.release;
  for (const each of on.expectations) {
    if (each.kind !== 'chart' || each.release.name !== name || each.release.namespace !== namespace) continue;
    if (version === each.version) continue;
    throw broken(
      helm,
      `${build.by} builds ${version || 'none'} as the version of its chart, not ${each.version}`,
    );
  }
}

function broken(helm: HelmSite, what: string): Refusal {
  return new Refusal('chain-broken', `The release would not reach ${helm.name}: ${what}.`, {
    remedy: 'Look for a patch, a component or a transformer that wins over its manifest.',
  });
}
