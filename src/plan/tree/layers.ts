import { posix } from 'node:path';
import type { BuiltObject } from '../../build/tree-builder.ts';
import { scalarsOf } from '../../edit/scalar-file.ts';
import { YamlText } from '../../edit/yaml-text.ts';
import { type Applied, folderIn } from './applied.ts';
import type { FluxTree } from './flux-tree.ts';
import { KUSTOMIZATION_NAMES } from './reach.ts';

/** A kustomization through which an object comes. */
export interface Layer {
  readonly file: YamlText;
  /** '' is the root of the repository. */
  readonly folder: string;
  /** It is that of the folder which Flux applies. */
  readonly isOwn: boolean;
}

/**
 * The kustomizations through which an object comes, the outermost first: each puts a mark of its own on all that it
 * holds, the folder is built, and the marks on the object tell.
 */
export async function layersOf(tree: FluxTree, of: Applied, object: BuiltObject): Promise<readonly Layer[]> {
  const marked = await markedLayers(tree, of);
  const holders = marked.filter(({ held }) => held.has(identity(object)));
  const ordered = holders.toSorted((one, other) => {
    if (one.held.size !== other.held.size) return other.held.size - one.held.size;
    return Number(names(other, one)) - Number(names(one, other));
  });
  return ordered
    .toSorted((one, other) => Number(other.layer.isOwn) - Number(one.layer.isOwn))
    .map(({ layer }) => layer);
}

interface Marked {
  readonly layer: Layer;
  /** Identities of what it holds. */
  readonly held: ReadonlySet<string>;
}

const known = new WeakMap<FluxTree, Map<Applied, Promise<readonly Marked[]>>>();

function markedLayers(tree: FluxTree, of: Applied): Promise<readonly Marked[]> {
  const all = known.get(tree) ?? new Map<Applied, Promise<readonly Marked[]>>();
  known.set(tree, all);
  const marked = all.get(of) ?? mark(tree, of);
  all.set(of, marked);
  return marked;
}

async function mark(tree: FluxTree, of: Applied): Promise<readonly Marked[]> {
  const { reached, spec } = await tree.built(of);
  const own = folderIn(spec);
  const layers: Layer[] = [];
  for (const path of reached) {
    const content = KUSTOMIZATION_NAMES.includes(posix.basename(path)) ? await tree.text(path) : undefined;
    if (content === undefined) continue;
    const folder = posix.dirname(path) === '.' ? '' : posix.dirname(path);
    layers.push({ file: new YamlText(path, content), folder, isOwn: folder === own });
  }
  const overlay = new Map(layers.map(({ file }, index) => [file.path, withMark(file, index)]));
  const build = await tree.build(of, overlay);
  const objects = build.kind === 'built' ? build.objects : [];
  return layers.map((layer, index) => ({
    layer,
    held: new Set(objects.filter(({ data }) => markOf(index) in data).map(identity)),
  }));
}

function markOf(index: number): string {
  return `gatedRolloutLayer${index}`;
}

/** A field of its own at the root of every object, which no patch of anybody else's touches. */
function withMark(file: YamlText, index: number): string {
  const patch = JSON.stringify([{ op: 'add', path: `/${markOf(index)}`, value: 'held' }]);
  return file.append(0, ['patches'], { target: { kind: '.*' }, patch }).text;
}

function identity({ kind, namespace, name }: BuiltObject): string {
  return `${kind} ${namespace ?? ''}/${name}`;
}

function names({ layer }: Marked, other: Marked): boolean {
  return scalarsOf(layer.file.path, layer.file.text).scalars.some(
    ({ value }) => posix.join(layer.folder || '.', value).replace(/\/$/, '') === (other.layer.folder || '.'),
  );
}
