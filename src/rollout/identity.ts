import { isDeepStrictEqual } from 'node:util';
import type { Expectation } from './expectation.ts';
import { liveValue } from './live-value.ts';
import type { Observation, ReplicaSetView, TargetView, WorkloadView } from './observation.ts';
import type { Intent } from './state.ts';
import type { TargetKey } from './target.ts';

/**
 * By what a rollout's templates are known. `annotation`: our commit put an id on them. `values`: the commit was made by
 * somebody else (image automation), so that a template is ours when it holds every value asked for.
 */
export type Identity = 'annotation' | 'values';

/** What identifies a template; fields of other objects and versions of charts do not. */
export function identifying(expectations: readonly Expectation[], target: TargetKey): readonly Expectation[] {
  return expectations.filter(each => each.target === target && isOfTemplate(each));
}

/** A pod template shows it. */
export function isOfTemplate({ kind }: Expectation): boolean {
  return kind === 'image' || kind === 'env' || kind === 'arg';
}

/** Whether a pod template holds every value; never when none is asked for. */
export function holdsAll(expectations: readonly Expectation[], template: unknown): boolean {
  return expectations.length > 0 && expectations.every(each => liveValue(each, template).holds);
}

/**
 * What is ours by its values carries our id from here on, so that everything is judged in the same way whoever made
 * the commit.
 */
export function identified(observation: Observation, intent: Intent): Observation {
  if (intent.identity === 'annotation') return observation;
  const baselines = new Map(intent.baselines.map(baseline => [baseline.target, baseline]));
  const targets = Object.entries(observation.targets).map(([target, view]) => {
    const newestBefore = baselines.get(target)?.newestReplicaSetAt;
    const expectations = identifying(intent.expectations, target);
    return [target, ofTarget(view, { id: intent.id, expectations, newestBefore })] as const;
  });
  return { ...observation, targets: Object.fromEntries(targets) };
}

interface Ours {
  readonly id: string;
  readonly expectations: readonly Expectation[];
  readonly newestBefore: number | undefined;
}

function ofTarget(view: TargetView, ours: Ours): TargetView {
  const { target, primary } = view;
  const replicaSets = view.replicaSets.map(replicaSet => ofReplicaSet(replicaSet, view, ours));
  const isOurs = (revision: string) =>
    replicaSets.some(({ name, rolloutId }) => name === revision && rolloutId === ours.id);
  return {
    ...view,
    ...(target ? { target: named(target, holdsAll(ours.expectations, target.template), ours.id) } : {}),
    ...(primary ? { primary: named(primary, holdsAll(ours.expectations, primary.template), ours.id) } : {}),
    replicaSets,
    ...(view.traffic
      ? { traffic: view.traffic.map(each => named(each, isOurs(each.revision), ours.id)) }
      : {}),
  };
}

/**
 * A ReplicaSet of the same values may be of an earlier attempt. Ours is the one that the target has now, and what came
 * after the baseline.
 */
function ofReplicaSet(replicaSet: ReplicaSetView, view: TargetView, ours: Ours): ReplicaSetView {
  const { template, createdAt } = replicaSet;
  if (!holdsAll(ours.expectations, template)) return replicaSet;
  const current = sameTemplate(template, view.target);
  const since = ours.newestBefore;
  const isOurs = current || since === undefined || createdAt > since;
  // Kubernetes takes an old ReplicaSet again for a template that it had before; its age says nothing of this delivery.
  const reused = current && view.replicaSets.some(other => other.createdAt > createdAt);
  const dated = reused ? { ...replicaSet, createdAt: view.target?.appliedAt ?? createdAt } : replicaSet;
  return named(dated, isOurs, ours.id);
}

/** The Deployment controller adds one label to its template (kubernetes deployment/util: PodTemplateHash). */
function sameTemplate(template: unknown, target: WorkloadView | undefined): boolean {
  return target !== undefined && isDeepStrictEqual(withoutHash(template), withoutHash(target.template));
}

function withoutHash(template: unknown): unknown {
  const labels = field(field(template, 'metadata'), 'labels');
  if (!isRecord(template) || !isRecord(labels)) return template;
  const { 'pod-template-hash': _hash, ...rest } = labels;
  return { ...template, metadata: { ...recordOf(template['metadata']), labels: rest } };
}

/** Ids that other rollouts left in the template stay what they are. */
function named<T extends { readonly rolloutId?: string }>(object: T, ours: boolean, id: string): T {
  return ours ? { ...object, rolloutId: id } : object;
}

function field(value: unknown, key: string): unknown {
  return isRecord(value) ? value[key] : undefined;
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return isRecord(value) ? value : {};
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
