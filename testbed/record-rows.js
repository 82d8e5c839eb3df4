import { z } from 'zod';
import { ROLLOUT_ID_ANNOTATION } from '../src/rollout/target.js';
const text = z.string().default('');
const number = z.number().default(0);
const condition = z.object({
  type: z.string(),
  status: text,
  reason: text,
  lastTransitionTime: text,
  lastUpdateTime: text,
});
const conditions = z.array(condition).default([]);
const named = z.object({
  name: z.string(),
  generation: number,
  annotations: z.record(z.string(), z.string()).default({}),
});
const canary = z.object({
  metadata: named,
  status: z
    .object({
      phase: text,
      canaryWeight: number,
      iterations: number,
      failedChecks: number,
      lastAppliedSpec: text,
      lastPromotedSpec: text,
      lastTransitionTime: text,
      trackedConfigs: z.record(z.string(), z.string()).nullish(),
      conditions,
    })
    .prefault({}),
});
/** A Canary as a row. Every function here throws a ZodError on an object of another shape. */
export function canaryRow(object) {
  const { metadata, status } = canary.parse(object);
  const promoted = status.conditions.find(({ type }) => type === 'Promoted');
  return {
    kind: 'Canary',
    name: metadata.name,
    phase: status.phase,
    canaryWeight: status.canaryWeight,
    iterations: status.iterations,
    failedChecks: status.failedChecks,
    lastAppliedSpec: status.lastAppliedSpec,
    lastPromotedSpec: status.lastPromotedSpec,
    lastTransitionTime: status.lastTransitionTime,
    promoted: {
      reason: promoted?.reason ?? '',
      status: promoted?.status ?? '',
      lastTransitionTime: promoted?.lastTransitionTime ?? '',
      lastUpdateTime: promoted?.lastUpdateTime ?? '',
    },
    trackedConfigs: status.trackedConfigs ?? {},
  };
}
const workload = z.object({
  metadata: named,
  spec: z.object({
    replicas: number,
    template: z.object({
      metadata: z.object({ annotations: z.record(z.string(), z.string()).default({}) }).prefault({}),
      spec: z.object({ containers: z.array(z.object({ image: text })) }),
    }),
  }),
  status: z
    .object({ readyReplicas: number, numberReady: number, desiredNumberScheduled: number })
    .prefault({}),
});
export function workloadRow(kind, object) {
  const { metadata, spec, status } = workload.parse(object);
  return {
    kind,
    name: metadata.name,
    rolloutId: spec.template.metadata.annotations[ROLLOUT_ID_ANNOTATION] ?? '',
    image: spec.template.spec.containers[0]?.image.split(':').at(-1) ?? '',
    replicas: kind === 'Deployment' ? spec.replicas : status.desiredNumberScheduled,
    generation: metadata.generation,
    ready: kind === 'Deployment' ? status.readyReplicas : status.numberReady,
  };
}
const kustomization = z.object({
  metadata: named,
  status: z.object({ lastAppliedRevision: text, lastAttemptedRevision: text, conditions }).prefault({}),
});
export function kustomizationRow(object) {
  const { metadata, status } = kustomization.parse(object);
  const ready = status.conditions.find(({ type }) => type === 'Ready');
  return {
    kind: 'Kustomization',
    name: metadata.name,
    lastAppliedRevision: shortRevision(status.lastAppliedRevision),
    lastAttemptedRevision: shortRevision(status.lastAttemptedRevision),
    ready: ready === undefined ? '' : ready.status + ready.reason,
  };
}
/** `main@sha1:2f50422…` → `2f50422`. */
function shortRevision(revision) {
  return (revision.split(':').at(-1) ?? '').slice(0, 7);
}
const ingress = z.object({ metadata: named });
export function ingressRow(object) {
  const { metadata } = ingress.parse(object);
  const annotations = Object.entries(metadata.annotations).filter(([key]) => key.includes('/canary'));
  return { kind: 'Ingress', name: metadata.name, canaryAnnotations: Object.fromEntries(annotations) };
}
const event = z.object({
  involvedObject: z.object({ kind: text, name: text }),
  source: z.object({ component: text }).prefault({}),
  reportingComponent: text,
  type: text,
  count: z.number().nullish(),
  message: text,
});
/** An Event as a row, or undefined when it is not Flagger's on a Canary. */
export function eventRow(object) {
  const { involvedObject, source, reportingComponent, type, count, message } = event.parse(object);
  const fromFlagger = source.component === 'flagger' || reportingComponent === 'flagger';
  if (!fromFlagger || involvedObject.kind !== 'Canary') return undefined;
  return { kind: 'Event', name: involvedObject.name, type, count: count ?? 1, message };
}
