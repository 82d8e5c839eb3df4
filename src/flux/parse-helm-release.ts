import { z } from 'zod';
import { goDurationMs } from '../flagger/go-duration.ts';
import type { HelmReleaseView } from '../rollout/observation.ts';
import { rolloutIdsIn } from '../rollout/rollout-ids.ts';
import type { SourceRef } from './flux-objects.ts';
import { clusterTime, conditionOf, conditionSchema, metadataSchema } from './kube-shapes.ts';

const helmReleaseSchema = z.looseObject({
  metadata: metadataSchema,
  spec: z.looseObject({
    interval: z.string().default(''),
    chartRef: z
      .looseObject({ kind: z.string(), name: z.string(), namespace: z.string().optional() })
      .nullish(),
    suspend: z.boolean().optional(),
    driftDetection: z
      .looseObject({
        mode: z.enum(['enabled', 'warn', 'disabled']).optional(),
        ignore: z.array(z.looseObject({ paths: z.array(z.string()).default([]) })).nullish(),
      })
      .nullish(),
    values: z.unknown().optional(),
    postRenderers: z.unknown().optional(),
    upgrade: z
      .looseObject({
        remediation: z
          .looseObject({
            retries: z.number().optional(),
            remediateLastFailure: z.boolean().optional(),
          })
          .nullish(),
      })
      .nullish(),
  }),
  status: z
    .looseObject({
      observedGeneration: z.number().default(0),
      lastAttemptedConfigDigest: z.string().optional(),
      lastAttemptedRevision: z.string().optional(),
      lastAttemptedRevisionDigest: z.string().optional(),
      history: z
        .array(
          z.looseObject({
            version: z.number(),
            status: z.string().default(''),
            chartVersion: z.string().default(''),
            configDigest: z.string().default(''),
            ociDigest: z.string().optional(),
            lastDeployed: z.string().optional(),
          }),
        )
        .nullish(),
      conditions: z.array(conditionSchema).nullish(),
    })
    .prefault({}),
});

export function parseHelmRelease(object: unknown): HelmReleaseView {
  const { metadata, spec, status } = helmReleaseSchema.parse(object);
  const ready = conditionOf(status.conditions ?? [], 'Ready');
  const remediated = conditionOf(status.conditions ?? [], 'Remediated');
  const { retries = 0, remediateLastFailure } = spec.upgrade?.remediation ?? {};
  return {
    namespace: metadata.namespace,
    name: metadata.name,
    suspended: spec.suspend ?? false,
    generation: metadata.generation,
    observedGeneration: status.observedGeneration,
    ...(ready ? { ready } : {}),
    ...(remediated ? { remediated } : {}),
    ...(status.lastAttemptedConfigDigest === undefined
      ? {}
      : { lastAttemptedConfigDigest: status.lastAttemptedConfigDigest }),
    ...(status.lastAttemptedRevision === undefined
      ? {}
      : { lastAttemptedRevision: status.lastAttemptedRevision }),
    ...(status.lastAttemptedRevisionDigest === undefined
      ? {}
      : { lastAttemptedRevisionDigest: status.lastAttemptedRevisionDigest }),
    history: (status.history ?? []).map(each => ({
      version: each.version,
      status: each.status,
      chartVersion: each.chartVersion,
      configDigest: each.configDigest,
      ...(each.ociDigest === undefined ? {} : { ociDigest: each.ociDigest }),
      deployedAt: clusterTime(each.lastDeployed),
    })),
    intervalMs: goDurationMs(spec.interval) ?? 0,
    driftDetection: spec.driftDetection?.mode ?? 'disabled',
    // helm-controller api/v2 helmrelease_types.go, UpgradeRemediation: the last failure is remediated by default only
    // where there are retries; a negative number means without end.
    remediatesUpgrades: retries !== 0 || remediateLastFailure === true,
    ignoresReplicas: (spec.driftDetection?.ignore ?? []).some(({ paths }) =>
      paths.includes('/spec/replicas'),
    ),
    rolloutIds: rolloutIdsIn([spec.postRenderers, spec.values]),
  };
}

/** Where its chart comes from, when it does not name the chart itself (api/v2 helmrelease_types.go, spec.chartRef). */
export function chartRefOf(object: unknown): SourceRef | undefined {
  const { metadata, spec } = helmReleaseSchema.parse(object);
  const { kind, name, namespace = metadata.namespace } = spec.chartRef ?? {};
  return kind === undefined || name === undefined ? undefined : { kind, name, namespace };
}
