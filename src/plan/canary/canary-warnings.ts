import type { TargetRef } from '../rollout/target.ts';
import { targetKey } from '../rollout/target.ts';
import type { Site } from './locate.ts';
import { items, record } from './patch-reach.ts';
import type { PlanWarning } from './plan.ts';
import { hasServiceUpstream, ingressOf, SERVICE_UPSTREAM } from './service-upstream.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Things about a Canary that nothing refuses and that cost a night. */
export function canaryWarnings(on: {
  readonly target: TargetRef;
  /** The target's manifest. */
  readonly site: Site;
  /** Everything that the same folder builds. */
  readonly objects: readonly Site[];
  /** The Canary's spec, as it will be. */
  readonly spec: Fields;
}): readonly PlanWarning[] {
  return [...meshedIngress(on), ...unchecked(on)];
}

/**
 * NGINX sends to pods by their addresses unless told otherwise, past Linkerd's proxy for the Service: the mesh then sees
 * no traffic by weight (Linkerd docs, "Ingress").
 */
function meshedIngress(on: Parameters<typeof canaryWarnings>[0]): readonly PlanWarning[] {
  if (on.spec['provider'] !== 'nginx') return [];
  const template = record(record(on.site.data['spec'])['template']);
  const injected = annotationsOf(template)['linkerd.io/inject'] === 'enabled';
  const ingress = ingressOf(on.spec, on.objects);
  if (!injected || !ingress || hasServiceUpstream(ingress)) return [];
  return [
    {
      code: 'service-upstream',
      message: `${targetKey(on.target)} is meshed by Linkerd, and Ingress ${ingress.name} (${ingress.file.path}) lacks ${SERVICE_UPSTREAM}: "true": NGINX would go past the mesh, and Linkerd’s metrics would see no canary. Add it, or say canary.${targetKey(on.target)}.service-upstream: true in rollout.yaml.`,
      path: ingress.file.path,
      line: ingress.file.lineOf(ingress.document, [...ingress.root, 'metadata']),
    },
  ];
}

function unchecked({ target, spec }: Parameters<typeof canaryWarnings>[0]): readonly PlanWarning[] {
  const analysis = record(spec['analysis']);
  const tests = items(analysis['webhooks'])
    .map(record)
    .filter(({ type }) => type === undefined || type === 'rollout' || type === 'pre-rollout');
  if (spec['skipAnalysis'] === true) {
    return [
      {
        code: 'not-analysed',
        message: `The Canary of ${targetKey(target)} has skipAnalysis: releases are promoted without a check.`,
      },
    ];
  }
  if (items(analysis['metrics']).length > 0 || tests.length > 0) return [];
  return [
    {
      code: 'nothing-checked',
      message: `The Canary of ${targetKey(target)} checks no metric and asks no webhook: every release whose pods start is promoted.`,
    },
  ];
}

function annotationsOf(object: Fields): Fields {
  return record(record(object['metadata'])['annotations']);
}
