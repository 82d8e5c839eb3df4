import { parseAllDocuments } from 'yaml';
import type { RepositoryFiles } from '../build/repository-files.ts';

/** An object as it stands in a file, before anything is built from it. */
export interface Manifest {
  readonly path: string;
  /** Index of the document in the file. */
  readonly document: number;
  readonly object: Readonly<Record<string, unknown>>;
}

/** Alias bombs end here (yaml: maxAliasCount). */
const MAX_ALIASES = 100;
const MAX_FILES = 20_000;

/**
 * Every object in the YAML and JSON files of a tree that satisfies `wanted`, as it is written. What cannot be read
 * (templates, encrypted files, symlinks) is nobody's manifest here; whether Flux can read it, the build says.
 * @param mark a text that stands in every such file, so that others need not be parsed
 */
export async function manifestsIn(
  files: RepositoryFiles,
  { mark, wanted }: { readonly mark: string; readonly wanted: (object: Manifest['object']) => boolean },
): Promise<readonly Manifest[]> {
  await files.prefetch?.('');
  const found: Manifest[] = [];
  const pending = [''];
  let seen = 0;
  for (let folder = pending.shift(); folder !== undefined; folder = pending.shift()) {
    for (const { name, kind } of (await files.list(folder)) ?? []) {
      const path = folder === '' ? name : `${folder}/${name}`;
      if (kind === 'folder' && name !== 'node_modules') pending.push(path);
      if (kind !== 'file' || !/\.(?:ya?ml|json)$/.test(name)) continue;
      seen += 1;
      if (seen > MAX_FILES) return found;
      const blob = await files.read(path).catch(() => undefined);
      if (blob?.text.includes(mark) !== true) continue;
      found.push(...objectsIn(blob.text, path).filter(({ object }) => wanted(object)));
    }
  }
  return found;
}

/** Objects of Flux: Kustomizations, sources, HelmReleases and the like. */
export function fluxManifests(files: RepositoryFiles): Promise<readonly Manifest[]> {
  return manifestsIn(files, {
    mark: '.fluxcd.io/',
    wanted: ({ apiVersion }) =>
      typeof apiVersion === 'string' && /^[a-z.]+\.(?:toolkit|extensions)\.fluxcd\.io\//.test(apiVersion),
  });
}

function objectsIn(text: string, path: string): readonly Manifest[] {
  try {
    return parseAllDocuments(text, { uniqueKeys: false }).flatMap((each, document) => {
      if (each.errors.length > 0) return [];
      const object: unknown = each.toJS({ maxAliasCount: MAX_ALIASES });
      return isObject(object) ? [{ path, document, object }] : [];
    });
  } catch {
    return [];
  }
}

function isObject(value: unknown): value is Manifest['object'] {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
