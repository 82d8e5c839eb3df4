import { posix } from 'node:path';
import { parseDocument, stringify } from 'yaml';
import { isYaml, join, KUSTOMIZATION_NAMES } from './kustomize-walk.ts';
import { items, record, text } from './patch-reach.ts';

/** What a Flux Kustomization adds to the folder that it applies. */
export interface FluxAdditions {
  readonly targetNamespace?: string;
  /** Its spec, where its manifest is known. */
  readonly spec: Readonly<Record<string, unknown>>;
}

/**
 * The files as Flux builds them: kustomize-controller writes the additions into the folder's kustomization, and a
 * kustomization where there is none (fluxcd/pkg kustomize/kustomize_generator.go).
 */
export function asFluxBuilds(
  files: ReadonlyMap<string, string>,
  folder: string,
  additions: FluxAdditions,
): ReadonlyMap<string, string> {
  const path = KUSTOMIZATION_NAMES.map(name => join(folder, name)).find(candidate => files.has(candidate));
  const added = additionsTo(additions);
  if (path !== undefined && Object.keys(added).length === 0) return files;
  const own =
    path === undefined
      ? { resources: resourcesBelow(files, folder) }
      : record(parseDocument(files.get(path) ?? '').toJS());
  const images = items(added['images']).map(record);
  const replaced = items(own['images']).map(
    image => images.find(({ name }) => name === record(image)['name']) ?? image,
  );
  const merged = {
    ...own,
    ...added,
    ...joined('patches', own, added),
    ...joined('components', own, added),
    ...(images.length > 0
      ? { images: [...replaced, ...images.filter(image => !replaced.includes(image))] }
      : {}),
  };
  return new Map([...files, [path ?? join(folder, 'kustomization.yaml'), stringify(merged)]]);
}

function additionsTo({ spec, targetNamespace }: FluxAdditions): Readonly<Record<string, unknown>> {
  const given = ['namePrefix', 'nameSuffix', 'patches', 'components', 'images'].filter(
    key => spec[key] !== undefined && spec[key] !== null,
  );
  return {
    ...Object.fromEntries(given.map(key => [key, spec[key]])),
    ...(targetNamespace === undefined ? {} : { namespace: targetNamespace }),
  };
}

function joined(
  key: string,
  own: Readonly<Record<string, unknown>>,
  added: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const all = [...items(own[key]), ...items(added[key])];
  return all.length > 0 ? { [key]: all } : {};
}

function resourcesBelow(files: ReadonlyMap<string, string>, folder: string): readonly string[] {
  const prefix = folder === '' ? '' : `${folder}/`;
  const below = [...files.keys()].filter(path => path.startsWith(prefix));
  const bases = below
    .filter(path => KUSTOMIZATION_NAMES.includes(posix.basename(path)))
    .map(path => posix.dirname(path))
    // The outermost of those that lie in each other.
    .filter((base, _, all) => !all.some(other => base.startsWith(`${other}/`)));
  const plain = below.filter(path => isYaml(path) && !bases.some(base => path.startsWith(`${base}/`)));
  return [...plain, ...bases].map(path => text(path).slice(prefix.length)).toSorted();
}
