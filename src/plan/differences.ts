import { type Fields, record, text } from '../build/json.ts';
import type { BuiltObject } from '../build/tree-builder.ts';
import { unhashed } from '../rollout/name-hash.ts';

/** One object in two builds; a name that ends in the hash of its content counts as the same name. */
export interface ChangedObject {
  readonly before?: BuiltObject;
  readonly after?: BuiltObject;
}

/** A field that differs: list items are named by their `name`, where all of a list have one. */
export interface Difference {
  readonly path: readonly string[];
  readonly from: unknown;
  readonly to: unknown;
}

export function changedObjects(
  before: readonly BuiltObject[],
  after: readonly BuiltObject[],
): readonly ChangedObject[] {
  const [olds, nows] = [new Set(before.map(content)), new Set(after.map(content))];
  const gone = before.filter(object => !nows.has(content(object)));
  const come = after.filter(object => !olds.has(content(object)));
  const changed: ChangedObject[] = [];
  const paired = new Set<BuiltObject>();
  for (const object of come) {
    const free = gone.filter(each => !paired.has(each));
    const same =
      free.find(each => identity(each) === identity(object)) ??
      free.find(each => identity(each, unhashed) === identity(object, unhashed));
    if (same) paired.add(same);
    changed.push({ ...(same ? { before: same } : {}), after: object });
  }
  return [...changed, ...gone.filter(each => !paired.has(each)).map(object => ({ before: object }))];
}

const contents = new WeakMap<Fields, string>();

function content({ data }: BuiltObject): string {
  const known = contents.get(data) ?? JSON.stringify(data);
  contents.set(data, known);
  return known;
}

export function identity(
  { apiVersion, kind, namespace, name }: Named,
  named = (plain: string) => plain,
): string {
  // A core Service and a Knative one may share their name.
  const group = kind === 'Service' ? (apiVersion ?? '').replace(/[^/]*$/, '') : '';
  return `${group}${kind} ${namespace ?? ''}/${named(name)}`;
}

type Named = Pick<BuiltObject, 'kind' | 'namespace' | 'name'> & { readonly apiVersion?: string };

/** `Deployment prod/shop` */
export function nameOf({ kind, namespace, name }: Pick<BuiltObject, 'kind' | 'namespace' | 'name'>): string {
  return `${kind} ${[namespace, name].filter(part => part !== undefined).join('/')}`;
}

export function differences(from: unknown, to: unknown, path: readonly string[] = []): readonly Difference[] {
  if (JSON.stringify(from) === JSON.stringify(to)) return [];
  const [old, now] = [fieldsOf(from), fieldsOf(to)];
  const alike = Array.isArray(from) === Array.isArray(to);
  if (!old || !now || !alike || old.size + now.size === 0) return [{ path, from, to }];
  return [...new Set([...old.keys(), ...now.keys()])].flatMap(key =>
    differences(old.get(key), now.get(key), [...path, key]),
  );
}

function fieldsOf(value: unknown): ReadonlyMap<string, unknown> | undefined {
  if (Array.isArray(value)) {
    const names = value.map(item => text(record(item)['name']));
    const named = names.every(name => name !== '') && new Set(names).size === names.length;
    return new Map(value.map((item, index) => [named ? (names[index] ?? '') : String(index), item]));
  }
  return typeof value === 'object' && value !== null ? new Map(Object.entries(value)) : undefined;
}

/** What stands at the path of a difference. */
export function namedValueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((at, key) => fieldsOf(at)?.get(key), value);
}
