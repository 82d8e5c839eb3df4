import type { RepositoryFiles } from '../build/repository-files.ts';
import type { Build, BuiltObject, TreeBuilder } from '../build/tree-builder.ts';
import type { KustomizationView, SourceView } from '../rollout/observation.ts';
import { Refusal } from '../rollout/verdict.ts';
import type { SourceRef } from './flux-objects.ts';
import { record } from '../build/json.ts';
import { fluxManifests, type Manifest } from './manifests.ts';
import { isGitRepository, isKustomization, parseKustomization, sourceRefOf } from './parse-flux.ts';
import { type FoundSource, sourceOf } from './sources.ts';
import { withFolder } from './trace-chain.ts';

/** Deeper than this nobody nests Kustomizations; a circle ends here, too. */
const MAX_DEPTH = 10;
const MAX_NODES = 300;

/** A Flux Kustomization of the tree, and what Flux builds from it. */
export interface TreeNode {
  readonly namespace: string;
  readonly name: string;
  /** As its parent builds it; as it is written where nothing of the tree does. */
  readonly object: Manifest['object'];
  /** The file in which it is written. */
  readonly manifest: string;
  readonly parent: TreeNode | undefined;
  /** spec.path, as folder-path.ts has it. */
  readonly path: string;
  readonly source: SourceView;
  /** Undefined: it takes its files from another repository. */
  readonly build: Build | undefined;
}

export interface ForestOptions {
  readonly files: RepositoryFiles;
  readonly builder: TreeBuilder;
  readonly isOurs: (url: string) => boolean | Promise<boolean>;
}

/** All that Flux would apply from a repository, as its own files say. */
export class Forest {
  readonly files: RepositoryFiles;
  readonly nodes: readonly TreeNode[];
  /** Whether a source is this repository, for a Kustomization that takes this path of it. */
  readonly isHere: (source: SourceView, path: string) => boolean;
  private readonly manifests: readonly Manifest[];

  private constructor(
    on: Pick<Forest, 'files' | 'nodes' | 'isHere'> & { readonly manifests: readonly Manifest[] },
  ) {
    this.files = on.files;
    this.nodes = on.nodes;
    this.isHere = on.isHere;
    this.manifests = on.manifests;
  }

  /**
   * Builds every Kustomization of the tree. One that another one builds is taken as that one builds it, so that a base
   * which two clusters patch is two Kustomizations.
   * @throws what `files` throws.
   */
  static async of(on: ForestOptions): Promise<Forest> {
    const all = await fluxManifests(on.files);
    const manifests = all
      .filter(({ object }) => isReadable(object))
      .toSorted((one, other) => (one.path < other.path ? -1 : 1));
    const written = manifests.filter(({ object }) => isFluxKustomization(object));
    const isHere = await ownership(written, manifests, on);
    const grow = async (of: Pick<Manifest, 'path' | 'object'>, parent?: TreeNode): Promise<TreeNode> => {
      const found = await sourceIn(manifests, of.object, of.path);
      const view = inRepository(parseKustomization(of.object), found);
      const build = view && isHere(found.view, view.path) ? await buildOf(on, view, found.view) : undefined;
      const { name, namespace, path } = view ?? parseKustomization(of.object);
      return {
        namespace: namespace || DEFAULT_NAMESPACE,
        name,
        path,
        object: of.object,
        manifest: of.path,
        parent,
        source: found.view,
        build,
      };
    };
    const seeds: TreeNode[] = [];
    for (const each of written) seeds.push(await grow(each));
    const roots = seeds.filter(seed => !seeds.some(other => other !== seed && builds(other, seed)));
    const nodes: TreeNode[] = [];
    const pending = roots.length > 0 ? roots : seeds;
    for (let node = pending.shift(); node !== undefined && nodes.length < MAX_NODES; node = pending.shift()) {
      nodes.push(node);
      if (lineOf(node).length >= MAX_DEPTH) continue;
      for (const built of builtBy(node).filter(({ data }) => isFluxKustomization(data))) {
        if (lineOf(node).some(above => isNamed(above, built))) continue;
        const path = built.origin?.path ?? node.manifest;
        pending.push(await grow({ path, object: built.data }, node));
      }
    }
    return new Forest({ files: on.files, nodes, isHere, manifests });
  }

  /** A source as the tree has it: as one of these builds it, else as it is written. */
  source(ref: SourceRef, line: readonly TreeNode[]): Manifest['object'] | undefined {
    for (const node of line) {
      const built = builtBy(node).find(each => each.kind === ref.kind && isNamed(ref, each));
      if (built && isReadable(built.data)) return built.data;
    }
    return writtenSource(this.manifests, ref, line.at(-1)?.manifest ?? '')?.object;
  }
}

