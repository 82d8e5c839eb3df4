import { record } from '../build/json.ts';
import type { BuiltObject } from '../build/tree-builder.ts';
import type { Change, RolloutFile } from '../config/settings.ts';
import type { Expectation } from '../rollout/expectation.ts';
import { unhashed } from '../rollout/name-hash.ts';
import { ROLLOUT_ID_ANNOTATION, SOURCE_SHA_ANNOTATION, targetKey } from '../rollout/target.ts';
import { Refusal } from '../rollout/verdict.ts';
import { refersTo } from './canary/guards.ts';
import { SERVICE_UPSTREAM } from './canary/service-upstream.ts';
import type { AppliedChange } from './changes/apply.ts';
import { type ChangedObject, type Difference, differences, identity, nameOf } from './differences.ts';
import type { RenderedObject } from './plan.ts';
import type { TargetSource } from './sources/target-source.ts';
import { isFluxKustomization } from './tree/applied.ts';

interface Meant {
  readonly rollout: Pick<RolloutFile, 'changes' | 'canaries'>;
  readonly sources: readonly TargetSource[];
  readonly expectations: readonly Expectation[];
  readonly applied: readonly AppliedChange[];
  readonly rendered: readonly RenderedObject[];
}

const OURS = [ROLLOUT_ID_ANNOTATION, SOURCE_SHA_ANNOTATION];
const TEMPLATE = ['spec', 'template'];

/** @throws Refusal `change-ambiguous` when the build changes in more than what the plan means to change. */
export function refuseSideEffects(changed: readonly ChangedObject[], meant: Meant): void {
  for (const { before, after } of changed) {
    const object = after ?? before;
    if (!object || isFlaggers(object, meant) || isSubject(object, meant)) continue;
    if (isUpstream(object, differences(before?.data, after?.data), meant)) continue;
    const of = meant.sources.filter(source => identity(source.object) === identity(object));
    const unmeant = differences(before?.data, after?.data).find(
      difference => !of.some(source => isMeant(difference, source, meant)),
    );
    if (unmeant) throw sideEffect(object, unmeant, of.length > 0);
  }
}

/** The annotation that a Canary's service-upstream asks for. */
function isUpstream({ kind }: BuiltObject, all: readonly Difference[], { rollout }: Meant): boolean {
  const isAsked = rollout.canaries.some(({ serviceUpstream }) => serviceUpstream);
  return (
    isAsked &&
    kind === 'Ingress' &&
    all.every(({ path, from, to }) => {
      const added = path[2] === undefined ? Object.keys({ ...record(from), ...record(to) }) : [path[2]];
      return path[1] === 'annotations' && added.every(key => key === SERVICE_UPSTREAM);
    })
  );
}

/** The Canary of a target, and what rollout.yaml makes beside it. */
function isFlaggers({ kind, name, apiVersion, data }: BuiltObject, { sources, rendered }: Meant): boolean {
  if (!apiVersion.startsWith('flagger.app/')) return false;
  const ref = record(data['spec'])['targetRef'];
  return (
    sources.some(({ target }) => refersTo(ref, target)) ||
    // A prefix may have been added to what is written.
    rendered.some(each => each.kind === kind && name.includes(each.metadata.name))
  );
}

/** What a change names itself, what a generator makes, or a Kustomization on the way: all that differs in it follows from the lines that are changed. */
function isSubject(object: BuiltObject, { applied, sources, rollout }: Meant): boolean {
  const plain = unhashed(object.name);
  return (
    sources.some(
      source =>
        isFluxKustomization(object, source.of) || source.takesFrom({ kind: object.kind, name: plain }),
    ) ||
    rollout.changes.some(
      change =>
        change.kind === 'field' && change.object.kind === object.kind && plain.includes(change.object.name),
    ) ||
    applied.some(({ subject }) => subject?.kind === object.kind && plain.endsWith(subject.name))
  );
}

function isMeant(difference: Difference, source: TargetSource, meant: Meant): boolean {
  const { path } = difference;
  if (source.mayChange(path)) return true;
  if (!source.isBuilt || !TEMPLATE.every((key, index) => path[index] === key)) return false;
  const key = targetKey(source.target);
  if (path[2] === 'metadata') return isOurs(difference);
  const [, , , section = '', name = '', ...field] = path;
  // A field of another object may reach the template in any way (a name with a hash, a replacement), and is analysed.
  if (meant.rollout.changes.some(change => isNamed(change, key))) return true;
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

function isNamed(change: Change, target: string): boolean {
  return (change.kind === 'field' || change.kind === 'input') && change.in.includes(target);
}

/** Our annotations, or the maps above them where there were none. */
function isOurs({ path, from, to }: Difference): boolean {
  const [, , , map, annotation] = path;
  if (map === undefined) {
    return (
      from === undefined &&
      Object.keys(record(to)).join() === 'annotations' &&
      onlyOurs(record(to)['annotations'])
    );
  }
  if (map !== 'annotations') return false;
  return annotation === undefined ? onlyOurs({ ...record(from), ...record(to) }) : OURS.includes(annotation);
}

function onlyOurs(annotations: unknown): boolean {
  return Object.keys(record(annotations)).every(key => OURS.includes(key));
}

function sideEffect(object: BuiltObject, { path, from, to }: Difference, isTarget: boolean): Refusal {
  const what = nameOf(object);
  const how =
    path.length === 0
      ? `${from === undefined ? 'add' : 'remove'} ${what}`
      : object.kind === 'Secret'
        ? `change ${path.join('.')} of ${what}`
        : `change ${path.join('.')} of ${what} from ${shown(from)} to ${shown(to)}`;
  const releasable = object.kind === 'Deployment' || object.kind === 'DaemonSet';
  return new Refusal(
    'change-ambiguous',
    `The release would also ${how}${isTarget ? '' : ', which is no target of the change'} (so Flux builds it).`,
    {
      remedy: isTarget
        ? 'Set the value in a place where nothing else of the target takes it from.'
        : `${releasable ? 'Name it as a target, too, or set' : 'Set'} the value where only the target takes it from: a patch or an entry of its own.`,
    },
  );
}

function shown(value: unknown): string {
  const words = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing');
  return words.length > 80 ? `${words.slice(0, 77)}…` : words;
}
