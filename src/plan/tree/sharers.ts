import { posix } from 'node:path';
import { arrivalsOf, type Dye } from '../../build/dye.ts';
import { type FluxObject, fluxObjectsIn, pathsOf } from '../../build/flux-objects.ts';
import { record, text } from '../../build/json.ts';
import { isYamlFile } from '../../edit/places.ts';
import { scalarsOf } from '../../edit/scalar-file.ts';
import type { SourceView } from '../../rollout/observation.ts';
import { type Applied, folderIn, isFluxKustomization, wordsOf } from './applied.ts';
import type { FluxTree, Overlay } from './flux-tree.ts';
import { dyedOverlay } from './origins.ts';

export const KUSTOMIZATION_NAMES = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

/** Something else in the repository that is built from the same files. */
export interface Sharer {
  /** `Kustomization flux-system/staging (clusters/staging/apps.yaml)`, or a folder that no Kustomization here applies. */
  readonly words: string;
  readonly applied: Applied;
}

interface Others {
  readonly kustomizations: readonly Sharer[];
  readonly folders: readonly Sharer[];
}

/** Who else builds a file: other Kustomizations of Flux in the repository, and folders that build upon it. */
export class Sharers {
  private readonly tree: FluxTree;
  private readonly ours: readonly Applied[];
  private readonly source: Pick<SourceView, 'url' | 'branch'>;
  private readonly found = new Map<string, Promise<readonly Sharer[]>>();
  private others: Promise<Others> | undefined;
  private readonly reaches = new Map<string, Promise<ReadonlySet<string>>>();
  private known:
    | Promise<{ readonly paths: ReadonlySet<string>; readonly flux: readonly FluxObject[] }>
    | undefined;

  constructor(on: {
    readonly tree: FluxTree;
    /** Those that bring the targets, and what brings them. */
    readonly ours: readonly Applied[];
    readonly source: Pick<SourceView, 'url' | 'branch'>;
  }) {
    this.tree = on.tree;
    this.ours = on.ours;
    this.source = on.source;
  }

  /** What else is built from a file. */
  of(path: string): Promise<readonly Sharer[]> {
    const known = this.found.get(path) ?? this.findAnew(path);
    this.found.set(path, known);
    return known;
  }

  private async findAnew(path: string): Promise<readonly Sharer[]> {
    const sharing: Sharer[] = [];
    for (const sharer of await this.candidates(path)) {
      const build = await this.tree.build(sharer.applied);
      // What cannot be built here may well be built by Flux.
      if (build.kind === 'unsupported' || (build.kind === 'built' && build.reached.has(path)))
        sharing.push(sharer);
    }
    return sharing;
  }

  /** Those in which a dye arrives. */
  async reachedBy(dyes: readonly Dye[]): Promise<readonly Sharer[]> {
    const files = [...new Set(dyes.map(({ place }) => place.file))];
    const sharing = new Set((await Promise.all(files.map(path => this.of(path)))).flat());
    if (sharing.size === 0) return [];
    const overlay: Overlay = await dyedOverlay(this.tree, dyes);
    const found: Sharer[] = [];
    for (const sharer of sharing) {
      const build = await this.tree.build(sharer.applied, overlay);
      // What a dye breaks is made of it.
      if (build.kind !== 'built' || arrivalsOf(build.objects, dyes).length > 0) found.push(sharer);
    }
    return found;
  }

  /** By what files name, which is more than what is built. */
  private async candidates(path: string): Promise<readonly Sharer[]> {
    this.others ??= this.findOthers();
    const { kustomizations, folders } = await this.others;
    const fitting: Sharer[] = [];
    for (const sharer of kustomizations) {
      if ((await this.mayReach(folderIn(sharer.applied.spec))).has(path)) fitting.push(sharer);
    }
    const below: Sharer[] = [];
    for (const sharer of folders) {
      if ((await this.mayReach(folderIn(sharer.applied.spec))).has(path)) below.push(sharer);
    }
    return [...fitting, ...(await this.outermost(below))];
  }

  /** Kustomizations of Flux that are none of ours, and folders that none of them is known to apply. */
  private async findOthers(): Promise<Others> {
    const { flux, paths } = await this.all();
    const kustomizations = (await this.otherKustomizations(flux)).map(applied => ({
      words: `${wordsOf(applied)} (${manifestOf(applied)})`,
      applied,
    }));
    const applied = await this.appliedFiles(kustomizations.map(sharer => sharer.applied));
    const folders = [...paths]
      .filter(file => isKustomization(file) && !applied.has(file))
      .map(file => folderSharer(folderOf(file), this.tree));
    return { kustomizations, folders };
  }

  /** Everything that some Kustomization of Flux is built from. */
  private async appliedFiles(others: readonly Applied[]): Promise<ReadonlySet<string>> {
    const all = new Set<string>();
    for (const { spec } of [...others, ...this.ours]) {
      for (const path of await this.mayReach(folderIn(spec))) all.add(path);
    }
    return all;
  }

  private async outermost(folders: readonly Sharer[]): Promise<readonly Sharer[]> {
    const inner = new Set<string>();
    for (const { applied } of folders) {
      const own = folderIn(applied.spec);
      for (const path of await this.mayReach(own)) {
        if (folderOf(path) !== own) inner.add(folderOf(path));
      }
    }
    return folders.filter(({ applied }) => !inner.has(folderIn(applied.spec)));
  }

