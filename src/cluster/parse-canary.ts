import { z } from 'zod';
import { canaryAnalysis } from '../flagger/canary-analysis.ts';
import type { TargetRef } from '../rollout/target.ts';
import type { CanaryPhase, CanaryView, FlaggerEvent } from '../rollout/observation.ts';
import {
  clusterTime,
  conditionSchema,
  type Metadata,
  metadataSchema,
  wordsSchema,
} from '../flux/kube-shapes.ts';

const PHASES = [
  '',
  'Initializing',
  'Initialized',
  'Waiting',
  'Progressing',
  'WaitingPromotion',
  'Promoting',
  'Finalising',
  'Succeeded',
  'Failed',
  'Terminating',
  'Terminated',
] as const satisfies readonly CanaryPhase[];

const canarySchema = z.looseObject({
  metadata: metadataSchema,
  spec: z.looseObject({
    provider: z.string().optional(),
    suspend: z.boolean().optional(),
    skipAnalysis: z.boolean().optional(),
    progressDeadlineSeconds: z.number().optional(),
    targetRef: z.looseObject({ apiVersion: z.string().default(''), kind: z.string(), name: z.string() }),
  }),
  status: z
    .looseObject({
      phase: z.enum(PHASES).default('').catch(''),
      canaryWeight: z.number().default(0),
      iterations: z.number().default(0),
      failedChecks: z.number().default(0),
      lastAppliedSpec: z.string().default(''),
      lastPromotedSpec: z.string().default(''),
      lastTransitionTime: z.string().nullish(),
      trackedConfigs: z.record(z.string(), z.string()).nullish(),
      conditions: z.array(conditionSchema).nullish(),
    })
    .prefault({}),
});

/** Flagger canary_types.go: ProgressDeadlineSeconds. */
const DEFAULT_DEADLINE_S = 600;
/** Differences below this are rounding, not clocks (times of Kubernetes are whole seconds), ms. */
const SKEW_NOISE_MS = 2_000;

export function parseCanary(object: unknown): CanaryView {
  const { metadata, spec, status } = canarySchema.parse(object);
  const promoted = (status.conditions ?? []).find(({ type }) => type === 'Promoted');
  return {
    uid: metadata.uid,
    namespace: metadata.namespace,
    name: metadata.name,
    resourceVersion: metadata.resourceVersion,
    phase: status.phase,
    canaryWeight: status.canaryWeight,
    iterations: status.iterations,
    failedChecks: status.failedChecks,
    lastAppliedSpec: status.lastAppliedSpec,
    lastPromotedSpec: status.lastPromotedSpec,
    trackedConfigs: status.trackedConfigs ?? {},
    ...(promoted
      ? {
          promoted: {
            status: promoted.status,
            reason: promoted.reason,
            message: promoted.message,
            lastTransitionTime: clusterTime(promoted.lastTransitionTime),
            lastUpdateTime: clusterTime(promoted.lastUpdateTime),
          },
        }
      : {}),
    suspended: spec.suspend ?? false,
    skipAnalysis: spec.skipAnalysis ?? false,
    ...(spec.provider === undefined || spec.provider === '' ? {} : { provider: spec.provider }),
    progressDeadlineMs: (spec.progressDeadlineSeconds ?? DEFAULT_DEADLINE_S) * 1000,
    analysis: canaryAnalysis(spec),
    flaggerSkewMs: skewOf(metadata, status.lastTransitionTime ?? undefined),
  };
}

/** Whether a Canary guards a target. Flagger canary.go, IsKnativeService: a `Service` of another group is a core one. */
export function guardsTarget(object: unknown, target: TargetRef): boolean {
  const ref = canarySchema.safeParse(object).data?.spec.targetRef;
  if (ref?.kind !== target.kind || ref.name !== target.name) return false;
  return target.kind !== 'Service' || ref.apiVersion === 'serving.knative.dev/v1';
}

/**
 * Flagger stamps its status with its own clock, and the API server notes in managedFields when that write arrived by
 * its own: the two times are of one moment.
 */
function skewOf(metadata: Metadata, writtenAt: string | undefined): number {
  const write = (metadata.managedFields ?? []).findLast(
    ({ manager, subresource }) => manager === 'flagger' && subresource === 'status',
  );
  if (write?.time === undefined || writtenAt === undefined) return 0;
  const skew = clusterTime(writtenAt) - clusterTime(write.time);
  return Math.abs(skew) <= SKEW_NOISE_MS ? 0 : skew;
}

const eventSchema = z.looseObject({
  type: z.enum(['Normal', 'Warning']).catch('Normal'),
  message: wordsSchema,
  count: z.number().nullish(),
  firstTimestamp: z.string().nullish(),
  lastTimestamp: z.string().nullish(),
  eventTime: z.string().nullish(),
  source: z.looseObject({ component: z.string().default('') }).nullish(),
  reportingComponent: z.string().nullish(),
  involvedObject: z.looseObject({ uid: z.string().default('') }),
});

/** Flagger's events about a Canary, newest last. */
export function parseEvents(objects: readonly unknown[], canaryUid: string): readonly FlaggerEvent[] {
  return objects
    .map(object => eventSchema.parse(object))
    .filter(({ involvedObject }) => involvedObject.uid === '' || involvedObject.uid === canaryUid)
    .map((event): FlaggerEvent => {
      const at = event.eventTime ?? undefined;
      return {
        type: event.type,
        message: event.message,
        count: event.count ?? 1,
        firstSeen: clusterTime(event.firstTimestamp ?? at),
        lastSeen: clusterTime(event.lastTimestamp ?? at),
      };
    })
    .toSorted((one, other) => one.lastSeen - other.lastSeen);
}
