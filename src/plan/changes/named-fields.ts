import type { FoundValue } from '../plan.ts';
import { record } from '../../build/json.ts';
import type { BuiltObject } from '../../build/tree-builder.ts';
import type { Edits } from '../../edit/edits.ts';
import { isYamlFile } from '../../edit/places.ts';
import { unhashed } from '../../rollout/name-hash.ts';
import { targetKey } from '../../rollout/target.ts';
import { fieldInText } from '../../rollout/text-field.ts';
import { Refusal } from '../../rollout/verdict.ts';
import { type ChangedObject, changedObjects, differences, identity, namedValueAt } from '../differences.ts';
import type { TargetSource } from '../sources/target-source.ts';
import type { Applied } from '../tree/applied.ts';
import type { AppliedChange } from './apply.ts';
import { type FieldChange, fieldPlace } from './field-place.ts';
import { refuseMarked, refuseVariables } from './guards.ts';
import { type InputChange, inputPlace, lineFormat, type NamedPlace } from './input-places.ts';
import type { Ground, Proven } from './wanted.ts';
import { dataOf, type NamedChange, without } from './who-sets.ts';

/** Stands for another value where none is asked for, to see what it would change. */
const PROBE = 'gated-rollout-probe';

interface Naming {
  readonly ground: Ground;
  readonly sources: readonly TargetSource[];
}

/**
 * A place that rollout.yaml names: the edit itself is tried, and what it changes in the build says what it is.
 * @throws Refusal when it changes nothing there, or what others build, too.
 */
export async function applyNamed(change: NamedChange, on: Naming): Promise<readonly AppliedChange[]> {
  const { ground } = on;
  const place = change.kind === 'field' ? await fieldPlace(change, ground) : await inputPlace(change, ground);
  const isThere = place.current === change.value;
  refuseMarked(ground.settings, { path: change.file, line: place.line, text: place.lineText });
  const trial = ground.edits.fork();
  place.write(trial, isThere ? PROBE : change.value);
  const applied: AppliedChange[] = [];
  for (const source of on.sources) {
    if (!change.in.includes(targetKey(source.target))) continue;
    await refuseVariables(change, change.value, { tree: ground.tree, of: source.of });
    const at = { place, source, changed: await changedBy(trial, { of: source.of, ground }) };
    if (at.changed.length === 0) throw await without(change, at, ground);
    applied.push(...(change.kind === 'field' ? [ofField(change, at)] : ofInput(change, at)));
  }
  if (isThere) return applied.map(each => ({ ...each, proven: [] }));
  const along = await beyond(change, trial, ground);
  if (along.length > 0 && ground.settings.write !== 'base') {
    throw new Refusal(
      'shared-line',
      `${change.name} is set in ${change.file}:${place.line}, which is also built by ${along.join(', ')}.`,
      { remedy: 'Name a file of this environment alone, or say write: base to change it for all of them.' },
    );
  }
  place.write(ground.edits, change.value);
  return applied.map(each => ({ ...each, along }));
}

interface At {
  readonly place: NamedPlace;
  readonly source: TargetSource;
  readonly changed: readonly Changed[];
}

interface Changed extends ChangedObject {
  readonly of: Applied;
}

/** What of the target's builds an edit changes, that of its Kustomization's manifest among them. */
async function changedBy(
  trial: Edits,
  { of, ground }: { readonly of: Applied; readonly ground: Ground },
): Promise<readonly Changed[]> {
  const { tree, edits } = ground;
  const before = await tree.built(of, edits.snapshot());
  const after = await tree.built(of, trial.snapshot());
  const own = changedObjects(before.objects, after.objects).map(each => ({ ...each, of }));
  const above = of.definedBy && 'by' in of.definedBy ? of.definedBy.by : undefined;
  return above ? [...own, ...(await changedBy(trial, { of: above, ground }))] : own;
}

/** Who else is changed by it. */
async function beyond(
  { file }: NamedChange,
  trial: Edits,
  { tree, edits, sharers }: Ground,
): Promise<readonly string[]> {
  const found: string[] = [];
  for (const { words, applied } of await sharers.of(file)) {
    const before = await tree.build(applied, edits.snapshot());
    const after = await tree.build(applied, trial.snapshot());
    const isSame =
      before.kind === 'built' &&
      after.kind === 'built' &&
      changedObjects(before.objects, after.objects).length === 0;
    if (!isSame) found.push(words);
  }
  return found;
}

