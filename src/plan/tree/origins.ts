import {
  type Arrival,
  arrivalsOf,
  type Dye,
  dyedText,
  dyesFor,
  placesOf,
  type Reach,
} from '../../build/dye.ts';
import type { BuiltObject } from '../../build/tree-builder.ts';
import { type Applied, isFluxKustomization } from './applied.ts';
import { type BuiltTree, type FluxTree, type Overlay, UNEDITED } from './flux-tree.ts';

/** Something of what a Kustomization builds, whose line is looked for. */
export interface Followed {
  readonly of: Applied;
  /** What stands in the lines that are looked for: a tag, a digest, the value of a variable. */
  readonly tokens: readonly string[];
  /** The field in a build; undefined where it is not there. */
  readonly read: (objects: readonly BuiltObject[]) => unknown;
}

/** The places that set a field, and everything that they set beside it. */
export interface Origin {
  /** None: it is set by something that no line of ours holds as it is. */
  readonly dyes: readonly Dye[];
  /** What is built of the Kustomization with the dyes. */
  readonly objects: readonly BuiltObject[];
  /** In the build of the Kustomization. */
  readonly arrivals: readonly ArrivedAt[];
  /** In what brings the Kustomization's own manifest, its own build where it brings itself. */
  readonly above: readonly ArrivedAt[];
  /** They reach the field through the manifest of the Kustomization. */
  readonly byManifest: boolean;
}

export interface ArrivedAt {
  readonly object: BuiltObject;
  readonly path: Arrival['path'];
}

/** Follows fields to the lines that set them, all of one Kustomization by one build. */
export async function originsOf(
  tree: FluxTree,
  fields: readonly Followed[],
): Promise<ReadonlyMap<Followed, Origin>> {
  const found = new Map<Followed, Origin>();
  const groups = Map.groupBy(fields, ({ of }) => of);
  for (const [of, group] of groups) {
    for (const reach of ['plain', 'wide'] as const) {
      const left = group.filter(field => (found.get(field)?.dyes ?? []).length === 0);
      if (left.length > 0) await follow(tree, { of, fields: left, reach }, found);
    }
  }
  return found;
}

interface Following {
  readonly of: Applied;
  readonly fields: readonly Followed[];
  readonly reach: Reach;
}

async function follow(
  tree: FluxTree,
  { of, fields, reach }: Following,
  found: Map<Followed, Origin>,
): Promise<void> {
  const tokens = [...new Set(fields.flatMap(field => field.tokens))];
  const places: Omit<Dye, 'value'>[] = [];
  for (const path of await filesBehind(tree, of)) {
    const content = await tree.text(path);
    if (content !== undefined) places.push(...placesOf(path, content, tokens, reach));
  }
  const { dyes, overlay } = await lasting(tree, of, dyesFor(places));
  const dyed = dyes.length > 0 ? await tree.built(of, overlay) : undefined;
  const above = dyes.length > 0 ? await builtAbove(tree, of, overlay) : undefined;
  for (const field of fields) {
    const value = dyed ? field.read(dyed.objects) : undefined;
    const arrived = dyes.filter(dye => holds(value, dye));
    found.set(field, originOf(arrived, { of, dyed, above }));
  }
}

function holds(value: unknown, dye: Dye): boolean {
  return typeof dye.value === 'number'
    ? value === dye.value || (typeof value === 'string' && value.includes(String(dye.value)))
    : typeof value === 'string' && value.includes(dye.value);
}

function originOf(
  dyes: readonly Dye[],
  on: { readonly of: Applied; readonly dyed: BuiltTree | undefined; readonly above: BuiltTree | undefined },
): Origin {
  const seenIn = (built: BuiltTree | undefined): readonly ArrivedAt[] =>
    built
      ? arrivalsOf(built.objects, dyes).flatMap(({ object, path }) => {
          const at = built.objects[object];
          return at ? [{ object: at, path }] : [];
        })
      : [];
  const arrivals = seenIn(on.dyed);
  const above = seenIn(on.above);
  const byManifest = [...above, ...arrivals].some(({ object }) => isFluxKustomization(object, on.of));
  return { dyes, arrivals, above, byManifest, objects: on.dyed?.objects ?? [] };
}

async function builtAbove(tree: FluxTree, of: Applied, overlay: Overlay): Promise<BuiltTree | undefined> {
  return of.definedBy && 'by' in of.definedBy ? await tree.built(of.definedBy.by, overlay) : undefined;
}

/** Files that have a say in what a Kustomization builds, those of its manifest among them. */
export async function filesBehind(tree: FluxTree, of: Applied): Promise<readonly string[]> {
  const own = of.isOurs ? [...(await tree.built(of)).reached] : [];
  const { definedBy } = of;
  const above = !definedBy
    ? []
    : 'file' in definedBy
      ? [definedBy.file]
      : await filesBehind(tree, definedBy.by);
  return [...new Set([...own, ...above])];
}

/** Texts with the dyes in them. */
export async function dyedOverlay(tree: FluxTree, dyes: readonly Dye[]): Promise<Overlay> {
  const overlay = new Map<string, string>();
  for (const [path, group] of Map.groupBy(dyes, ({ place }) => place.file)) {
    overlay.set(path, dyedText(path, (await tree.text(path)) ?? '', group));
  }
  return overlay;
}

/** Those of the dyes with which the tree can still be built: a tested value, or a name, may be among the places. */
async function lasting(
  tree: FluxTree,
  of: Applied,
  all: readonly Dye[],
): Promise<{ readonly dyes: readonly Dye[]; readonly overlay: Overlay }> {
  let good: { readonly dyes: readonly Dye[]; readonly overlay: Overlay } = { dyes: [], overlay: UNEDITED };
  const take = async (some: readonly Dye[]): Promise<void> => {
    if (some.length === 0) return;
    const dyes = [...good.dyes, ...some];
    const overlay = await dyedOverlay(tree, dyes);
    const build = await tree.build(of, overlay);
    if (build.kind === 'built') good = { dyes, overlay };
    else if (some.length > 1) {
      const half = Math.ceil(some.length / 2);
      await take(some.slice(0, half));
      await take(some.slice(half));
    }
  };
  await take(all);
  return good;
}
