import type { Edits } from '../../edit/edits.ts';
import { kindOfKey } from '../../rollout/target.ts';
import { Refusal } from '../../rollout/verdict.ts';
import { changedObjects, differences, identity } from '../differences.ts';
import { folderIn, folderWords, isFluxKustomization } from '../tree/applied.ts';
import type { Apart, Ground, WantedField } from './wanted.ts';

export interface SettingApart {
  /** All fields that are asked for. */
  readonly fields: readonly WantedField[];
  readonly ground: Ground;
}

type PlaceApart = Pick<Apart, 'path' | 'line' | 'byManifest'>;

/** No line here sets it. */
export async function setElsewhere(field: WantedField, on: SettingApart): Promise<PlaceApart> {
  const { elsewhere, change, target } = field;
  if (elsewhere === undefined) throw unfollowed(field);
  if (field.isThere) {
    const [way] = await field.apart(on.ground);
    return way ?? { path: '', line: 1, byManifest: false };
  }
  const what = `${change.name} of ${target} is set in ${elsewhere}, and by nothing here`;
  if (on.ground.settings.write === 'overlay') return await setApart(field, on);
  const [way] = await field.apart(on.ground);
  throw new Refusal('shared-line', `${what}.`, { remedy: overlayRemedy(field, way) });
}

/** Where a patch of its own would go. */
export function overlayRemedy({ target }: WantedField, way: Apart | undefined): string {
  return way
    ? `Say write: overlay in rollout.yaml: then a patch for ${kindOfKey(target)} ${target.slice(target.indexOf('/') + 1)} alone is added to ${way.words}. Or add one yourself.`
    : 'Give this environment a kustomization of its own, and the value in it.';
}

/** @throws Refusal where a variable sets the value, and nobody here knows from what. */
export async function refuseUnknown(field: WantedField, { tree }: Ground): Promise<void> {
  const { unknownVariables } = await tree.built(field.of);
  const unknown = unknownVariables.find(name => field.words.current.includes(`\${${name}`));
  if (unknown !== undefined)
    throw unfollowed(field, `: the variable ${unknown} comes from what is not in this repository`);
}

function unfollowed({ of, change, target, words }: WantedField, more = ''): Refusal {
  const { file, line } = change.position;
  const manifest = of.definedBy ? '' : ', nor its own manifest, which is not in this repository';
  return new Refusal(
    'change-not-found',
    `${words.change} of ${target} is ${words.current} in what Flux builds from ${folderWords(folderIn(of.spec))}, and no line of this repository that we could change sets it so (${file}:${line})${more}${manifest}.`,
    {
      remedy:
        'It may be put together by a transformer, a replacement with a delimiter, or a variable that comes from elsewhere. Write the value out in the manifest, or in a patch.',
    },
  );
}

/** By the first way that gives this field the value, and nothing else another one. @throws Refusal. */
export async function setApart(field: WantedField, { fields, ground }: SettingApart): Promise<PlaceApart> {
  const { tree, edits } = ground;
  const before = await tree.built(field.of, edits.snapshot());
  const ways = await field.apart(ground);
  const [first] = ways;
  if (first && field.read(before.objects) === field.wanted) return first;
  const problems: string[] = [];
  for (const way of ways) {
    const trial: Edits = edits.fork();
    way.write(trial);
    const after = await tree.build(field.of, trial.snapshot());
    if (after.kind !== 'built') {
      problems.push(after.words);
      continue;
    }
    const others = changedObjects(before.objects, after.objects).filter(({ before: old, after: now }) => {
      const object = now ?? old;
      if (!object || isFluxKustomization(object, field.of)) return false;
      const asked = fields.filter(
        each => each.change === field.change && identity(each.object) === identity(object),
      );
      return (
        asked.length === 0 ||
        differences(old?.data, now?.data).some(({ to }) => !asked.some(each => each.wanted === to))
      );
    });
    if (others.length === 0 && field.read(after.objects) === field.wanted) {
      way.write(edits);
      return way;
    }
    const names = others.flatMap(({ before: old, after: now }) => (now ?? old)?.kind ?? []);
    problems.push(
      names.length > 0
        ? `${way.path} would change ${others.map(({ before: old, after: now }) => `${(now ?? old)?.kind} ${(now ?? old)?.name}`).join(', ')}, too, which is no target of the change`
        : `what is set in ${way.path} does not arrive`,
    );
  }
  const { file, line } = field.change.position;
  const [problem] = problems;
  if (problem === undefined) {
    throw new Refusal(
      'shared-line',
      `${file}:${line}: the folder that Flux applies has no kustomization to hold the value.`,
      {
        remedy: 'Give it a kustomization.yaml, or say write: base.',
      },
    );
  }
  throw new Refusal('change-ambiguous', `${file}:${line}: ${problem}.`, {
    remedy:
      'Name all of them as targets, set the value by hand in this environment’s own folder, or say write: base.',
  });
}
