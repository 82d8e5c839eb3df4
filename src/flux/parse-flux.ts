import { z } from 'zod';
import type { ArtifactRules } from '../build/tree-builder.ts';
import { folderOf } from '../config/folder-path.ts';
import { goDurationMs } from '../flagger/go-duration.ts';
import type { AppliedWorkload, KustomizationView, SourceView } from '../rollout/observation.ts';
import { withoutUrlSecrets } from '../secrets/public-urls.ts';
import type { SourceRef } from './flux-objects.ts';
import { commitIn, conditionOf, conditionSchema, metadataSchema } from './kube-shapes.ts';

const interval = z.string().default('');
const conditions = z.array(conditionSchema).nullish();

const refSchema = z.looseObject({
  branch: z.string().optional(),
  tag: z.string().optional(),
  semver: z.string().optional(),
  name: z.string().optional(),
  commit: z.string().optional(),
});

const sourceSchema = z.looseObject({
  metadata: metadataSchema,
  spec: z.looseObject({
    url: z.string().transform(withoutUrlSecrets),
    interval,
    suspend: z.boolean().optional(),
    ref: refSchema.nullish(),
    verify: z.unknown().optional(),
    ignore: z.string().nullish(),
    sparseCheckout: z.array(z.string()).nullish(),
    recurseSubmodules: z.boolean().nullish(),
    include: z
      .array(
        z.looseObject({
          repository: z.looseObject({ name: z.string() }),
          fromPath: z.string().nullish(),
          toPath: z.string().nullish(),
        }),
      )
      .nullish(),
  }),
  status: z
    .looseObject({ artifact: z.looseObject({ revision: z.string() }).nullish(), conditions })
    .prefault({}),
});

/** source-controller gitrepository_controller.go: without a ref the branch is master. */
const DEFAULT_BRANCH = 'master';
const HEADS = 'refs/heads/';

/**
 * The branch that is followed, or what is followed in its place. The order is source-controller's (api/v1
 * gitrepository_types.go, GitRepositoryRef); an empty field is none.
 */
function followed(ref: z.infer<typeof refSchema>): Pick<SourceView, 'branch' | 'pinned'> {
  if (ref.commit) return { pinned: `the commit ${ref.commit}` };
  if (ref.name?.startsWith(HEADS)) return { branch: ref.name.slice(HEADS.length) };
  if (ref.name) return { pinned: ref.name };
  if (ref.semver) return { pinned: `the tags ${ref.semver}` };
  if (ref.tag) return { pinned: `the tag ${ref.tag}` };
  return { branch: ref.branch || DEFAULT_BRANCH };
}

export function parseGitRepository(object: unknown): SourceView {
  const { metadata, spec, status } = sourceSchema.parse(object);
  const revision = commitIn(status.artifact?.revision);
  const ready = conditionOf(status.conditions ?? [], 'Ready');
  return {
    kind: 'GitRepository',
    namespace: metadata.namespace,
    name: metadata.name,
    url: spec.url,
    ...followed(spec.ref ?? {}),
    suspended: spec.suspend ?? false,
    ...(revision === undefined ? {} : { revision }),
    ...(ready ? { ready } : {}),
    intervalMs: goDurationMs(spec.interval) ?? 0,
    verifies: spec.verify !== undefined && spec.verify !== null,
    artifact: artifactRules(spec),
  };
}

/** gitrepository_types.go, GitRepositoryInclude: without toPath it is the name of the repository. */
function artifactRules(spec: z.infer<typeof sourceSchema>['spec']): ArtifactRules {
  const { ignore, sparseCheckout, recurseSubmodules, include } = spec;
  return {
    ...(ignore == null ? {} : { ignore }),
    ...(sparseCheckout ? { sparseCheckout } : {}),
    ...(recurseSubmodules == null ? {} : { recurseSubmodules }),
    ...(include
      ? {
          include: include.map(({ repository: { name }, fromPath, toPath }) => ({
            name,
            fromPath: fromPath ?? '',
            toPath: toPath || name,
          })),
        }
      : {}),
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
    spec,
  };
}

const WORKLOADS = ['Deployment', 'DaemonSet', 'StatefulSet', 'Job', 'CronJob', 'ReplicaSet'];

/** fluxcd/cli-utils object.ObjMetadata: `namespace_name_group_kind`; names of workloads have no underscore. */
function workloadIn(id: string): readonly AppliedWorkload[] {
  const [namespace = '', name = '', , kind = ''] = id.split('_');
  return WORKLOADS.includes(kind) ? [{ kind, namespace, name }] : [];
}

export function sourceRefOf(object: unknown): SourceRef {
  const { metadata, spec } = kustomizationSchema.parse(object);
  return { ...spec.sourceRef, namespace: spec.sourceRef.namespace ?? metadata.namespace };
}

/** Whether what is written can be read as an object of this kind. */
export function isKustomization(object: unknown): boolean {
  return kustomizationSchema.safeParse(object).success;
}

export function isGitRepository(object: unknown): boolean {
  return sourceSchema.safeParse(object).success;
}
