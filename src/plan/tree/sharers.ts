import { arrivalsOf, type Dye } from '../../build/dye.ts';
import { type FluxObject, fluxObjectsIn } from '../../build/flux-objects.ts';
import { record, text } from '../../build/json.ts';
import { isYamlFile } from '../../edit/places.ts';
import type { SourceView } from '../../rollout/observation.ts';
import { type Applied, folderIn, isFluxKustomization, wordsOf } from './applied.ts';
import type { FluxTree, Overlay } from './flux-tree.ts';
import { dyedOverlay } from './origins.ts';
import { folderOf, isKustomization, Reach } from './reach.ts';

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

/** Of more YAML files than these each would cost a request: Flux's objects are looked for beside our own only. */
const MANY_FILES = 1000;

/** Who else builds a file: other Kustomizations of Flux in the repository, and folders that build upon it. */
export class Sharers {
  private readonly tree: FluxTree;
  private readonly ours: readonly Applied[];
  private readonly source: Pick<SourceView, 'url' | 'branch'>;
  private readonly found = new Map<string, Promise<readonly Sharer[]>>();
  private others: Promise<Others> | undefined;
  private readonly reach: Reach;

  constructor(on: {
    readonly tree: FluxTree;
    /** Those that bring the targets, and what brings them. */
    readonly ours: readonly Applied[];
    readonly source: Pick<SourceView, 'url' | 'branch'>;
  }) {
    this.tree = on.tree;
    this.reach = new Reach(on.tree);
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
      if ((await this.reach.of(sharer.applied)).has(path)) fitting.push(sharer);
    }
    const below: Sharer[] = [];
    for (const sharer of folders) {
      if ((await this.reach.of(sharer.applied)).has(path)) below.push(sharer);
    }
    return [...fitting, ...(await this.outermost(below))];
  }

  /** Kustomizations of Flux that are none of ours, and folders that none of them is known to apply. */
  private async findOthers(): Promise<Others> {
    const [flux, paths] = [await this.fluxObjects(), await this.reach.paths()];
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
      for (const path of await this.reach.from(folderIn(spec))) all.add(path);
    }
    return all;
  }

  private async outermost(folders: readonly Sharer[]): Promise<readonly Sharer[]> {
    const inner = new Set<string>();
    for (const { applied } of folders) {
      const own = folderIn(applied.spec);
      for (const path of await this.reach.from(own)) {
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
      const { branch: named, name } = record(at);
      const branch = text(named) || text(name).replace(/^refs\/heads\//, '');
      const isBranch = this.source.branch === undefined || branch === '' || branch === this.source.branch;
      return isBranch && (this.source.url === '' || plainUrl(text(url)) === plainUrl(this.source.url));
    });
  }

  /** Flux’s objects in the repository, as they are written. */
  private async fluxObjects(): Promise<readonly FluxObject[]> {
    const yaml = [...(await this.reach.paths())].filter(isYamlFile);
    const near = await this.nearOurs();
    const isRead =
      yaml.length <= MANY_FILES ? () => true : (path: string) => near.has(path.split('/')[0] ?? '');
    const texts = await Promise.all(
      yaml.filter(isRead).map(async path => ({ path, content: (await this.tree.text(path)) ?? '' })),
    );
    return texts.flatMap(({ path, content }) => fluxObjectsIn(path, content));
  }

  /** The first folders of the paths in which our own Kustomizations are written: `clusters`. */
  private async nearOurs(): Promise<ReadonlySet<string>> {
    const paths = await Promise.all(this.ours.map(of => this.pathOfManifest(of)));
    return new Set(paths.flatMap(path => path?.split('/')[0] ?? []));
  }

  /** Every file that a folder may be built from. */
  mayReach(folder: string): Promise<ReadonlySet<string>> {
    return this.reach.from(folder);
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

function plainUrl(url: string): string {
  return url
    .toLowerCase()
    .replace(/^[a-z+]+:\/\/(?:[^@/]*@)?/, '')
    .replace(/^git@/, '')
    .replace(':', '/')
    .replace(/(?:\.git)?\/?$/, '');
}
