import { parse } from 'yaml';
import { type Fields, items, record, text } from '../../../build/json.ts';
import type { BuiltObject } from '../../../build/tree-builder.ts';
import { unhashed } from '../../../rollout/name-hash.ts';

export interface HelmValues {
  /** As Flux merges them. */
  readonly values: unknown;
  /** Sources of values that cannot be looked into, in words. */
  readonly unseen: readonly string[];
}

/**
 * The values of a HelmRelease as a build has them: those of `valuesFrom` in their order, then its own (helm-controller,
 * chartutil.ChartValuesFromReferences).
 */
export function valuesOf(release: Fields, objects: readonly BuiltObject[]): HelmValues {
  const spec = record(release['spec']);
  const unseen: string[] = [];
  let values: unknown;
  for (const reference of items(spec['valuesFrom']).map(record)) {
    const found = referenced(reference, objects);
    if ('unseen' in found) unseen.push(found.unseen);
    else values = merged(values, found.values);
  }
  return { values: merged(values, spec['values']), unseen };
}

/** Whether a HelmRelease takes values from an object, whose name may have a hash in the build. */
export function takesValuesFrom(release: Fields, kind: string, name: string): boolean {
  return items(record(release['spec'])['valuesFrom']).some(item => {
    const reference = record(item);
    return reference['kind'] === kind && isNamed(name, text(reference['name']));
  });
}

function isNamed(name: string, wanted: string): boolean {
  return name === wanted || unhashed(name) === wanted || unhashed(name) === unhashed(wanted);
}

function referenced(
  reference: Fields,
  objects: readonly BuiltObject[],
): { readonly values: unknown } | { readonly unseen: string } {
  const [kind, name] = [text(reference['kind']), text(reference['name'])];
  const key = text(reference['valuesKey']) || 'values.yaml';
  const words = `${kind} ${name} (key ${key})`;
  const object = objects.find(each => each.kind === kind && isNamed(each.name, name));
  if (!object) return { unseen: `${words}, which is not in what the same Kustomization builds` };
  const content = contentOf(object, key);
  const where = object.origin?.path === undefined ? '' : ` (${object.origin.path})`;
  if (content === undefined) return { unseen: `${words}, which holds no plain text${where}` };
  if (content.startsWith('ENC[')) return { unseen: `${words}, which is encrypted${where}` };
  const targetPath = text(reference['targetPath']);
  if (targetPath !== '') return { values: nested(targetPath, content) };
  try {
    return { values: parse(content) };
  } catch {
    return { unseen: `${words}, which is no YAML${where}` };
  }
}

function contentOf({ kind, data }: BuiltObject, key: string): string | undefined {
  const plain =
    record(data['stringData'])[key] ?? (kind === 'ConfigMap' ? record(data['data'])[key] : undefined);
  if (typeof plain === 'string') return plain;
  const encoded = kind === 'Secret' ? record(data['data'])[key] : undefined;
  return typeof encoded === 'string' ? Buffer.from(encoded, 'base64').toString() : undefined;
}

/** A single value, at the path in the values that it is meant for. */
function nested(targetPath: string, value: string): unknown {
  return targetPath.split('.').reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
}

/** Maps are merged, all else is replaced. */
function merged(old: unknown, next: unknown): unknown {
  if (next === undefined) return old;
  const isMap = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isMap(old) || !isMap(next)) return next;
  const [before, after] = [record(old), record(next)];
  return {
    ...before,
    ...Object.fromEntries(Object.entries(after).map(([key, value]) => [key, merged(before[key], value)])),
  };
}
