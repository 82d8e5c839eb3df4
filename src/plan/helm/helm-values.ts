import { z } from 'zod';
import { join } from '../kustomize-walk.ts';
import type { Layer } from '../layer.ts';
import { builtName, type Site } from '../locate.ts';
import type { RepositoryFiles } from '../plan.ts';
import type { ValuePlace } from '../value-setter.ts';
import { YamlText } from '../yaml-text.ts';
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

const generatorsSchema = z
  .array(z.looseObject({ name: z.string(), files: z.array(z.string()).nullish() }))
  .nullish()
  .catch([]);
const kustomizationSchema = z
  .looseObject({ configMapGenerator: generatorsSchema, secretGenerator: generatorsSchema })
  .catch({ configMapGenerator: [], secretGenerator: [] });

/** A file that a kustomization makes a ConfigMap of; the outermost that has the key wins (behavior: merge, replace). */
async function generated(
  { kind, name, key, targetPath }: Reference,
  on: Parameters<typeof helmValues>[1],
): Promise<Tracked | undefined> {
  const root = on.site.layers[0];
  if (!root || targetPath !== undefined) return undefined;
  const field = kind === 'Secret' ? 'secretGenerator' : 'configMapGenerator';
  for (const { layer, nameOf } of layersFrom(root)) {
    const data = kustomizationSchema.parse(layer.kustomization?.data(0) ?? {});
    const files = (data[field] ?? [])
      .filter(each => nameOf(each.name) === name)
      .flatMap(each => each.files ?? []);
    const path = files.map(keyAndPath).find(each => each.key === key)?.path;
    if (path === undefined) continue;
    const full = join(layer.folder, path);
    const blob = await on.files.read(full);
    if (!blob) continue;
    const file = new YamlText(full, blob.text);
    const shared = root.folder !== '' && !full.startsWith(`${root.folder}/`);
    return track(file.data(0) ?? {}, at => ({ file, document: 0, path: at, shared }));
  }
  return undefined;
}

/** From the outside in, each with what it makes of a name. */
function layersFrom(
  layer: Layer,
  outer: (name: string) => string = name => name,
): readonly { readonly layer: Layer; readonly nameOf: (name: string) => string }[] {
  const nameOf = (name: string): string => outer(`${layer.namePrefix}${name}${layer.nameSuffix}`);
  return [{ layer, nameOf }, ...layer.children.flatMap(child => layersFrom(child, nameOf))];
}

/** `values.yaml=shop-values.yaml`, or the path alone, whose last part is the key. */
function keyAndPath(entry: string): { readonly key: string; readonly path: string } {
  const [key = '', path] = entry.split('=', 2);
  return path === undefined ? { key: key.slice(key.lastIndexOf('/') + 1), path: key } : { key, path };
}
