import { posix } from 'node:path';
import type { CanarySettings, RolloutFile } from '../config/settings.ts';
import { canaryAnalysis } from '../flagger/canary-analysis.ts';
import type { TargetView } from '../rollout/observation.ts';
import { type TargetKey, type TargetRef, targetKey } from '../rollout/target.ts';
import { Refusal } from '../rollout/verdict.ts';
import { canarySpec, editCanary } from './canary-edit.ts';
import { canaryWarnings } from './canary-warnings.ts';
import { checkCanary } from './check-canary.ts';
import { containersOf } from './containers.ts';
import type { Edits } from '../edit/edits.ts';
import { refuseKnativeCanary } from './knative-target.ts';
import { hasResources, join } from './kustomize-walk.ts';
import { besideOf, isShared, refersTo, type Site } from './locate.ts';
import { items, record, text } from './patch-reach.ts';
import type { PlanWarning, RenderedObject, ScheduledAnalysis } from './plan.ts';
import { scheduleOf } from './schedule.ts';
import { addServiceUpstream } from './service-upstream.ts';
import { withShortForms } from './short-forms.ts';
import { YamlText } from '../edit/yaml-text.ts';

export interface CanaryOn {
  readonly target: TargetRef;
  /** Where the target is written. */
  readonly site: Site;
  /** Everything that the same folder builds. */
  readonly objects: readonly Site[];
  readonly view: TargetView | undefined;
  readonly settings: CanarySettings | undefined;
  readonly write: RolloutFile['write'];
}

export interface PlannedCanary {
  /** The target has no Canary yet: its file is in the adoption's edits. */
  readonly adopted: boolean;
  /** Where the Canary is written; undefined when that is outside of what applies the target, or not yet anywhere. */
  readonly site?: Site;
  readonly schedule: ScheduledAnalysis | undefined;
  /** What the cluster will be asked to take, for the API server to look at first. */
  readonly rendered: readonly RenderedObject[];
  readonly warnings: readonly PlanWarning[];
}

interface Written {
  readonly spec: Readonly<Record<string, unknown>>;
  readonly rendered: readonly RenderedObject[];
}

/**
 * The Canary of a target: kept as it is found, edited where rollout.yaml names fields, or created.
 * @throws Refusal when there is none and none is described.
 */
export function planCanary(
  on: CanaryOn,
  edits: { readonly release: Edits; readonly adoption: Edits },
): PlannedCanary {
  const key = targetKey(on.target);
  const existing = on.objects.find(site => guards(site, on));
  const live = on.view?.canary;
  if (existing) {
    if (!live) throw notLive(key, existing);
    refuseSkipperCrash(on);
    const written = on.settings
      ? edited(existing, { ...on, settings: on.settings }, edits.release)
      : { spec: record(existing.data['spec']), rendered: [] };
    refuseKnativeCanary(on.target, { spec: written.spec, site: existing });
    const schedule = scheduleOf(key, canaryAnalysis(written.spec), {
      name: live.name,
      namespace: live.namespace,
      spec: written.spec,
    });
    if (on.settings) upstream({ ...on, settings: on.settings }, written.spec, edits.release);
    const warnings = warningsOf(on, written.spec);
    return { adopted: false, site: existing, schedule, rendered: written.rendered, warnings };
  }
  if (live) {
    if (on.settings) throw elsewhere(key, on.settings);
    refuseKnativeCanary(on.target, live);
    return { adopted: false, schedule: scheduleOf(key, live.analysis), rendered: [], warnings: [] };
  }
  if (!on.settings) throw missing(key);
  return { adopted: true, ...created({ ...on, settings: on.settings }, edits.adoption) };
}

function guards(site: Site, on: CanaryOn): boolean {
  if (site.data['kind'] !== 'Canary') return false;
  const ref = record(site.data['spec'])['targetRef'];
  return refersTo(ref, on.target.kind, [on.target.name, on.site.name]);
}

function upstream(
  on: CanaryOn & { readonly settings: CanarySettings },
  spec: Readonly<Record<string, unknown>>,
  edits: Edits,
): void {
  if (!on.settings.serviceUpstream) return;
  const { file, line } = on.settings.position;
  addServiceUpstream(edits, { spec, objects: on.objects, where: `${file}:${line}`, write: on.write });
}

/** What is asked for is no longer missing. */
function warningsOf(on: CanaryOn, spec: Readonly<Record<string, unknown>>): readonly PlanWarning[] {
  const all = canaryWarnings({ ...on, spec });
  return on.settings?.serviceUpstream ? all.filter(({ code }) => code !== 'service-upstream') : all;
}

function edited(site: Site, on: CanaryOn & { readonly settings: CanarySettings }, edits: Edits): Written {
  const names = { name: site.name, ...(site.namespace === undefined ? {} : { namespace: site.namespace }) };
  const { spec: wanted, objects } = withShortForms(on.settings, names);
  const old = record(site.data['spec']);
  const spec = canarySpec(old, wanted);
  checkCanary(targetKey(on.target), { spec, before: old, objects, settings: on.settings });
  if (isShared(site) && on.write !== 'base' && JSON.stringify(spec) !== JSON.stringify(old)) {
    throw new Refusal(
      'shared-line',
      `The Canary of ${targetKey(on.target)} is in ${site.file.path}, outside of the folder that Flux applies.`,
      {
        remedy: 'Say write: base in rollout.yaml to change it for every environment that builds upon it.',
      },
    );
  }
  edits.update(site.file, file => editCanary(file, site, spec));
  for (const object of objects) writeBeside(site, object, { on, edits });
  const live = { kind: 'Canary', metadata: { name: on.view?.canary?.name ?? site.name }, spec };
  return { spec, rendered: [live, ...objects].map(object => renderedObject(object, on.target)) };
}

