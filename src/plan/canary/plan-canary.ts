import { posix } from 'node:path';
import { type Fields, record, text } from '../../build/json.ts';
import type { BuiltObject } from '../../build/tree-builder.ts';
import type { CanarySettings } from '../../config/settings.ts';
import type { Edits } from '../../edit/edits.ts';
import { YamlText } from '../../edit/yaml-text.ts';
import { canaryAnalysis } from '../../flagger/canary-analysis.ts';
import type { TargetView } from '../../rollout/observation.ts';
import { type TargetKey, type TargetRef, targetKey } from '../../rollout/target.ts';
import { Refusal } from '../../rollout/verdict.ts';
import type { Ground } from '../changes/wanted.ts';
import { refuseUnapplied } from '../git-warnings.ts';
import { refuseKnativeCanary } from '../knative-target.ts';
import type { PlanWarning, RenderedObject, ScheduledAnalysis } from '../plan.ts';
import type { TargetSource } from '../sources/target-source.ts';
import { type Manifest, manifestOf } from '../tree/manifests.ts';
import { canarySpec, editCanary } from './canary-edit.ts';
import { canaryWarnings } from './canary-warnings.ts';
import { checkCanary } from './check-canary.ts';
import { canaryIn } from './guards.ts';
import { newSpec } from './new-canary.ts';
import { scheduleOf } from './schedule.ts';
import { addServiceUpstream, ingressOf } from './service-upstream.ts';
import { withShortForms } from './short-forms.ts';
import { refuseClaims } from './volume-claims.ts';
import { type Written, written } from './written.ts';

export interface CanaryOn {
  readonly source: TargetSource;
  readonly ground: Ground;
  /** What is built beside the target, from files of this repository. */
  readonly objects: readonly BuiltObject[];
  readonly view: TargetView | undefined;
  readonly settings: CanarySettings | undefined;
  /** Edits of the commit that adds a Canary. */
  readonly adoption: Edits;
}

export interface PlannedCanary {
  /** The target has no Canary yet: its file is in the adoption's edits. */
  readonly adopted: boolean;
  /** Where the Canary is written; undefined when that is outside of what applies the target, or not yet anywhere. */
  readonly site?: Manifest;
  readonly schedule: ScheduledAnalysis | undefined;
  /** What the cluster will be asked to take, for the API server to look at first. */
  readonly rendered: readonly RenderedObject[];
  readonly warnings: readonly PlanWarning[];
}

type Settled = CanaryOn & { readonly settings: CanarySettings };

/**
 * The Canary of a target: kept as it is built, edited where rollout.yaml names fields, or created.
 * @throws Refusal when there is none and none is described.
 */
export async function planCanary(on: CanaryOn): Promise<PlannedCanary> {
  const { target } = on.source;
  const key = targetKey(target);
  const existing = canaryIn(on.objects, target);
  const live = on.view?.canary;
  if (existing) {
    const canary = await written(on.ground.tree, existing);
    if (!live) throw notLive(key, canary);
    await refuseSkipperCrash(on, { ...record(existing.data['spec']), ...on.settings?.spec });
    const { spec, rendered } = on.settings
      ? await edited(canary, { ...on, settings: on.settings })
      : { spec: record(existing.data['spec']), rendered: [] };
    refuseKnativeCanary(target, { spec, where: placeOf(canary) });
    const { name, namespace } = live;
    const schedule = scheduleOf(key, canaryAnalysis(spec), { name, namespace, spec });
    if (on.settings) await upstream({ ...on, settings: on.settings }, spec);
    const warnings = await warningsOf(on, spec);
    return {
      adopted: false,
      ...(canary.manifest ? { site: canary.manifest } : {}),
      schedule,
      rendered,
      warnings,
    };
  }
  if (live) {
    if (on.settings) throw elsewhere(key, on.settings);
    refuseKnativeCanary(target, live);
    return { adopted: false, schedule: scheduleOf(key, live.analysis), rendered: [], warnings: [] };
  }
  if (!on.settings) throw missing(key);
  return { adopted: true, ...(await created({ ...on, settings: on.settings })) };
}

