import { type Fields, items, record } from '../../build/json.ts';
import { targetKey } from '../../rollout/target.ts';
import { Refusal } from '../../rollout/verdict.ts';
import { containersOf } from '../changes/containers.ts';
import type { TargetSource } from '../sources/target-source.ts';

/** The spec of a Canary that is added. Field order as in Flagger’s documentation. @throws Refusal without a port. */
export function newSpec({ target, template }: TargetSource, wanted: Fields): Fields {
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
  const port = record(service)['port'] ?? containerPort(template);
  if (port === undefined) {
    throw new Refusal(
      'change-not-found',
      `The Canary of ${targetKey(target)} needs a port for its Service, and the manifest names none.`,
      { remedy: `Say canary.${targetKey(target)}.service.port in rollout.yaml.` },
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

function containerPort(template: unknown): unknown {
  const ports = containersOf(template).flatMap(({ data }) => items(data['ports']).map(record));
  return (ports.find(port => port['name'] === 'http') ?? ports[0])?.['containerPort'];
}
