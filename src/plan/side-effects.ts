import type { Change, RolloutFile } from '../config/settings.ts';
import type { Expectation } from '../rollout/expectation.ts';
import { unhashed } from '../rollout/name-hash.ts';
import {
  ROLLOUT_ID_ANNOTATION,
  SOURCE_SHA_ANNOTATION,
  type TargetRef,
  targetKey,
} from '../rollout/target.ts';
import { Refusal } from '../rollout/verdict.ts';
import type { AppliedChange } from './apply-change.ts';
import {
  type BuiltObject,
  type ChangedObject,
  type Difference,
  differences,
  isTarget,
} from './built-objects.ts';
import { changeOfRelease } from './helm/built-release.ts';
import type { HelmSite } from './helm/helm-site.ts';
import { refersTo } from './locate.ts';
import { record, text } from './patch-reach.ts';
import type { RenderedObject } from './plan.ts';

interface Meant {
  readonly rollout: Pick<RolloutFile, 'changes'>;
  /** Those that are built here. */
  readonly targets: readonly TargetRef[];
  /** What is changed so that it brings its targets changed. */
  readonly links: readonly { readonly kind: string; readonly name: string }[];
  readonly expectations: readonly Expectation[];
  readonly applied: readonly AppliedChange[];
  readonly rendered: readonly RenderedObject[];
  /** Those that bring targets. */
  readonly releases: readonly HelmSite[];
  /** The builder. */
  readonly by: string;
}

const OURS = [ROLLOUT_ID_ANNOTATION, SOURCE_SHA_ANNOTATION];
const TEMPLATE = ['spec', 'template'];

/** @throws Refusal `change-ambiguous` when the build changes in more than what the plan means to change. */
export function refuseSideEffects(changed: readonly ChangedObject[], meant: Meant): void {
  for (const { before, after } of changed) {
    const object = after ?? before;
    if (!object || isFlaggers(object, meant) || isSubject(object, meant)) continue;
    const ofRelease = changeOfRelease(
      { ...(before ? { before } : {}), ...(after ? { after } : {}) },
      meant.releases,
    );
    if (ofRelease?.length === 0) continue;
    const target = meant.targets.find(each => isTarget(object, each));
    const all = differences(before?.data, after?.data);
    const unmeant = target
      ? all.find(difference => !isMeant(difference, target, meant))
      : (ofRelease ?? all)[0];
    if (unmeant) throw sideEffect(object, unmeant, { target, by: meant.by });
  }
}

/** The Canary of a target, and what rollout.yaml makes beside it. */
function isFlaggers({ kind, name, data }: BuiltObject, { targets, rendered }: Meant): boolean {
  if (!text(data['apiVersion']).startsWith('flagger.app/')) return false;
  const ref = record(data['spec'])['targetRef'];
  return (
    targets.some(target => refersTo(ref, target.kind, [target.name])) ||
    // A prefix may have been added to what is written.
    rendered.some(each => each.kind === kind && name.includes(each.metadata.name))
  );
}

/** What a change names itself, a link to a target, or what a generator makes: all that differs in it follows from the one line that is changed. */
function isSubject({ kind, name }: BuiltObject, { rollout, applied, links }: Meant): boolean {
  const plain = unhashed(name);
  return (
    links.some(link => link.kind === kind && link.name === name) ||
    rollout.changes.some(
      change => change.kind === 'field' && change.object.kind === kind && plain.includes(change.object.name),
    ) ||
    applied.some(({ subject }) => subject?.kind === kind && [plain, name].includes(subject.name))
  );
}

function isMeant(difference: Difference, target: TargetRef, meant: Meant): boolean {
  const { path } = difference;
  if (!TEMPLATE.every((key, index) => path[index] === key)) return false;
  const key = targetKey(target);
  if (path[2] === 'metadata') return isOurs(difference);
  const [, , , section = '', name = '', ...field] = path;
  // A field of another object may reach the template in any way (a name with a hash, a replacement), and is analysed.
  if (meant.rollout.changes.some(change => isField(change, key))) return true;
  if (section !== 'containers' && section !== 'initContainers') return false;
  return meant.expectations.some(
    expected => expected.target === key && isValueOf(expected, { container: name, field }),
  );
}

function isValueOf(
  expected: Expectation,
  at: { readonly container: string; readonly field: readonly string[] },
): boolean {
  if (expected.kind === 'field' || expected.kind === 'chart' || expected.kind === 'secret') return false;
  if (expected.container !== undefined && expected.container !== at.container) return false;
  const [list, item = ''] = at.field;
  if (expected.kind === 'image') return list === 'image';
  if (expected.kind === 'arg') return list === 'args' || list === 'command';
  // By its place where a name stands twice in the list.
  return list === 'env' && (item === expected.name || /^\d+$/.test(item));
}

function isField(change: Change, target: string): boolean {
  return (change.kind === 'field' || change.kind === 'input') && change.in.includes(target);
}

/** One of our annotations, or all of them where there were none. */
function isOurs({ path, from, to }: Difference): boolean {
  const [, , , map, annotation] = path;
  if (map !== 'annotations') return false;
  const keys = annotation === undefined ? Object.keys({ ...record(from), ...record(to) }) : [annotation];
  return keys.every(key => OURS.includes(key));
}

function sideEffect(
  object: BuiltObject,
  { path, from, to }: Difference,
  on: { readonly target: TargetRef | undefined; readonly by: string },
): Refusal {
  const name = [object.namespace, object.name].filter(part => part !== undefined).join('/');
  const what = `${object.kind} ${name}`;
  const how =
    path.length === 0
      ? `${from === undefined ? 'add' : 'remove'} ${what}`
      : object.kind === 'Secret'
        ? `change ${path.join('.')} of ${what}`
        : `change ${path.join('.')} of ${what} from ${shown(from)} to ${shown(to)}`;
  const releasable = object.kind === 'Deployment' || object.kind === 'DaemonSet';
  return new Refusal(
    'change-ambiguous',
    `The release would also ${how}${on.target ? '' : ', which is no target of the change'} (${on.by} builds it so).`,
    {
      remedy: on.target
        ? 'Set the value in a place where nothing else of the target takes it from.'
        : `${releasable ? 'Name it as a target, too, or set' : 'Set'} the value where only the target takes it from: a patch or an entry of its own.`,
    },
  );
}

function shown(value: unknown): string {
  const words = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing');
  return words.length > 80 ? `${words.slice(0, 77)}…` : words;
}