async function ingressBeside(on: CanaryOn, spec: Fields): Promise<Written | undefined> {
  const object = ingressOf(spec, on.objects);
  return object && (await written(on.ground.tree, object));
}

async function upstream(on: Settled, spec: Fields): Promise<void> {
  if (!on.settings.serviceUpstream) return;
  const { file, line } = on.settings.position;
  const seen = on.objects.filter(({ kind }) => kind === 'Ingress').map(({ name }) => name);
  await addServiceUpstream(await ingressBeside(on, spec), {
    ground: on.ground,
    seen,
    where: `${file}:${line}`,
  });
}

/** What is asked for is no longer missing. */
async function warningsOf(on: CanaryOn, spec: Fields): Promise<readonly PlanWarning[]> {
  const { target, template } = on.source;
  const all = canaryWarnings({ target, template, spec, ingress: await ingressBeside(on, spec) });
  const claims = refuseClaims({ ...on, isAdopted: false });
  return [
    ...claims,
    ...all.filter(({ code }) => code !== 'service-upstream' || !on.settings?.serviceUpstream),
  ];
}

async function edited(
  { object, manifest }: Written,
  on: Settled,
): Promise<{ readonly spec: Fields; readonly rendered: readonly RenderedObject[] }> {
  const { target } = on.source;
  const { edits, sharers, settings: of } = on.ground;
  const key = targetKey(target);
  if (!manifest) throw elsewhere(key, on.settings);
  await refuseUnapplied(object, { tree: on.ground.tree, of: on.source.beside });
  const { name, namespace } = manifest;
  const names = { name, ...(namespace === undefined ? {} : { namespace }) };
  const { spec: wanted, objects } = withShortForms(on.settings, names);
  const old = record(object.data['spec']);
  const spec = canarySpec(old, wanted);
  checkCanary(key, { spec, before: old, objects, settings: on.settings });
  const others = await sharers.of(manifest.file.path);
  if (others.length > 0 && of.write !== 'base' && JSON.stringify(spec) !== JSON.stringify(old)) {
    throw new Refusal(
      'shared-line',
      `The Canary of ${key} is in ${manifest.file.path}, which is also built by ${others.map(({ words }) => words).join(', ')}.`,
      { remedy: 'Say write: base in rollout.yaml to change it for all of them.' },
    );
  }
  const asWritten = canarySpec(record(manifest.data['spec']), wanted);
  edits.update(manifest.file, file => editCanary(file, manifest, asWritten));
  for (const each of objects) await writeBeside(manifest, each, on);
  const live = { kind: 'Canary', metadata: { name: on.view?.canary?.name ?? name }, spec };
  return { spec, rendered: [live, ...objects].map(each => renderedObject(each, target)) };
}

/**
 * Seen with Flagger 1.44: its Skipper router writes into the annotations of the Ingress, and panics when there are none
 * (router/skipper.go, makeAnnotations). Flagger is then down for every canary of the cluster.
 */
async function refuseSkipperCrash(on: CanaryOn, canary: Fields): Promise<void> {
  if (canary['provider'] !== 'skipper') return;
  const ingress = await ingressBeside(on, canary);
  if (!ingress) return;
  const { object } = ingress;
  if (Object.keys(record(record(object.data['metadata'])['annotations'])).length > 0) return;
  throw new Refusal(
    'bad-config',
    `Ingress ${object.name} (${placeOf(ingress)}) has no annotations; Flagger 1.44 crashes on such an Ingress when the provider is skipper, and with it every canary of the cluster.`,
    { remedy: 'Give the Ingress an annotation, any one, then release again.' },
  );
}

