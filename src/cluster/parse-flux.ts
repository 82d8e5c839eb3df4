import { z } from 'zod';
import { folderOf } from '../config/folder-path.ts';
import { goDurationMs } from '../flagger/go-duration.ts';
import type { AppliedWorkload, KustomizationView, SourceView } from '../rollout/observation.ts';
import { withoutUrlSecrets } from '../secrets/public-urls.ts';
import { commitIn, conditionOf, conditionSchema, metadataSchema } from './parse-common.ts';

const interval = z.string().default('');
const conditions = z.array(conditionSchema).nullish();

const sourceSchema = z.looseObject({
  metadata: metadataSchema,
  spec: z.looseObject({
    url: z.string().transform(withoutUrlSecrets),
    interval,
    suspend: z.boolean().optional(),
    ref: z.looseObject({ branch: z.string().optional(), commit: z.string().optional() }).nullish(),
    verify: z.unknown().optional(),
  }),
  status: z
    .looseObject({ artifact: z.looseObject({ revision: z.string() }).nullish(), conditions })
    .prefault({}),
});

/** source-controller gitrepository_controller.go: without a ref the branch is master. */
const DEFAULT_BRANCH = 'master';

export function parseGitRepository(object: unknown): SourceView {
  const { metadata, spec, status } = sourceSchema.parse(object);
  const ref = z
    .looseObject({
      branch: z.string().optional(),
      tag: z.unknown(),
      semver: z.unknown(),
      name: z.unknown(),
      commit: z.unknown(),
    })
    .partial()
    .parse(spec.ref ?? {});
  const pinned = [ref.tag, ref.semver, ref.name, ref.commit].some(each => each !== undefined);
  const branch = pinned ? undefined : (ref.branch ?? DEFAULT_BRANCH);
  const revision = commitIn(status.artifact?.revision);
  const ready = conditionOf(status.conditions ?? [], 'Ready');
  return {
    kind: 'GitRepository',
    namespace: metadata.namespace,
    name: metadata.name,
    url: spec.url,
    ...(branch === undefined ? {} : { branch }),
    suspended: spec.suspend ?? false,
    ...(revision === undefined ? {} : { revision }),
    ...(ready ? { ready } : {}),
    intervalMs: goDurationMs(spec.interval) ?? 0,
    verifies: spec.verify !== undefined && spec.verify !== null,
  };
}

const kustomizationSchema = z.looseObject({
  metadata: metadataSchema,
  spec: z.looseObject({
    path: z.string().default(''),
    interval,
    suspend: z.boolean().optional(),
    wait: z.boolean().optional(),
    healthChecks: z.array(z.unknown()).nullish(),
    targetNamespace: z.string().optional(),
    images: z
      .array(z.looseObject({ name: z.string() }))
      .nullish()
      .catch([]),
    sourceRef: z.looseObject({ kind: z.string(), name: z.string(), namespace: z.string().optional() }),
  }),
  status: z
    .looseObject({
      observedGeneration: z.number().default(0),
      lastAppliedRevision: z.string().optional(),
      lastAttemptedRevision: z.string().optional(),
      inventory: z
        .looseObject({ entries: z.array(z.looseObject({ id: z.string() })).nullish() })
        .nullish()
        .catch(undefined),
      conditions,
    })
    .prefault({}),
});

export function parseKustomization(object: unknown): KustomizationView {
  const { metadata, spec, status } = kustomizationSchema.parse(object);
  const applied = commitIn(status.lastAppliedRevision);
  const attempted = commitIn(status.lastAttemptedRevision);
  const ready = conditionOf(status.conditions ?? [], 'Ready');
  const reconciling = conditionOf(status.conditions ?? [], 'Reconciling');
  const workloads = status.inventory?.entries?.flatMap(({ id }) => workloadIn(id));
  return {
    namespace: metadata.namespace,
    name: metadata.name,
    path: folderOf(spec.path),
    suspended: spec.suspend ?? false,
    ...(ready ? { ready } : {}),
    ...(reconciling ? { reconciling } : {}),
    generation: metadata.generation,
    observedGeneration: status.observedGeneration,
    ...(applied === undefined ? {} : { lastAppliedRevision: applied }),
    ...(attempted === undefined ? {} : { lastAttemptedRevision: attempted }),
    intervalMs: goDurationMs(spec.interval) ?? 0,
    waits: spec.wait === true || (spec.healthChecks ?? []).length > 0,
    ...(spec.targetNamespace === undefined ? {} : { targetNamespace: spec.targetNamespace }),
    ...(spec.images && spec.images.length > 0 ? { imageNames: spec.images.map(({ name }) => name) } : {}),
    ...(workloads ? { workloads } : {}),
  };
}

const WORKLOADS = ['Deployment', 'DaemonSet', 'StatefulSet', 'Job', 'CronJob', 'ReplicaSet'];

/** fluxcd/cli-utils object.ObjMetadata: `namespace_name_group_kind`; names of workloads have no underscore. */
function workloadIn(id: string): readonly AppliedWorkload[] {
  const [namespace = '', name = '', , kind = ''] = id.split('_');
  return WORKLOADS.includes(kind) ? [{ kind, namespace, name }] : [];
}

export function sourceRefOf(object: unknown): {
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
} {
  const { metadata, spec } = kustomizationSchema.parse(object);
  return { ...spec.sourceRef, namespace: spec.sourceRef.namespace ?? metadata.namespace };
}

/** A source that holds no commits of ours: only whose it is matters. */
export function foreignSource(ref: ReturnType<typeof sourceRefOf>): SourceView {
  const kinds = ['OCIRepository', 'Bucket', 'ExternalArtifact'] as const;
  return {
    kind: kinds.find(kind => kind === ref.kind) ?? 'ExternalArtifact',
    namespace: ref.namespace,
    name: ref.name,
    url: '',
    suspended: false,
    intervalMs: 0,
    verifies: false,
  };
}
