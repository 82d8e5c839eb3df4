import { z } from 'zod';
import type { ReplicaSetView, TargetView, WorkloadView } from '../rollout/observation.ts';
import { ROLLOUT_ID_ANNOTATION, SOURCE_SHA_ANNOTATION } from '../rollout/target.ts';
import {
  clusterTime,
  conditionOf,
  conditionSchema,
  type Metadata,
  metadataSchema,
} from '../flux/kube-shapes.ts';
import { DEFAULT_DEADLINE_S, FLUX_MANAGER, templateSchema } from './parse-workload.ts';

const statusSchema = z.looseObject({
  observedGeneration: z.number().default(0),
  latestCreatedRevisionName: z.string().default(''),
  conditions: z.array(conditionSchema).nullish(),
  traffic: z
    .array(z.looseObject({ revisionName: z.string().default(''), percent: z.number().nullish() }))
    .nullish(),
});
const serviceSchema = z.looseObject({
  metadata: metadataSchema,
  spec: z.looseObject({ template: templateSchema }),
  status: statusSchema.prefault({}),
});
const revisionSchema = z.looseObject({
  metadata: metadataSchema,
  spec: z.looseObject({}),
  status: statusSchema.prefault({}),
});

type RawRevision = z.infer<typeof revisionSchema>;

/** Flagger canary/knative_controller.go. */
const PRIMARY_REVISION = 'flagger.app/primary-revision';

/**
 * A Knative Service as a target. No workload `NAME-primary` exists: Flagger notes on the Service which Revision is the
 * primary, and a Revision carries the annotations of the template that it was made of.
 */
export function parseKnativeService(
  object: unknown,
  revisionObjects: readonly unknown[],
): Pick<TargetView, 'target' | 'primary' | 'replicaSets' | 'traffic'> {
  const { metadata, spec, status } = serviceSchema.parse(object);
  const revisions = revisionObjects.map(each => revisionSchema.parse(each));
  const primary = revisions.find(
    ({ metadata: { name } }) => name === metadata.annotations?.[PRIMARY_REVISION],
  );
  const idOf = new Map(
    revisions.map(revision => [revision.metadata.name, annotationsOf(revision)[ROLLOUT_ID_ANNOTATION]]),
  );
  return {
    target: workload(metadata, { status, template: spec.template }),
    ...(primary
      ? { primary: workload(primary.metadata, { status: primary.status, template: templateOf(primary) }) }
      : {}),
    replicaSets: revisions
      .map(revisionView)
      // Times are whole seconds; the Service knows which one is the latest.
      .toSorted(
        (one, other) =>
          Number(other.name === status.latestCreatedRevisionName) -
            Number(one.name === status.latestCreatedRevisionName) || other.createdAt - one.createdAt,
      ),
    traffic: (status.traffic ?? []).map(({ revisionName, percent }) => {
      const id = idOf.get(revisionName);
      return {
        revision: revisionName,
        percent: percent ?? 0,
        ...(id === undefined ? {} : { rolloutId: id }),
      };
    }),
  };
}

function workload(
  metadata: Metadata,
  on: {
    readonly status: z.infer<typeof statusSchema>;
    readonly template: z.infer<typeof templateSchema>;
  },
): WorkloadView {
  const annotations = on.template.metadata?.annotations ?? {};
  const id = annotations[ROLLOUT_ID_ANNOTATION];
  const sha = annotations[SOURCE_SHA_ANNOTATION];
  const why = notReady(metadata, on.status);
  const applied = (metadata.managedFields ?? []).find(
    ({ manager, operation }) => manager === FLUX_MANAGER && operation === 'Apply',
  );
  return {
    kind: 'Service',
    uid: metadata.uid,
    namespace: metadata.namespace,
    name: metadata.name,
    resourceVersion: metadata.resourceVersion,
    generation: metadata.generation,
    ...(id === undefined ? {} : { rolloutId: id }),
    ...(sha === undefined ? {} : { sourceSha: sha }),
    template: on.template,
    // Pods come and go with the requests; Knative counts none here.
    replicas: 1,
    readyReplicas: why === undefined ? 1 : 0,
    complete: why === undefined,
    ...(why === undefined ? {} : { notReady: why }),
    progressDeadlineMs: DEFAULT_DEADLINE_S * 1000,
    deadlineExceeded: false,
    ...(applied?.time === undefined ? {} : { appliedAt: clusterTime(applied.time) }),
  };
}

/** Knative pkg/apis/serving/v1: ready is the condition, of the generation that is asked for. */
function notReady(metadata: Metadata, status: z.infer<typeof statusSchema>): string | undefined {
  if (status.observedGeneration < metadata.generation) return 'Knative has not looked at it yet';
  const ready = conditionOf(status.conditions ?? [], 'Ready');
  if (ready?.status === 'True') return undefined;
  return ready?.message || ready?.reason || 'it has no condition Ready';
}

function revisionView(revision: RawRevision): ReplicaSetView {
  const id = annotationsOf(revision)[ROLLOUT_ID_ANNOTATION];
  return {
    name: revision.metadata.name,
    createdAt: clusterTime(revision.metadata.creationTimestamp),
    podTemplateHash: '',
    ...(id === undefined ? {} : { rolloutId: id }),
    template: templateOf(revision),
    replicas: 0,
  };
}

function annotationsOf({ metadata }: RawRevision): Readonly<Record<string, string>> {
  return metadata.annotations ?? {};
}

function templateOf(revision: RawRevision) {
  return { metadata: { annotations: { ...annotationsOf(revision) } }, spec: revision.spec };
}