/**
 * Seen with Flagger 1.44: its Skipper router writes into the annotations of the Ingress, and panics when there are none
 * (router/skipper.go, makeAnnotations). Flagger is then down for every canary of the cluster.
 */
function refuseSkipperCrash(on: CanaryOn, spec?: Readonly<Record<string, unknown>>): void {
  const canary = spec ?? {
    ...record(on.objects.find(site => guards(site, on))?.data['spec']),
    ...on.settings?.spec,
  };
  if (canary['provider'] !== 'skipper') return;
  const name = text(record(canary['ingressRef'])['name']);
  const ingress = on.objects.find(site => site.data['kind'] === 'Ingress' && site.name === name);
  if (!ingress || Object.keys(record(record(ingress.data['metadata'])['annotations'])).length > 0) return;
  throw new Refusal(
    'bad-config',
    `Ingress ${name} (${ingress.file.path}) has no annotations; Flagger 1.44 crashes on such an Ingress when the provider is skipper, and with it every canary of the cluster.`,
    { remedy: 'Give the Ingress an annotation, any one, then release again.' },
  );
}

/** A MetricTemplate or AlertProvider: brought to its spec where it is written already, else added after the Canary. */
function writeBeside(
  canary: Site,
  object: Readonly<Record<string, unknown>>,
  { on, edits }: { readonly on: CanaryOn; readonly edits: Edits },
): void {
  const { kind, name } = { kind: text(object['kind']), name: text(record(object['metadata'])['name']) };
  const there = on.objects.find(site => site.data['kind'] === kind && site.name === name);
  if (there) edits.update(there.file, file => editCanary(file, there, record(object['spec'])));
  else edits.update(canary.file, file => file.withDocument(object));
}

function renderedObject(object: Readonly<Record<string, unknown>>, target: TargetRef): RenderedObject {
  const name = text(record(object['metadata'])['name']);
  return {
    apiVersion: 'flagger.app/v1beta1',
    kind: text(object['kind']),
    metadata: { name, namespace: target.namespace },
    spec: object['spec'],
  };
}

function created(
  on: CanaryOn & { readonly settings: CanarySettings },
  edits: Edits,
): Pick<PlannedCanary, 'schedule' | 'rendered' | 'warnings'> {
  const { site, settings, target } = on;
  const name = settings.name ?? site.name;
  const names = { name, ...(site.namespace === undefined ? {} : { namespace: site.namespace }) };
  const { spec: wanted, objects } = withShortForms(settings, names);
  const spec = newSpec(on, wanted);
  refuseSkipperCrash(on, spec);
  upstream(on, spec, edits);
  checkCanary(targetKey(target), { spec, before: {}, objects, settings });
  const { layers, file: neighbour } = besideOf(site, on.write);
  const layer = layers.at(-1);
  const path = settings.file ?? join(posix.dirname(neighbour.path), `${name}-canary.yaml`);
  const canary = { apiVersion: 'flagger.app/v1beta1', kind: 'Canary', metadata: names, spec };
  const [first, ...others] = [canary, ...objects];
  const start = new YamlText(path, '').withFirstDocument(first);
  edits.write(path, others.reduce((file, object) => file.withDocument(object), start).text);
  const { kustomization } = layer ?? {};
  if (layer && kustomization) {
    const relative = posix.relative(layer.folder, path);
    edits.update(kustomization, file =>
      hasResources(file) ? file.append(0, ['resources'], relative) : file.set(0, ['resources'], [relative]),
    );
  }
  return {
    schedule: scheduleOf(targetKey(target), canaryAnalysis(spec), {
      name,
      namespace: target.namespace,
      spec,
    }),
    rendered: [canary, ...objects].map(object => renderedObject(object, target)),
    warnings: warningsOf(on, spec),
  };
}

/** Field order as in Flagger's documentation. */
function newSpec(
  { target, site }: CanaryOn,
  wanted: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const { provider, service, analysis, ...rest } = wanted;
  if (target.kind === 'Service') {
    // Knative routes by itself: Flagger makes no Service for it and reads none of these fields.
    return {
      provider: provider ?? 'knative',
      targetRef: { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: target.name },
      ...rest,
      ...(service === undefined ? {} : { service }),
      analysis: { interval: '1m', threshold: 5, ...record(analysis) },
    };
  }
  const port = record(service)['port'] ?? containerPort(site);
  if (port === undefined) {
    throw new Refusal(
      'change-not-found',
      `The Canary of ${targetKey(target)} needs a port for its Service, and the manifest names none.`,
      {
        remedy: `Say canary.${targetKey(target)}.service.port in rollout.yaml.`,
      },
    );
  }
  return {
    ...(provider === undefined ? {} : { provider }),
    targetRef: { apiVersion: 'apps/v1', kind: target.kind, name: target.name },
    ...rest,
    service: { port, ...record(service) },
    analysis: { interval: '1m', threshold: 5, ...record(analysis) },
  };
}

function containerPort(site: Site): unknown {
  const ports = containersOf(site).flatMap(({ data }) => items(data['ports']).map(record));
  return (ports.find(port => port['name'] === 'http') ?? ports[0])?.['containerPort'];
}

function notLive(target: TargetKey, site: Site): Refusal {
  return new Refusal(
    'chain-broken',
    `The tree has a Canary for ${target} (${site.file.path}), but the cluster has none.`,
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
    {
      remedy: 'Edit it where it is, and take it out of rollout.yaml.',
    },
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
