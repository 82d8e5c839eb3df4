import { z } from 'zod';
import type { ChartSourceView } from '../rollout/observation.ts';
import { conditionOf, conditionSchema, metadataSchema } from './kube-shapes.ts';

const ociRepositorySchema = z.looseObject({
  metadata: metadataSchema,
  spec: z.looseObject({ url: z.string(), suspend: z.boolean().optional() }),
  status: z
    .looseObject({
      observedGeneration: z.number().default(-1),
      artifact: z.looseObject({ revision: z.string() }).nullish(),
      conditions: z.array(conditionSchema).nullish(),
    })
    .prefault({}),
});

export function parseChartSource(object: unknown): ChartSourceView {
  const { metadata, spec, status } = ociRepositorySchema.parse(object);
  const ready = conditionOf(status.conditions ?? [], 'Ready');
  // source-controller ocirepository_controller.go: `TAG@sha256:…`, or the digest alone where it was asked for.
  const [, tag, digest] = /^(?:(.+)@)?([a-z0-9]+:[0-9a-f]+)$/.exec(status.artifact?.revision ?? '') ?? [];
  return {
    namespace: metadata.namespace,
    name: metadata.name,
    url: spec.url,
    suspended: spec.suspend ?? false,
    upToDate: status.observedGeneration >= metadata.generation,
    ...(ready ? { ready } : {}),
    ...(digest === undefined ? {} : { artifact: { digest, ...(tag === undefined ? {} : { tag }) } }),
  };
}
