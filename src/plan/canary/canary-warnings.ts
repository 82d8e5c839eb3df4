import { type TargetRef, targetKey } from '../../rollout/target.ts';
import { lineIn, type Written } from './written.ts';
import { items, record } from '../../build/json.ts';
import type { PlanWarning } from '../plan.ts';
import { hasServiceUpstream, SERVICE_UPSTREAM } from './service-upstream.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Things about a Canary that nothing refuses and that cost a night. */
export function canaryWarnings(on: {
  readonly target: TargetRef;
  /** The target's pod template. */
  readonly template: unknown;
  /** The Ingress that the Canary names, where it is built beside it. */
  readonly ingress: Written | undefined;
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
  const { ingress } = on;
  const injected = annotationsOf(record(on.template))['linkerd.io/inject'] === 'enabled';
  if (!injected || !ingress || hasServiceUpstream(ingress)) return [];
  return [
    {
      code: 'service-upstream',
      message: `${targetKey(on.target)} is meshed by Linkerd, and Ingress ${ingress.object.name}${ingress.manifest ? ` (${ingress.manifest.file.path})` : ''} lacks ${SERVICE_UPSTREAM}: "true": NGINX would go past the mesh, and Linkerd’s metrics would see no canary. Add it, or say canary.${targetKey(on.target)}.service-upstream: true in rollout.yaml.`,
      ...lineIn(ingress, ['metadata']),
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
