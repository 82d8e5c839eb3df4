import { z } from 'zod';
import type { Applier, FluxObjects, FoundObject, SourceRef } from '../flux/flux-objects.ts';
import { metadataSchema } from '../flux/kube-shapes.ts';
import { type TargetRef, targetKey } from '../rollout/target.ts';
import { Refusal } from '../rollout/verdict.ts';
import { asking, ifAllowed } from './cluster-errors.ts';
import { type KubeClient, KubeError } from './kube-client.ts';
import { objectPath, targetCollection, targetPath } from './resources.ts';

const objectSchema = z.looseObject({ metadata: metadataSchema });

/** helm-controller and kustomize-controller label all that they apply. */
const OWNER_LABELS: readonly (readonly [label: string, kind: Applier['kind']])[] = [
  ['helm.toolkit.fluxcd.io', 'HelmRelease'],
  ['kustomize.toolkit.fluxcd.io', 'Kustomization'],
];

/** The objects of Flux as the cluster has them. */
export class LiveFlux implements FluxObjects {
  readonly sourcesMayBeHidden = false;
  private readonly kube: KubeClient;

  constructor(kube: KubeClient) {
    this.kube = kube;
  }

  async applierOf(target: TargetRef): Promise<Applier | undefined> {
    const object = await asking(() => this.kube.get(targetPath(target)));
    if (object === undefined) throw await targetNotFound(this.kube, target);
    return ownerIn(object);
  }

  async find(applier: Applier): Promise<FoundObject | undefined> {
    const object = await asking(() => this.kube.get(objectPath(applier)));
    return object === undefined ? undefined : { object, applier: ownerIn(object) };
  }

  async source(ref: SourceRef): Promise<unknown> {
    // Rollouts went on without these rights before they were of use; what needs them says what is missing.
    if (ref.kind !== 'GitRepository') return await ifAllowed(() => this.kube.get(objectPath(ref)), undefined);
    return await asking(() => this.kube.get(objectPath(ref)));
  }
}

function ownerIn(object: unknown): Applier | undefined {
  const labels = objectSchema.parse(object).metadata.labels ?? {};
  for (const [label, kind] of OWNER_LABELS) {
    const name = labels[`${label}/name`];
    const namespace = labels[`${label}/namespace`];
    if (name !== undefined && namespace !== undefined) return { kind, name, namespace };
  }
  return undefined;
}

async function targetNotFound(kube: KubeClient, target: TargetRef): Promise<Refusal> {
  const listed = await kube
    .list(targetCollection(target))
    .then(items => items.map(item => objectSchema.parse(item).metadata.name))
    .catch((error: unknown) => (error instanceof KubeError && error.status === 404 ? 'unserved' : []));
  if (target.kind === 'Service') return await knativeNotFound(kube, target, listed);
  const names = listed === 'unserved' ? [] : listed;
  return new Refusal(
    'target-not-found',
    `There is no ${target.kind} ${target.name} in the namespace ${target.namespace}; it has ${names.slice(0, 20).join(', ') || 'none'}.`,
    {
      remedy:
        'Correct target in rollout.yaml (namespace/name), or look whether the kubeconfig is of the right cluster.',
    },
  );
}

async function knativeNotFound(
  kube: KubeClient,
  target: TargetRef,
  listed: readonly string[] | 'unserved',
): Promise<Refusal> {
  const core = await kube.get(objectPath(target)).catch(() => undefined);
  const { namespace, name } = target;
  const there =
    core === undefined
      ? ''
      : ` The core Service ${namespace}/${name} is none: it only leads to pods, and holds no template that could be released.`;
  const remedy = core
    ? 'Name the Deployment or DaemonSet behind it as the target.'
    : 'Correct target in rollout.yaml, or look whether the kubeconfig is of the right cluster.';
  const found =
    listed === 'unserved'
      ? `${targetKey(target)} means a Knative Service, and the cluster does not serve serving.knative.dev/v1: Knative Serving is not installed.`
      : `There is no Knative Service ${name} in the namespace ${namespace}; it has ${listed.slice(0, 20).join(', ') || 'none'}.`;
  return new Refusal('target-not-found', `${found}${there}`, { remedy });
}
