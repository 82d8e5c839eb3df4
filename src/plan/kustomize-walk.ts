import { posix } from 'node:path';
import { isMap, parseAllDocuments, parseDocument } from 'yaml';
import { z } from 'zod';
import { folderOf } from '../config/folder-path.ts';
import { Refusal } from '../rollout/verdict.ts';
import type { ImageEntry, Layer, Patch, PatchTarget } from './layer.ts';
import type { RepositoryFiles } from '../build/repository-files.ts';
import { YamlText } from '../edit/yaml-text.ts';

export const KUSTOMIZATION_NAMES = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];
const MAX_DEPTH = 20;

const text = z.union([z.string(), z.number()]).transform(String);
const patchSchema = z
  .array(
    z.looseObject({
      path: z.string().optional(),
      patch: z.string().optional(),
      target: z
        .looseObject({
          group: z.string().optional(),
          version: z.string().optional(),
          kind: z.string().optional(),
          name: z.string().optional(),
          namespace: z.string().optional(),
          labelSelector: z.string().optional(),
          annotationSelector: z.string().optional(),
        })
        .optional(),
    }),
  )
  .nullish()
  .catch([]);
export const kustomizationSchema = z
  .looseObject({
    namespace: z.string().optional().catch(undefined),
    namePrefix: z.string().optional().catch(undefined),
    nameSuffix: z.string().optional().catch(undefined),
    resources: z.array(z.string()).nullish().catch([]),
    bases: z.array(z.string()).nullish().catch([]),
    components: z.array(z.string()).nullish().catch([]),
    images: z
      .array(
        z.looseObject({
          name: z.string(),
          newName: z.string().optional(),
          newTag: text.optional(),
          digest: z.string().optional(),
        }),
      )
      .nullish()
      .catch([]),
    patches: patchSchema,
    patchesJson6902: patchSchema,
    patchesStrategicMerge: z.array(z.string()).nullish().catch([]),
  })
  .catch({});

/**
 * Walks what Flux builds from a folder: resources, patches and image entries of every kustomization, bases outside
 * the folder included. Remote resources are passed over; they are nobody's to edit.
 * @throws Refusal `tree-broken` when a file that is named does not exist, `unsupported-file` for what is no YAML.
 */
export async function walkKustomization(files: RepositoryFiles, folder: string): Promise<Layer> {
  const root = folderOf(folder);
  await files.prefetch?.(root);
  return await new Walk(files).layer(root, 0);
}

export type Kustomized = z.infer<typeof kustomizationSchema>;

export function imageEntries(images: Kustomized['images']): readonly ImageEntry[] {
  return (images ?? []).map(({ name, newName, newTag, digest }, index) => ({
    index,
    name,
    ...(newName === undefined ? {} : { newName }),
    ...(newTag === undefined ? {} : { newTag }),
    ...(digest === undefined ? {} : { digest }),
  }));
}

const TARGET_FIELDS = [
  'group',
  'version',
  'kind',
  'name',
  'namespace',
  'labelSelector',
  'annotationSelector',
] as const;

export function chosen(
  target: NonNullable<NonNullable<Kustomized['patches']>[number]['target']>,
): PatchTarget {
  const given = TARGET_FIELDS.filter(field => target[field] !== undefined);
  return Object.fromEntries(given.map(field => [field, target[field]]));
}

class Walk {
  private readonly files: RepositoryFiles;
  private readonly read = new Map<string, Promise<YamlText | undefined>>();

  constructor(files: RepositoryFiles) {
    this.files = files;
  }

  async layer(folder: string, depth: number): Promise<Layer> {
    if (depth > MAX_DEPTH) throw broken(folder, 'kustomizations are nested too deeply, perhaps in a circle');
    const entries = await this.files.list(folder);
    if (entries === undefined) throw broken(folder, 'the folder does not exist');
    const name = KUSTOMIZATION_NAMES.find(candidate => entries.some(entry => entry.name === candidate));
    if (name === undefined) return await this.generated(folder, depth);
    const kustomization = await this.file(join(folder, name));
    if (kustomization === undefined) throw broken(folder, `${name} cannot be read`);
    const data = kustomizationSchema.parse(kustomization.data(0) ?? {});
    const named = [...(data.resources ?? []), ...(data.bases ?? [])];
    const remote = named.filter(isRemote);
    const resources: YamlText[] = [];
    const children: Layer[] = [];
    await this.readAll(named.filter(each => !isRemote(each)).map(each => normal(join(folder, each))));
    for (const resource of named.filter(each => !isRemote(each))) {
      const path = normal(join(folder, resource));
      if (isYaml(path)) {
        const file = await this.file(path);
        if (file === undefined) throw broken(folder, `${resource} does not exist`);
        resources.push(file);
      } else {
        children.push(await this.layer(path, depth + 1));
      }
    }
    const components: Layer[] = [];
    for (const component of (data.components ?? []).filter(each => !isRemote(each))) {
      components.push(await this.layer(normal(join(folder, component)), depth + 1));
    }
    return {
      folder,
      kustomization,
      ...(data.namespace === undefined ? {} : { namespace: data.namespace }),
      namePrefix: data.namePrefix ?? '',
      nameSuffix: data.nameSuffix ?? '',
      images: imageEntries(data.images),
      patches: await this.patches(folder, data),
      resources,
      children,
      components,
      ...(remote.length > 0 ? { remote } : {}),
    };
  }

