import { posix } from 'node:path';
import type { CanarySettings, RolloutFile } from '../config/settings.ts';
import { canaryAnalysis } from '../flagger/canary-analysis.ts';
import type { TargetView } from '../rollout/observation.ts';
import { type TargetKey, type TargetRef, targetKey } from '../rollout/target.ts';
import { Refusal } from '../rollout/verdict.ts';
import { canarySpec, editCanary, withShortForms } from './canary-edit.ts';
import { containersOf } from './containers.ts';
import type { Edits } from './edits.ts';
import { hasResources, join } from './kustomize-walk.ts';
import { isShared, type Site } from './locate.ts';
import { items, record, text } from './patch-reach.ts';
import type { ScheduledAnalysis } from './plan.ts';
import { scheduleOf } from './schedule.ts';
import { YamlText } from './yaml-text.ts';

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
    const spec = on.settings
      ? edited(existing, { ...on, settings: on.settings }, edits.release)
      : record(existing.data['spec']);
    return { adopted: false, site: existing, schedule: scheduleOf(key, canaryAnalysis(spec)) };
  }
  if (live) {
    if (on.settings) throw elsewhere(key, on.settings);
    return { adopted: false, schedule: scheduleOf(key, live.analysis) };
  }
  if (!on.settings) throw missing(key);
  return { adopted: true, schedule: created({ ...on, settings: on.settings }, edits.adoption) };
}

function guards(site: Site, on: CanaryOn): boolean {
  if (site.data['kind'] !== 'Canary') return false;
  const ref = record(record(site.data['spec'])['targetRef']);
  return ref['kind'] === on.target.kind && (ref['name'] === on.target.name || ref['name'] === on.site.name);
}

function edited(
  site: Site,
  on: CanaryOn & { readonly settings: CanarySettings },
  edits: Edits,
): Readonly<Record<string, unknown>> {
  const names = { name: site.name, ...(site.namespace === undefined ? {} : { namespace: site.namespace }) };
  const { spec: wanted, objects } = withShortForms(on.settings, names);
  const old = record(site.data['spec']);
  const spec = canarySpec(old, wanted);
  if (isShared(site) && on.write !== 'base' && JSON.stringify(spec) !== JSON.stringify(old)) {
    throw new Refusal(
      'shared-line',
      `The Canary of ${targetKey(on.target)} is in ${site.file.path}, outside of the folder that Flux applies.`,
      {
        remedy: 'Say write: base in rollout.yaml to change it for every environment that builds upon it.',
      },
    );
  }
  edits.update(site.file, file => {
    const current = editCanary(file, site.document, spec);
    const there = new Set(on.objects.map(({ data, name }) => `${text(data['kind'])} ${name}`));
    return objects
      .filter(object => !there.has(`${text(object['kind'])} ${text(record(object['metadata'])['name'])}`))
      .reduce((at, object) => at.withDocument(object), current);
  });
  return spec;
}

function created(on: CanaryOn & { readonly settings: CanarySettings }, edits: Edits): ScheduledAnalysis {
  const { site, settings, target } = on;
  const name = settings.name ?? site.name;
  const names = { name, ...(site.namespace === undefined ? {} : { namespace: site.namespace }) };
  const { spec: wanted, objects } = withShortForms(settings, names);
  const spec = newSpec(on, wanted);
  const layer = site.layers.at(-1);
  const path = settings.file ?? join(posix.dirname(site.file.path), `${name}-canary.yaml`);
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
  return scheduleOf(targetKey(target), canaryAnalysis(spec));
}

/** Field order as in Flagger's documentation. */
function newSpec(
  { target, site }: CanaryOn,
  wanted: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const { provider, service, analysis, ...rest } = wanted;
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