/** A MetricTemplate or AlertProvider: brought to its spec where it is written already, else added after the Canary. */
async function writeBeside(canary: Manifest, object: Fields, { objects, ground }: Settled): Promise<void> {
  const { kind, name } = { kind: text(object['kind']), name: text(record(object['metadata'])['name']) };
  const there = objects.find(each => each.kind === kind && each.name === name);
  const manifest = there && (await manifestOf(ground.tree, there));
  if (manifest)
    ground.edits.update(manifest.file, file => editCanary(file, manifest, record(object['spec'])));
  else ground.edits.update(canary.file, file => file.withDocument(object));
}

function renderedObject(object: Fields, target: TargetRef): RenderedObject {
  const name = text(record(object['metadata'])['name']);
  return {
    apiVersion: 'flagger.app/v1beta1',
    kind: text(object['kind']),
    metadata: { name, namespace: target.namespace },
    spec: object['spec'],
  };
}

async function created(on: Settled): Promise<Pick<PlannedCanary, 'schedule' | 'rendered' | 'warnings'>> {
  const { settings, source, adoption } = on;
  const { target } = source;
  const home = await source.home(on.ground);
  const name = settings.name ?? home.name;
  const names = { name, ...(home.namespace === undefined ? {} : { namespace: home.namespace }) };
  const { spec: wanted, objects } = withShortForms(settings, names);
  const spec = newSpec(source, wanted);
  await refuseSkipperCrash(on, spec);
  const claims = refuseClaims({ ...on, isAdopted: true });
  await upstream({ ...on, ground: { ...on.ground, edits: adoption } }, spec);
  checkCanary(targetKey(target), { spec, before: {}, objects, settings });
  const path = settings.file ?? posix.join(posix.dirname(home.beside), `${name}-canary.yaml`);
  const canary = { apiVersion: 'flagger.app/v1beta1', kind: 'Canary', metadata: names, spec };
  const [first, ...others] = [canary, ...objects];
  const start = new YamlText(path, '').withFirstDocument(first);
  adoption.write(path, others.reduce((file, object) => file.withDocument(object), start).text);
  if (home.kustomization) {
    const relative = posix.relative(home.kustomization.folder, path);
    adoption.update(home.kustomization.file, file =>
      file.node(0, ['resources'])
        ? file.append(0, ['resources'], relative)
        : file.set(0, ['resources'], [relative]),
    );
  }
  const { namespace } = target;
  return {
    schedule: scheduleOf(targetKey(target), canaryAnalysis(spec), { name, namespace, spec }),
    rendered: [canary, ...objects].map(object => renderedObject(object, target)),
    warnings: [...claims, ...(await warningsOf({ ...on, settings }, spec))].filter(
      ({ code }, index, all) => all.findIndex(each => each.code === code) === index,
    ),
  };
}

function placeOf({ object, manifest }: Written): string {
  return manifest?.file.path ?? object.origin?.path ?? 'the build';
}

function notLive(target: TargetKey, canary: Written): Refusal {
  return new Refusal(
    'chain-broken',
    `The tree has a Canary for ${target} (${placeOf(canary)}), but the cluster has none.`,
    {
      remedy: 'Look why Flux has not applied it: is the Kustomization Ready, and is Flagger’s CRD installed?',
    },
  );
}

function elsewhere(target: TargetKey, settings: CanarySettings): Refusal {
  const { file, line } = settings.position;
  return new Refusal(
    'change-not-found',
    `The Canary of ${target} is not in the folder that applies the target, so the fields at ${file}:${line} cannot be edited.`,
    { remedy: 'Edit it where it is, and take it out of rollout.yaml.' },
  );
}

function missing(target: TargetKey): Refusal {
  return new Refusal(
    'canary-not-found',
    `${target} has no Canary, and rollout.yaml describes none: it would go out without an analysis.`,
    {
      remedy: `Describe one under canary: ${target}: in rollout.yaml (provider, service, analysis); it is added by a commit of its own first.`,
    },
  );
}
