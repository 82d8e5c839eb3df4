import { z } from 'zod';
import type { ReplicaSetView, WorkloadView } from '../rollout/observation.ts';
import { ROLLOUT_ID_ANNOTATION, SOURCE_SHA_ANNOTATION, type TargetKind } from '../rollout/target.ts';
import { clusterTime, conditionSchema, metadataSchema } from '../flux/kube-shapes.ts';

export const templateSchema = z.looseObject({
  metadata: z.looseObject({ annotations: z.record(z.string(), z.string()).nullish() }).nullish(),
});
const workloadSchema = z.looseObject({
  metadata: metadataSchema,
  spec: z.looseObject({
    replicas: z.number().optional(),
    progressDeadlineSeconds: z.number().optional(),
    selector: z.looseObject({ matchLabels: z.record(z.string(), z.string()).nullish() }).nullish(),
    template: templateSchema,
  }),
  status: z
    .looseObject({
      observedGeneration: z.number().default(0),
      replicas: z.number().default(0),
      updatedReplicas: z.number().default(0),
      readyReplicas: z.number().default(0),
      availableReplicas: z.number().default(0),
      desiredNumberScheduled: z.number().default(0),
      updatedNumberScheduled: z.number().default(0),
      numberAvailable: z.number().default(0),
      numberReady: z.number().default(0),
      conditions: z.array(conditionSchema).nullish(),
    })
    .prefault({}),
});

type RawWorkload = z.infer<typeof workloadSchema>;

/** Kubernetes apps/v1: progressDeadlineSeconds defaults to 600. */
export const DEFAULT_DEADLINE_S = 600;
export const FLUX_MANAGER = 'kustomize-controller';

export function parseWorkload(kind: Exclude<TargetKind, 'Service'>, object: unknown): WorkloadView {
  const raw = workloadSchema.parse(object);
  const { metadata, spec, status } = raw;
  const annotations = spec.template.metadata?.annotations ?? {};
  const id = annotations[ROLLOUT_ID_ANNOTATION];
  const sha = annotations[SOURCE_SHA_ANNOTATION];
  const applied = (metadata.managedFields ?? []).find(
    ({ manager, operation }) => manager === FLUX_MANAGER && operation === 'Apply',
  );
  const progressing = (status.conditions ?? []).find(({ type }) => type === 'Progressing');
  const daemon = kind === 'DaemonSet';
  return {
    kind,
    uid: metadata.uid,
    namespace: metadata.namespace,
    name: metadata.name,
    resourceVersion: metadata.resourceVersion,
    generation: metadata.generation,
    ...(id === undefined ? {} : { rolloutId: id }),
    ...(sha === undefined ? {} : { sourceSha: sha }),
    template: spec.template,
    ...(metadata.labels ? { labels: metadata.labels } : {}),
    replicas: daemon ? status.desiredNumberScheduled : (spec.replicas ?? 1),
    readyReplicas: daemon ? status.numberReady : status.readyReplicas,
    complete: isComplete(raw, daemon),
    progressDeadlineMs: (spec.progressDeadlineSeconds ?? DEFAULT_DEADLINE_S) * 1000,
    deadlineExceeded: progressing?.reason === 'ProgressDeadlineExceeded',
    ...(applied?.time === undefined ? {} : { appliedAt: clusterTime(applied.time) }),
  };
}

/** As `kubectl rollout status` decides it. */
function isComplete({ metadata, spec, status }: RawWorkload, daemon: boolean): boolean {
  if (status.observedGeneration < metadata.generation) return false;
  if (daemon) {
    const { desiredNumberScheduled: wanted } = status;
    return status.updatedNumberScheduled >= wanted && status.numberAvailable >= wanted;
  }
  const wanted = spec.replicas ?? 1;
  return (
    status.updatedReplicas >= wanted &&
    status.replicas <= status.updatedReplicas &&
    status.availableReplicas >= status.updatedReplicas
  );
}

/** `a=b,c=d` of what a workload's pods are known by; undefined when it selects in another way. */
export function selectorOf(object: unknown): string | undefined {
  const labels = workloadSchema.safeParse(object).data?.spec.selector?.matchLabels;
  const entries = Object.entries(labels ?? {});
  return entries.length === 0 ? undefined : entries.map(([key, value]) => `${key}=${value}`).join(',');
}

const replicaSetSchema = z.looseObject({
  metadata: metadataSchema,
  spec: z.looseObject({ replicas: z.number().default(0), template: templateSchema.nullish() }),
});

/** The ReplicaSets of a Deployment, newest first. */
export function parseReplicaSets(objects: readonly unknown[], ownerUid: string): readonly ReplicaSetView[] {
  return objects
    .map(object => replicaSetSchema.parse(object))
    .filter(({ metadata }) => (metadata.ownerReferences ?? []).some(({ uid }) => uid === ownerUid))
    .map(({ metadata, spec }): ReplicaSetView => {
      const id = spec.template?.metadata?.annotations?.[ROLLOUT_ID_ANNOTATION];
      return {
        name: metadata.name,
        createdAt: clusterTime(metadata.creationTimestamp),
        podTemplateHash: metadata.labels?.['pod-template-hash'] ?? '',
        ...(id === undefined ? {} : { rolloutId: id }),
        template: spec.template,
        replicas: spec.replicas,
      };
    })
    .toSorted((one, other) => other.createdAt - one.createdAt);
}
