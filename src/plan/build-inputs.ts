import { parseAllDocuments, parseDocument } from 'yaml';
import { Refusal } from '../rollout/verdict.ts';
import { isRemote, isYaml, join, KUSTOMIZATION_NAMES, normal } from './kustomize-walk.ts';
import { items, record, text } from './patch-reach.ts';
import type { RepositoryFiles } from '../build/repository-files.ts';

/** Every file that a build of a folder reads, or why they are not all at hand. */
export type BuildInputs =
  | { readonly kind: 'complete'; readonly files: ReadonlyMap<string, string> }
  | { readonly kind: 'incomplete'; readonly why: string };

/**
 * Gathers what kustomize will read: level by level, all files of a level at once, so that they are fetched together.
 * What is named and does not exist is left to the builder to complain about.
 */
export async function buildInputs(files: RepositoryFiles, folder: string): Promise<BuildInputs> {
  const gathering = new Gathering(files);
  try {
    await gathering.gather(normal(folder));
  } catch (error) {
    if (error instanceof OutOfReach) return { kind: 'incomplete', why: error.message };
    if (error instanceof Refusal && error.reason === 'unsupported-file') {
      return { kind: 'incomplete', why: error.message };
    }
    throw error;
  }
  return { kind: 'complete', files: gathering.texts };
}

/** Something that is not in the repository, or must not be read from beside it. */
class OutOfReach extends Error {}

interface Reference {
  readonly path: string;
  /** A file that may itself name files: the configuration of a generator or transformer. */
  readonly plugin?: boolean;
  /** A string that may be a path or anything else. */
  readonly perhaps?: boolean;
}

class Gathering {
  readonly texts = new Map<string, string>();
  private readonly files: RepositoryFiles;
  private readonly seen = new Set<string>();

  constructor(files: RepositoryFiles) {
    this.files = files;
  }

  async gather(root: string): Promise<void> {
    let pending = [root];
    while (pending.length > 0) {
      for (const folder of pending) this.seen.add(folder);
      const below = await Promise.all(pending.map(folder => this.folder(folder, folder === root)));
      pending = [...new Set(below.flat())].filter(folder => !this.seen.has(folder));
    }
  }

  /** @returns the folders that it builds upon */
  private async folder(folder: string, isRoot: boolean): Promise<readonly string[]> {
    const entries = (await this.files.list(folder)) ?? [];
    const name = KUSTOMIZATION_NAMES.find(candidate => entries.some(entry => entry.name === candidate));
    if (name === undefined) return isRoot ? await this.everything(folder) : [];
    const path = join(folder, name);
    const content = await this.take(path);
    const references = referencesOf(plain(() => parseDocument(content ?? '').toJS()));
    return await this.follow(folder, references);
  }

  /** Flux generator.go: without a kustomization all YAML files below are resources, and folders with one are bases. */
  private async everything(root: string): Promise<readonly string[]> {
    const bases: string[] = [];
    const paths: string[] = [];
    const pending = [root];
    for (let folder = pending.shift(); folder !== undefined; folder = pending.shift()) {
      const entries = (await this.files.list(folder)) ?? [];
      if (folder !== root && entries.some(({ name }) => KUSTOMIZATION_NAMES.includes(name))) {
        bases.push(folder);
        continue;
      }
      for (const { name, kind } of entries) {
        if (kind === 'folder') pending.push(join(folder, name));
        if (kind === 'file' && isYaml(name) && !isIgnored(name)) paths.push(join(folder, name));
      }
    }
    await Promise.all(paths.map(path => this.take(path)));
    return bases;
  }

  private async follow(folder: string, references: readonly Reference[]): Promise<readonly string[]> {
    const folders = await Promise.all(
      references.map(async ({ path: named, plugin, perhaps }): Promise<readonly string[]> => {
        const path = inside(folder, named, perhaps === true);
        if (path === undefined) return [];
        const content = await this.take(path);
        if (content === undefined) return perhaps ? [] : [path];
        if (!plugin) return [];
        const strings = parseAllDocuments(content).flatMap(document =>
          stringsIn(plain(() => document.toJS())),
        );
        return await this.follow(
          folder,
          strings.map(string => ({ path: string, perhaps: true })),
        );
      }),
    );
    return folders.flat();
  }

  private async take(path: string): Promise<string | undefined> {
    const known = this.texts.get(path);
    if (known !== undefined) return known;
    const blob = await this.files.read(path);
    if (blob) this.texts.set(path, blob.text);
    return blob?.text;
  }
}

/** What cannot be read names nothing; the builder will say so. */
function plain(read: () => unknown): unknown {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** Where a name leads to in the repository. @throws OutOfReach where it leads out of it. */
function inside(folder: string, named: string, perhaps: boolean): string | undefined {
  if (!perhaps && isRemote(named)) throw new OutOfReach(`${named} is not in this repository`);
  const joined = join(folder === '' ? '.' : folder, named);
  const leaves = named.startsWith('/') || joined === '..' || joined.startsWith('../');
  if (leaves && (!perhaps || named.includes('/'))) {
    throw new OutOfReach(
      `${named}, which ${folder || 'the root folder'} names, lies outside of the repository`,
    );
  }
  return leaves ? undefined : normal(joined);
}

/** What a kustomization names, by the fields of kustomize's api/types/kustomization.go. */
function referencesOf(kustomization: unknown): readonly Reference[] {
  const data = record(kustomization);
  const strings = (key: string): readonly string[] => items(data[key]).map(text).filter(isPath);
  const fields = (key: string, field: string): readonly string[] =>
    items(data[key])
      .map(item => text(record(item)[field]))
      .filter(isPath);
  const generated = ['configMapGenerator', 'secretGenerator'].flatMap(key =>
    items(data[key]).flatMap(item => {
      const { files, envs, env } = record(item);
      const sources = items(files).map(text);
      return [
        ...sources.map(source => source.slice(source.indexOf('=') + 1)),
        ...items(envs).map(text),
        text(env),
      ];
    }),
  );
  return [
    ...['resources', 'bases', 'components', 'crds', 'configurations', 'patchesStrategicMerge'].flatMap(
      strings,
    ),
    ...['patches', 'patchesJson6902', 'replacements'].flatMap(key => fields(key, 'path')),
    ...[text(record(data['openapi'])['path']), ...generated].filter(isPath),
  ]
    .map((path): Reference => ({ path }))
    .concat(
      ['generators', 'transformers', 'validators'].flatMap(strings).map(path => ({ path, plugin: true })),
    );
}

/** Several fields take text in place of a path. */
function isPath(value: string): boolean {
  return value !== '' && !value.includes('\n');
}

function stringsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return isPath(value) ? [value.slice(value.indexOf('=') + 1)] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(stringsIn);
}

/** source-controller: YAML files that are never part of an artifact, unless a .sourceignore says otherwise. */
export function isIgnored(name: string): boolean {
  return /^(?:\.travis|\.gitlab-ci|appveyor|\.drone|cloudbuild|codeship-(?:services|steps)|\.goreleaser|\.sops|\.flux)\.ya?ml$/.test(
    name,
  );
}
