import { record } from '../../build/json.ts';
import type { BuiltObject } from '../../build/tree-builder.ts';
import { unhashed } from '../../rollout/name-hash.ts';
import { targetKey } from '../../rollout/target.ts';
import { Refusal } from '../../rollout/verdict.ts';
import { identity, nameOf } from '../differences.ts';
import type { TargetSource } from '../sources/target-source.ts';
import { type Applied, folderIn, folderWords } from '../tree/applied.ts';
import { originsOf } from '../tree/origins.ts';
import type { FieldChange } from './field-place.ts';
import type { InputChange, NamedPlace } from './input-places.ts';
import type { Ground } from './wanted.ts';

export type NamedChange = FieldChange | InputChange;

/** The place changes nothing of what is built: something else sets it. */
export async function without(
  change: NamedChange,
  { place, source }: { readonly place: NamedPlace; readonly source: TargetSource },
  ground: Ground,
): Promise<Refusal> {
  const { of } = source;
  const where = `${change.position.file}:${change.position.line}`;
  const setter = await setterOf(change, of, ground);
  const folder = folderWords(folderIn(of.spec));
  return new Refusal(
    'change-not-found',
    `${change.file}:${place.line} (${where}) changes nothing in what Flux builds from ${folder} for ${targetKey(source.target)}: ${setter ?? 'nothing that is built is made of it, or something else wins over it'}.`,
    { remedy: 'Name the place that sets the value in this environment.' },
  );
}

/** What sets the same key of the generated object, as far as it can be followed. */
async function setterOf(change: NamedChange, of: Applied, ground: Ground): Promise<string | undefined> {
  const key = change.path.at(-1);
  const name = change.kind === 'field' ? change.object.name : change.path[1];
  const built = await ground.tree.built(of);
  const object = built.objects.find(
    each => unhashed(each.name) === name && typeof key === 'string' && dataOf(each, key) !== undefined,
  );
  if (!object || typeof key !== 'string') return undefined;
  const read = (objects: readonly BuiltObject[]) => {
    const found = objects.find(each => identity(each, unhashed) === identity(object, unhashed));
    return found && dataOf(found, key);
  };
  const field = { of, tokens: [dataOf(object, key) ?? ''], read };
  const [dye] = (await originsOf(ground.tree, [field])).get(field)?.dyes ?? [];
  if (!dye) return undefined;
  const { line } = dye.place;
  return `${key} of ${nameOf({ ...object, name: unhashed(object.name) })} is set in ${dye.place.file}:${line}`;
}

/** A key of a ConfigMap or Secret, as plain text. */
export function dataOf({ kind, data }: BuiltObject, key: string): string | undefined {
  const value = record(data['data'])[key];
  if (typeof value !== 'string') return undefined;
  return kind === 'Secret' ? Buffer.from(value, 'base64').toString() : value;
}