  private async otherKustomizations(flux: readonly FluxObject[]): Promise<readonly Applied[]> {
    const own = await Promise.all(this.ours.map(async of => ({ of, path: await this.pathOfManifest(of) })));
    return flux
      .filter(
        ({ kind, data }) =>
          kind === 'Kustomization' && record(record(data['spec'])['sourceRef'])['name'] !== undefined,
      )
      .filter(each => !own.some(({ of, path }) => isSame(of, path, each)) && this.isFromHere(each, flux))
      .map(({ namespace, name, path, data }) => ({
        namespace,
        name,
        files: this.tree.files,
        isOurs: true,
        artifact: this.ours[0]?.artifact ?? {},
        spec: record(data['spec']),
        definedBy: { file: path },
      }));
  }

  /** The file of the manifest of one of ours, where the tree says which it is. */
  private async pathOfManifest({ definedBy, ...of }: Applied): Promise<string | undefined> {
    if (!definedBy) return undefined;
    if ('file' in definedBy) return definedBy.file;
    const above = await this.tree.build(definedBy.by);
    return above.kind === 'built'
      ? above.objects.find(object => isFluxKustomization(object, of))?.origin?.path
      : undefined;
  }

  /** Whether it takes its files from our branch, as far as the repository says. */
  private isFromHere({ data, namespace }: FluxObject, flux: readonly FluxObject[]): boolean {
    const ref = record(record(data['spec'])['sourceRef']);
    const sources = flux.filter(
      ({ kind, name, namespace: of }) =>
        kind === ref['kind'] && name === ref['name'] && of === (text(ref['namespace']) || namespace),
    );
    if (sources.length === 0) return ref['kind'] === 'GitRepository';
    return sources.some(({ data: source }) => {
      const { url, ref: at } = record(source['spec']);
      const branch = text(record(at)['branch']);
      const isBranch = this.source.branch === undefined || branch === '' || branch === this.source.branch;
      return isBranch && (this.source.url === '' || plainUrl(text(url)) === plainUrl(this.source.url));
    });
  }

  private all() {
    this.known ??= this.read();
    return this.known;
  }

  private async read() {
    const paths = await pathsOf(this.tree.files);
    const texts = await Promise.all(
      paths.filter(isYamlFile).map(async path => ({ path, content: (await this.tree.text(path)) ?? '' })),
    );
    return {
      paths: new Set(paths),
      flux: texts.flatMap(({ path, content }) => fluxObjectsIn(path, content)),
    };
  }

  /** Every file that a folder may be built from: what its kustomizations name in whatever field. */
  mayReach(folder: string): Promise<ReadonlySet<string>> {
    const known = this.reaches.get(folder) ?? this.reachAnew(folder);
    this.reaches.set(folder, known);
    return known;
  }

  private async reachAnew(root: string): Promise<ReadonlySet<string>> {
    const { paths } = await this.all();
    const found = new Set<string>();
    const seen = new Set<string>();
    const pending = [root];
    for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
      if (seen.has(folder)) continue;
      seen.add(folder);
      const file = KUSTOMIZATION_NAMES.map(name => posix.join(folder ?? '', name)).find(each =>
        paths.has(each),
      );
      if (file === undefined) {
        for (const path of paths) if (isBelow(path, folder)) found.add(path);
        for (const path of paths)
          if (isBelow(path, folder) && isKustomization(path)) pending.push(folderOf(path));
        continue;
      }
      found.add(file);
      for (const { value } of scalarsOf(file, (await this.tree.text(file)) ?? '').scalars) {
        if (value.length > 300) continue;
        const named = posix.join(folder, value.slice(value.indexOf('=') + 1)).replace(/\/$/, '');
        if (paths.has(named)) found.add(named);
        else if (KUSTOMIZATION_NAMES.some(name => paths.has(posix.join(named, name))))
          pending.push(named === '.' ? '' : named);
      }
    }
    return found;
  }
}

function isSame(of: Applied, path: string | undefined, each: FluxObject): boolean {
  if (of.name !== each.name || of.namespace !== each.namespace) return false;
  return path === undefined ? folderIn(of.spec) === folderIn(record(each.data['spec'])) : path === each.path;
}

function folderSharer(folder: string, { files }: FluxTree): Sharer {
  const spec = { path: folder };
  return {
    words: folder,
    applied: { namespace: 'folder', name: folder, files, isOurs: true, artifact: {}, spec },
  };
}

function manifestOf({ definedBy }: Applied): string {
  return definedBy && 'file' in definedBy ? definedBy.file : '';
}

function isKustomization(path: string): boolean {
  return KUSTOMIZATION_NAMES.includes(posix.basename(path));
}

function isBelow(path: string, folder: string): boolean {
  return folder === '' || path.startsWith(`${folder}/`);
}

function folderOf(path: string): string {
  const folder = posix.dirname(path);
  return folder === '.' ? '' : folder;
}

function plainUrl(url: string): string {
  return url
    .toLowerCase()
    .replace(/^[a-z+]+:\/\/(?:[^@/]*@)?/, '')
    .replace(/^git@/, '')
    .replace(':', '/')
    .replace(/(?:\.git)?\/?$/, '');
}