  /** Flux generator.go: without a kustomization all YAML files below are resources, and folders with one are bases. */
  private async generated(folder: string, depth: number): Promise<Layer> {
    const resources: YamlText[] = [];
    const children: Layer[] = [];
    const pending = [folder];
    for (let current = pending.shift(); current !== undefined; current = pending.shift()) {
      const entries = (await this.files.list(current)) ?? [];
      if (current !== folder && entries.some(({ name }) => KUSTOMIZATION_NAMES.includes(name))) {
        children.push(await this.layer(current, depth + 1));
        continue;
      }
      await this.readAll(
        entries.filter(({ kind }) => kind === 'file').map(({ name }) => join(current, name)),
      );
      for (const { name, kind } of entries) {
        const path = join(current, name);
        if (kind === 'folder') pending.push(path);
        if (kind !== 'file' || !isYaml(path)) continue;
        const file = await this.file(path);
        if (file) resources.push(file);
      }
    }
    return { folder, namePrefix: '', nameSuffix: '', images: [], patches: [], resources, children };
  }

  private async patches(
    folder: string,
    data: z.infer<typeof kustomizationSchema>,
  ): Promise<readonly Patch[]> {
    const all: Patch[] = [];
    for (const [index, path] of (data.patchesStrategicMerge ?? []).entries()) {
      all.push(
        ...(path.includes('\n')
          ? parseAllDocuments(path).map(
              (document): Patch => ({
                at: { kind: 'inline', path: ['patchesStrategicMerge', index] },
                content: document.toJS(),
              }),
            )
          : await this.filePatches(folder, path, undefined)),
      );
    }
    // kustomize api/internal/target/kusttarget.go: operations of the old form come last.
    for (const list of ['patches', 'patchesJson6902'] as const) {
      for (const [index, { path, patch, target }] of (data[list] ?? []).entries()) {
        const only = target && chosen(target);
        if (patch !== undefined) {
          const content: unknown = parseDocument(patch).toJS();
          const at = { kind: 'inline', path: [list, index, 'patch'] } as const;
          all.push({ at, content, ...(only ? { target: only } : {}) });
        } else if (path !== undefined) {
          all.push(...(await this.filePatches(folder, path, only)));
        }
      }
    }
    return all;
  }

  private async filePatches(
    folder: string,
    path: string,
    target: Patch['target'],
  ): Promise<readonly Patch[]> {
    const file = await this.file(normal(join(folder, path)));
    if (file === undefined) throw broken(folder, `the patch ${path} does not exist`);
    return file.documents.map((_, document) => ({
      at: { kind: 'file', file, document },
      content: file.data(document),
      ...(target ? { target } : {}),
    }));
  }

  /** All at once, so that they may be fetched together; whoever needs one of them hears of what went wrong with it. */
  private async readAll(paths: readonly string[]): Promise<void> {
    await Promise.allSettled(paths.filter(isYaml).map(path => this.file(path)));
  }

  private file(path: string): Promise<YamlText | undefined> {
    const known = this.read.get(path);
    if (known) return known;
    const reading = this.files.read(path).then(blob => (blob ? new YamlText(path, blob.text) : undefined));
    this.read.set(path, reading);
    return reading;
  }
}

/** Index of a folder's kustomization's key `resources`, for adding one. */
export function hasResources(kustomization: YamlText): boolean {
  const contents = kustomization.documents[0]?.contents;
  return isMap(contents) && contents.has('resources');
}

function broken(folder: string, what: string): Refusal {
  const where = folder === '' ? 'the root folder' : folder;
  return new Refusal('tree-broken', `What Flux builds from ${where} cannot be followed: ${what}.`, {
    remedy: 'Mend the folder so that Flux can build it, then run this again.',
  });
}

export function join(folder: string, path: string): string {
  return posix.join(folder, path);
}

export function normal(path: string): string {
  const result = posix.normalize(path).replace(/^(?:\.?\/)+|\/+$/g, '');
  return result === '.' ? '' : result;
}

export function isYaml(path: string): boolean {
  return /\.ya?ml$/i.test(path);
}

/** kustomize api/internal/git/repospec.go: what it would clone or download. */
export function isRemote(resource: string): boolean {
  return (
    /^(?:[a-z][a-z0-9+.-]*:\/\/|[\w-]+@|git::|github\.com[/:])/.test(resource) ||
    /\?(?:.*&)?(?:ref|version)=|\.git(?:\/|$)|\/_git\//.test(resource)
  );
}
