import { unhashed } from '../../rollout/name-hash.ts';
import { generatorsOf } from '../generator-inputs.ts';
import { builtName, type Site } from '../locate.ts';
import type { RepositoryFiles } from '../../build/repository-files.ts';
import type { ValuePlace } from '../value-setter.ts';
import { YamlText } from '../../edit/yaml-text.ts';
import { effectiveObject } from './effective-object.ts';
import { at, itemsOf, merge, scalarText, type Tracked, track } from './tracked.ts';

export interface HelmValues {
  /** As Flux merges them; undefined when a HelmRelease gives none. */
  readonly tree: Tracked | undefined;
  /** Sources of values that cannot be looked into, in words. */
  readonly unseen: readonly string[];
}

interface Reference {
  readonly kind: string;
  readonly name: string;
  readonly key: string;
  readonly targetPath: string | undefined;
}

/**
 * The values of a HelmRelease, each with the place that sets it: those of `valuesFrom` in their order, then its own
 * (helm-controller, chartutil.ChartValuesFromReferences).
 */
export async function helmValues(
  release: Tracked,
  on: { readonly site: Site; readonly objects: readonly Site[]; readonly files: RepositoryFiles },
): Promise<HelmValues> {
  const unseen: string[] = [];
  let tree: Tracked | undefined;
  for (const reference of itemsOf(at(release, ['spec', 'valuesFrom'])).map(referenceOf)) {
    const found = await referenced(reference, on);
    if (typeof found === 'string') unseen.push(found);
    else tree = merge(tree, found, { nullRemoves: false });
  }
  const own = at(release, ['spec', 'values']);
  if (own) tree = merge(tree, own, { nullRemoves: false });
  return { tree, unseen };
}

/** Whether a HelmRelease takes values from an object, whose name may have a hash in the build. */
export function takesValuesFrom(release: Tracked, kind: string, name: string): boolean {
  return itemsOf(at(release, ['spec', 'valuesFrom'])).some(item => {
    const reference = referenceOf(item);
    return reference.kind === kind && (reference.name === name || reference.name === unhashed(name));
  });
}

function referenceOf(item: Tracked): Reference {
  return {
    kind: scalarText(at(item, ['kind'])) ?? '',
    name: scalarText(at(item, ['name'])) ?? '',
    key: scalarText(at(item, ['valuesKey'])) ?? 'values.yaml',
    targetPath: scalarText(at(item, ['targetPath'])),
  };
}

async function referenced(
  reference: Reference,
  on: Parameters<typeof helmValues>[1],
): Promise<Tracked | string> {
  const { kind, name, key, targetPath } = reference;
  const words = `${kind} ${name} (key ${key})`;
  const object = on.objects.find(site => site.data['kind'] === kind && builtName(site) === name);
  if (!object) {
    return (await generated(reference, on)) ?? `${words}, which is not in what the same Kustomization builds`;
  }
  const data = at(effectiveObject(object), [kind === 'Secret' ? 'stringData' : 'data', key]);
  const text = scalarText(data);
  if (!data || text === undefined) return `${words}, which holds no plain text (${object.file.path})`;
  if (text.startsWith('ENC[')) return `${words}, which is encrypted (${object.file.path})`;
  if (data.at.inline) return `${words}, which is set by a patch within a patch (${data.at.file.path})`;
  return targetPath === undefined ? parsedAt(text, data.at) : nested(targetPath, data);
}

/** The text of a key, as values whose places lie within that text. */
function parsedAt(text: string, place: ValuePlace): Tracked {
  const content = new YamlText(`${place.file.path} (values)`, text).data(0) ?? {};
  return track(content, path => ({ ...place, inline: { path } }));
}

/** A single value, at the path in the values that it is meant for. */
function nested(targetPath: string, value: Tracked): Tracked {
  return targetPath
    .split('.')
    .reduceRight<Tracked>(
      (inner, key) => ({ kind: 'map', entries: new Map([[key, inner]]), at: value.at }),
      value,
    );
}

/** A file that a kustomization makes a ConfigMap of; the outermost that has the key wins (behavior: merge, replace). */
async function generated(
  { kind, name, key, targetPath }: Reference,
  on: Parameters<typeof helmValues>[1],
): Promise<Tracked | undefined> {
  const root = on.site.layers[0];
  if (!root || targetPath !== undefined) return undefined;
  const sources = generatorsOf(root)
    .filter(generator => generator.kind === kind && generator.builtName === name)
    .flatMap(generator => generator.sources);
  const path = sources.find(({ as }) => 'key' in as && as.key === key)?.path;
  const blob = path === undefined ? undefined : await on.files.read(path);
  if (path === undefined || !blob) return undefined;
  const file = new YamlText(path, blob.text);
  const shared = root.folder !== '' && !path.startsWith(`${root.folder}/`);
  return track(file.data(0) ?? {}, at => ({ file, document: 0, path: at, shared }));
}
