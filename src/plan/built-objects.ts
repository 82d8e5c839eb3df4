import { parse } from 'yaml';
import { unhashed } from '../rollout/name-hash.ts';
import type { TargetRef } from '../rollout/target.ts';
import { isOfKind } from './locate.ts';
import { record, text } from './patch-reach.ts';

/** An object as a builder wrote it out. */
export interface BuiltObject {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/** Whether it is what becomes a target. */
export function isTarget(object: BuiltObject, target: TargetRef): boolean {
  const { name, namespace } = object;
  return (
    isOfKind(object, target.kind) &&
    name === target.name &&
    (namespace === undefined || namespace === target.namespace)
  );
}

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

/** Documents of a build's output. A block of text is always indented, so that the line stands between documents only. */
export function documentsOf(build: string): readonly string[] {
  return build.split(/^---\n/m).filter(document => document.trim() !== '');
}

export function builtObject(document: string): BuiltObject {
  const data = record(parse(document));
  const metadata = record(data['metadata']);
  const namespace = text(metadata['namespace']);
  return {
    kind: text(data['kind']),
    name: text(metadata['name']),
    ...(namespace === '' ? {} : { namespace }),
    data,
    text: document,
  };
}

/** Only documents whose text differs are read: of a thousand objects a release changes two. */
export function changedObjects(before: string, after: string): readonly ChangedObject[] {
  const [old, now] = [documentsOf(before), documentsOf(after)];
  const [olds, nows] = [new Set(old), new Set(now)];
  const gone = old.filter(document => !nows.has(document)).map(builtObject);
  const come = now.filter(document => !olds.has(document)).map(builtObject);
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

function identity({ kind, namespace, name }: BuiltObject, named = (plain: string) => plain): string {
  return `${kind} ${namespace ?? ''}/${named(name)}`;
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