/** Flux's own bootstrap puts everything there, and leaves the namespace to the kustomization now and then. */
export const DEFAULT_NAMESPACE = 'flux-system';

/** A node, what applies it, and so on up. */
export function lineOf(node: TreeNode): readonly TreeNode[] {
  return node.parent ? [node, ...lineOf(node.parent)] : [node];
}

export function builtBy({ build }: TreeNode): readonly BuiltObject[] {
  return build?.kind === 'built' ? build.objects : [];
}

function isNamed(
  one: { readonly namespace: string; readonly name: string },
  other: { readonly namespace?: string; readonly name: string },
): boolean {
  return one.name === other.name && one.namespace === (other.namespace ?? DEFAULT_NAMESPACE);
}

/** `seed` is what `other` builds from the same file. */
function builds(other: TreeNode, seed: TreeNode): boolean {
  return builtBy(other).some(
    each =>
      isFluxKustomization(each.data) &&
      (each.origin?.path === undefined || each.origin.path === seed.manifest) &&
      (each.name === seed.name || each.origin?.path === seed.manifest),
  );
}

/** The CRD asks for a sourceRef; what has none is an example, or another tool's. */
function isFluxKustomization(object: Manifest['object']): boolean {
  const { apiVersion, kind } = object;
  return (
    kind === 'Kustomization' &&
    typeof apiVersion === 'string' &&
    apiVersion.startsWith('kustomize.toolkit.fluxcd.io/') &&
    isKustomization(object)
  );
}

/** What is written so that nobody could read it is nobody's source. */
function isReadable(object: Manifest['object']): boolean {
  return object['kind'] !== 'GitRepository' || isGitRepository(object);
}

/** Undefined: its path is none of the repository's, which the chain will say in words. */
function inRepository(view: KustomizationView, source: FoundSource): KustomizationView | undefined {
  try {
    return withFolder(view, source);
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

async function buildOf(
  { files, builder }: ForestOptions,
  { namespace, spec }: KustomizationView,
  { artifact }: SourceView,
): Promise<Build> {
  // Nothing but what counts, so that the same question in other words is answered once.
  const kustomization = { metadata: { namespace }, spec: sorted(spec) };
  return await builder.build({ files, kustomization, ...(artifact ? { artifact } : {}) });
}

async function sourceIn(
  manifests: readonly Manifest[],
  object: Manifest['object'],
  near: string,
): Promise<FoundSource> {
  const source = (ref: SourceRef) => Promise.resolve(writtenSource(manifests, ref, near)?.object);
  const never = () => Promise.resolve(undefined);
  const objects = { source, find: never, applierOf: never, sourcesMayBeHidden: true };
  const ref = sourceRefOf(object);
  return await sourceOf(objects, { ...ref, namespace: ref.namespace || DEFAULT_NAMESPACE }, '');
}

/** Of several clusters' sources of one name the one whose file is nearest. */
function writtenSource(manifests: readonly Manifest[], ref: SourceRef, near: string): Manifest | undefined {
  const of = manifests.filter(({ object: { kind, metadata } }) => {
    const { namespace = DEFAULT_NAMESPACE, name } = record(metadata);
    return kind === ref.kind && name === ref.name && namespace === ref.namespace;
  });
  return of.toSorted((one, other) => common(other.path, near) - common(one.path, near))[0];
}

function common(one: string, other: string): number {
  const folders = other.split('/');
  const differs = one.split('/').findIndex((part, index) => part !== folders[index]);
  return differs < 0 ? folders.length : differs;
}

/**
 * Whether a source is this repository. A clone of a fork or of a mirror has another remote than Flux; then only a folder
 * that is not here tells.
 */
async function ownership(
  written: readonly Manifest[],
  manifests: readonly Manifest[],
  { files, isOurs }: ForestOptions,
): Promise<(source: SourceView, path: string) => boolean> {
  const urls = new Map<string, boolean>();
  const folders = new Set<string>(['']);
  for (const { object, path } of written) {
    const { kind, url } = (await sourceIn(manifests, object, path)).view;
    if (kind === 'GitRepository' && url !== '') urls.set(url, await isOurs(url));
    const folder = parseKustomization(object).path;
    if ((await files.list(folder)) !== undefined) folders.add(folder);
  }
  const tells = [...urls.values()].includes(true);
  return ({ kind, url }, path) => {
    if (kind !== 'GitRepository') return false;
    if (url === '' || urls.get(url) === true) return true;
    return !tells && folders.has(path);
  };
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(entries.map(([key, each]) => [key, sorted(each)]));
}