function ofField(change: FieldChange, { place, source, changed }: At): AppliedChange {
  const { object, path } = change;
  const target = targetKey(source.target);
  const expectation = { kind: 'field', target, object, path } as const;
  const isSecret = object.kind === 'Secret';
  return {
    change,
    byManifest: false,
    along: [],
    subject: object,
    proven: changed.flatMap(each => provenBy(each, change.value)),
    found: {
      change: `${object.kind}/${object.name} ${path.join('.')}`,
      target,
      path: change.file,
      line: place.line,
      ...(isSecret
        ? secretly(place.current, change.value)
        : { current: place.current, requested: change.value }),
      currentExpectation: { ...expectation, value: place.current },
    },
    expectation: { ...expectation, value: change.value },
  };
}

/** In the place of values that nobody must see. */
function secretly(current: string, requested: string): Pick<FoundValue, 'current' | 'requested'> {
  return { current: 'a secret', requested: current === requested ? 'the same one' : 'another one' };
}

/** What a generator makes of the place: a ConfigMap or Secret that changes with it. */
function ofInput(change: InputChange, { place, source, changed }: At): readonly AppliedChange[] {
  const generated = changed.filter(({ after }) => after?.kind === 'ConfigMap' || after?.kind === 'Secret');
  // A file may feed several generators: those count that the target speaks of, if it speaks of any.
  const words = JSON.stringify(source.template ?? null);
  const spoken = generated.filter(
    ({ after }) =>
      words.includes(JSON.stringify(after?.name ?? '')) ||
      words.includes(JSON.stringify(unhashed(after?.name ?? ''))) ||
      source.takesFrom(after ?? { kind: '', name: '' }),
  );
  return (spoken.length > 0 ? spoken : generated).flatMap(each => {
    const { before, after, of } = each;
    const key = differences(record(before?.data)['data'], record(after?.data)['data'])[0]?.path[0];
    if (!after || key === undefined) return [];
    return [ofGenerated(change, { place, source, of, object: after, key })];
  });
}

function ofGenerated(
  change: InputChange,
  on: Omit<At, 'changed'> & { readonly of: Applied; readonly object: BuiltObject; readonly key: string },
): AppliedChange {
  const { place, source, object: after, key } = on;
  const target = targetKey(source.target);
  const kind = after.kind === 'Secret' ? 'Secret' : 'ConfigMap';
  const object = { kind, namespace: source.target.namespace, name: unhashed(after.name) };
  const now = dataOf(after, key);
  const isWhole = now === change.value || now === PROBE;
  const format = isYamlFile(change.file) ? 'yaml' : lineFormat(change.file);
  const within = isWhole ? undefined : ({ format, path: change.path } as const);
  const proven: Proven = {
    of: on.of,
    read: objects => {
      const found = objects.find(each => identity(each, unhashed) === identity(after, unhashed));
      const value = found && dataOf(found, key);
      return value === undefined || !within ? value : fieldInText(value, within);
    },
    wanted: change.value,
  };
  const found = {
    change: `${kind} ${object.name} ${change.path.at(-1) ?? ''}`,
    target,
    path: change.file,
    line: place.line,
  };
  const done = { change, byManifest: false, along: [], subject: object, proven: [proven] };
  if (kind === 'Secret') return { ...done, found: { ...found, ...secretly(place.current, change.value) } };
  const shown = { ...found, current: place.current, requested: change.value };
  // Values of Helm are no ConfigMap of the target's own; the id in the same HelmRelease proves the delivery.
  if (source.takesFrom(object)) return { ...done, found: shown };
  const expectation = {
    kind: 'field',
    target,
    object,
    path: ['data', key],
    ...(within ? { within } : {}),
  } as const;
  return {
    ...done,
    found: { ...shown, currentExpectation: { ...expectation, value: place.current } },
    expectation: { ...expectation, value: change.value },
  };
}

/** Fields of a changed object that have the value then. */
function provenBy({ before, after, of }: Changed, wanted: string): readonly Proven[] {
  if (!after) return [];
  return differences(before?.data, after.data)
    .filter(({ to }) => String(to) === wanted)
    .map(({ path }) => ({
      of,
      wanted,
      read: objects => {
        const found = objects.find(each => identity(each, unhashed) === identity(after, unhashed));
        return namedValueAt(found?.data, path);
      },
    }));
}
