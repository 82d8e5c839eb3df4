import { record } from '../patch-reach.ts';
import type { ValuePlace } from '../value-setter.ts';
import type { YamlPath } from '../../edit/yaml-text.ts';

/** A value that was put together from several files, each part with the place that set it. */
export type Tracked =
  | { readonly kind: 'map'; readonly entries: ReadonlyMap<string, Tracked>; readonly at: ValuePlace }
  | { readonly kind: 'list'; readonly items: readonly Tracked[]; readonly at: ValuePlace }
  | { readonly kind: 'scalar'; readonly value: unknown; readonly at: ValuePlace };

export type Placing = (path: YamlPath) => ValuePlace;

export function track(value: unknown, place: Placing, path: YamlPath = []): Tracked {
  const at = place(path);
  if (Array.isArray(value)) {
    const items = value.map((item: unknown, index) => track(item, place, [...path, index]));
    return { kind: 'list', items, at };
  }
  if (typeof value !== 'object' || value === null) return { kind: 'scalar', value, at };
  const entries = Object.entries(record(value)).map(
    ([key, item]) => [key, track(item, place, [...path, key])] as const,
  );
  return { kind: 'map', entries: new Map(entries), at };
}

/**
 * Maps are merged, all else is replaced: what kustomize does with a custom resource, of whose lists it knows no keys, and
 * Flux and Helm with values. `nullRemoves`: as in a strategic merge patch; for Helm a null is a value.
 */
export function merge(
  old: Tracked | undefined,
  next: Tracked,
  on: { readonly nullRemoves: boolean },
): Tracked | undefined {
  if (on.nullRemoves && next.kind === 'scalar' && next.value === null) return undefined;
  if (old?.kind !== 'map' || next.kind !== 'map') return next;
  const entries = new Map(old.entries);
  for (const [key, value] of next.entries) {
    const merged = merge(entries.get(key), value, on);
    if (merged) entries.set(key, merged);
    else entries.delete(key);
  }
  return { ...old, entries };
}

/** One operation of a JSON6902 patch; what it does not find stays as it is. */
export function operate(
  tree: Tracked,
  pointer: readonly string[],
  operation: { readonly op: string; readonly value: Tracked | undefined },
): Tracked {
  const [key, ...rest] = pointer;
  const { op, value } = operation;
  if (key === undefined) return op !== 'remove' && value ? value : tree;
  if (tree.kind === 'map') {
    const child = tree.entries.get(key);
    const entries = new Map(tree.entries);
    if (rest.length > 0 && child) entries.set(key, operate(child, rest, operation));
    else if (rest.length === 0 && op === 'remove') entries.delete(key);
    else if (rest.length === 0 && value) entries.set(key, value);
    return { ...tree, entries };
  }
  if (tree.kind === 'list') return { ...tree, items: operateOnList(tree.items, key, rest, operation) };
  return tree;
}

function operateOnList(
  items: readonly Tracked[],
  key: string,
  rest: readonly string[],
  operation: { readonly op: string; readonly value: Tracked | undefined },
): readonly Tracked[] {
  const { op, value } = operation;
  const index = key === '-' ? items.length : Number(key);
  if (rest.length > 0) {
    return items.map((item, at) => (at === index ? operate(item, rest, operation) : item));
  }
  if (op === 'remove') return items.toSpliced(index, 1);
  return value ? items.toSpliced(index, op === 'add' ? 0 : 1, value) : items;
}

export function at(tree: Tracked | undefined, path: readonly string[]): Tracked | undefined {
  return path.reduce<Tracked | undefined>(
    (node, key) => (node?.kind === 'map' ? node.entries.get(key) : undefined),
    tree,
  );
}

/** The text of a single value; undefined for maps, lists and null. */
export function scalarText(node: Tracked | undefined): string | undefined {
  if (node?.kind !== 'scalar' || node.value === null || node.value === undefined) return undefined;
  return String(node.value);
}

export function itemsOf(node: Tracked | undefined): readonly Tracked[] {
  return node?.kind === 'list' ? node.items : [];
}
