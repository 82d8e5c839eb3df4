import type { Change } from '../../config/settings.ts';
import { record } from '../../build/json.ts';
import { unhashed } from '../../rollout/name-hash.ts';
import type { ObjectRef } from '../../rollout/target.ts';
import type { Expectation } from '../../rollout/expectation.ts';
import { Refusal } from '../../rollout/verdict.ts';
import { identity, nameOf } from '../differences.ts';
import type { FoundValue } from '../plan.ts';
import { folderIn, isFluxKustomization } from '../tree/applied.ts';
import { type ArrivedAt, type Origin, originsOf } from '../tree/origins.ts';
import { refuseMarked, refuseVariables } from './guards.ts';
import { overlayRemedy, refuseUnknown, setApart, setElsewhere, type SettingApart } from './set-apart.ts';
import type { Ground, Proven, WantedField } from './wanted.ts';

export interface AppliedChange {
  readonly change: Change;
  readonly found: FoundValue;
  /** Absent where a value must not be read or shown. */
  readonly expectation?: Expectation;
  /** The generated object that changes with it. */
  readonly subject?: ObjectRef;
  /** The fields of the build that have the value then. */
  readonly proven: readonly Proven[];
  /** It is set in the manifest of the Kustomization that applies the target. */
  readonly byManifest: boolean;
  /** Whom the same line releases along (write: base). */
  readonly along: readonly string[];
}

/** Gives fields of what is built the values that are asked for. @throws Refusal. */
export async function applyFields(
  fields: readonly WantedField[],
  ground: Ground,
): Promise<readonly AppliedChange[]> {
  const origins = await originsOf(ground.tree, fields);
  const applied: AppliedChange[] = [];
  for (const field of fields) {
    const origin = origins.get(field);
    if (origin) applied.push(await applyField(field, { origin, fields, ground }));
  }
  return applied;
}

interface Applying extends SettingApart {
  readonly origin: Origin;
}

async function applyField(field: WantedField, on: Applying): Promise<AppliedChange> {
  const { origin, ground } = on;
  await refuseUnknown(field, ground);
  const at = await lineOf(origin, ground);
  if (!at) return applied(field, await setElsewhere(field, on));
  const done = { path: at.path, line: at.line, byManifest: origin.byManifest, along: [] };
  if (field.isThere) return applied(field, done);
  refuseMarked(ground.settings, at);
  await refuseVariables(field.change, field.words.requested, { tree: ground.tree, of: field.of });
  const { write } = ground.settings;
  const within = othersWithin(field, on);
  const beyond = await othersBeyond(origin, field, ground);
  const isApart = write === 'overlay' && (within.length + beyond.length > 0 || isOutside(at.path, field));
  if (isApart) {
    const way = await setApart(field, on);
    return applied(field, { ...done, byManifest: way.byManifest });
  }
  const where = `${field.change.name} of ${field.target} is set in ${at.path}:${at.line}`;
  if (within.length > 0 && field.elsewhere !== undefined) {
    const [way] = await field.apart(ground);
    throw new Refusal(
      'shared-line',
      `${field.change.name} of ${field.target} is set by a patch (${at.path}:${at.line}) that reaches ${within.join(', ')}, too.`,
      { remedy: overlayRemedy(field, way) },
    );
  }
  if (within.length > 0) {
    throw new Refusal(
      'change-ambiguous',
      `${where}, which changes ${within.join(', ')}, too; that is no target of the change.`,
      {
        remedy:
          'Name all of them as targets, or set the value where only the target takes it from: a patch or an entry of its own (write: overlay in rollout.yaml adds one).',
      },
    );
  }
  if (beyond.length > 0 && write !== 'base') {
    throw new Refusal('shared-line', `${where}, which is also built by ${beyond.join(', ')}.`, {
      remedy:
        'Say write: overlay in rollout.yaml to set it for this environment alone (an images entry or a patch of its own), or write: base to change it for all of them.',
    });
  }
  await field.inPlace(ground, origin);
  const source = origin.arrivals.find(({ object }) => object.kind === 'ConfigMap')?.object;
  return {
    ...applied(field, { ...done, along: beyond }),
    ...(source ? { subject: { kind: source.kind, name: unhashed(source.name) } } : {}),
  };
}

function applied(
  field: WantedField,
  on: Pick<FoundValue, 'path' | 'line'> &
    Pick<AppliedChange, 'byManifest'> & { readonly along?: readonly string[] },
): AppliedChange {
  const { change, target, words, expectation, currentExpectation } = field;
  const { path, line, byManifest, along = [] } = on;
  return {
    change,
    expectation,
    byManifest,
    along,
    proven: [field],
    found: { ...words, target, path, line, currentExpectation },
  };
}

interface LineAt {
  readonly path: string;
  readonly line: number;
  /** With its comment. */
  readonly text: string;
}

async function lineOf({ dyes: [dye] }: Origin, { tree }: Ground): Promise<LineAt | undefined> {
  if (!dye) return undefined;
  const path = dye.place.file;
  const content = (await tree.text(path)) ?? '';
  const { line } = dye.place;
  return { path, line, text: content.split('\n')[line - 1] ?? '' };
}

/** What else of the same build has the value from there, and is not asked for. */
function othersWithin(field: WantedField, { origin, fields }: Applying): readonly string[] {
  const asked = fields.filter(({ change }) => change === field.change);
  const isAsked = ({ object, path }: ArrivedAt): boolean =>
    asked.some(
      each => identity(each.object) === identity(object) && each.path.join('\0') === path.join('\0'),
    );
  const others = origin.arrivals.filter(
    arrived =>
      !isAsked(arrived) &&
      field.isMeant?.(arrived) !== true &&
      !isFluxKustomization(arrived.object, field.of) &&
      !isSourceOnly(arrived.object, { origin, asked }),
  );
  const own = (object: ArrivedAt['object']): boolean => identity(object) === identity(field.object);
  return [
    ...new Set([
      ...others.map(({ object, path }) =>
        own(object) ? `${path.join('.')} of ${nameOf(object)}` : `${object.kind} ${object.name}`,
      ),
      ...(field.alsoIn?.(origin) ?? []),
    ]),
  ];
}

/** A ConfigMap from which a replacement takes the value, and that no other workload reads. */
function isSourceOnly(
  object: ArrivedAt['object'],
  { origin, asked }: { readonly origin: Origin; readonly asked: readonly WantedField[] },
): boolean {
  if (object.kind !== 'ConfigMap') return false;
  const name = JSON.stringify(object.name);
  return !origin.objects.some(
    other =>
      other !== object &&
      !asked.some(each => identity(each.object) === identity(other)) &&
      JSON.stringify(record(other.data['spec'])).includes(name),
  );
}

/** Who else is built from the same line: other Kustomizations, and folders of the repository. */
async function othersBeyond(
  origin: Origin,
  field: WantedField,
  { sharers }: Ground,
): Promise<readonly string[]> {
  const above = origin.above
    .map(({ object }) => object)
    .filter(object => !isFluxKustomization(object, field.of) && object.kind === 'Kustomization');
  const reached = await sharers.reachedBy(origin.dyes);
  return [...new Set([...above.map(nameOf), ...reached.map(({ words }) => words)])];
}

function isOutside(path: string, { of }: WantedField): boolean {
  const folder = folderIn(of.spec);
  return folder !== '' && of.isOurs && !path.startsWith(`${folder}/`);
}
