import { z } from 'zod';
import type { ChainLink, FluxChain, SourceView } from '../rollout/observation.ts';
import { type ObjectRef, type TargetRef, targetKey } from '../rollout/target.ts';
import { Refusal } from '../rollout/verdict.ts';
import { asking, notManaged } from './cluster-errors.ts';
import { type KubeClient, KubeError } from './kube-client.ts';
import { metadataSchema } from './parse-common.ts';
import { foreignSource, parseGitRepository, parseKustomization, sourceRefOf } from './parse-flux.ts';
import { parseHelmRelease } from './parse-helm-release.ts';
import { objectPath, targetCollection, targetPath } from './resources.ts';

/** A Kustomization that applies itself, or a circle, ends the way up. */
const MAX_OWNERS = 10;

const objectSchema = z.looseObject({ metadata: metadataSchema });

interface Owner {
  readonly kind: 'Kustomization' | 'HelmRelease';
  readonly namespace: string;
  readonly name: string;
}

/** helm-controller and kustomize-controller label all that they apply. */
const OWNER_LABELS: readonly (readonly [label: string, kind: Owner['kind']])[] = [
  ['helm.toolkit.fluxcd.io', 'HelmRelease'],
  ['kustomize.toolkit.fluxcd.io', 'Kustomization'],
];

export interface TraceOptions {
  readonly target: TargetRef;
  /** The object that applies the target, when it should not be found by labels. */
  readonly via: ObjectRef | undefined;
  /** Whether a source is the repository that is released into. */
  readonly isOurs: (source: SourceView) => boolean;
}

/**
 * Who brings a target to life, found from the live object: its owner labels name the object that applies it, that one's
 * own labels its parent, and so on up. Our commit goes in at the lowest Kustomization that takes its files from our
 * repository; what lies between it and the target are links. Where none does, the lowest Kustomization is given, and its
 * source shows whose it is.
 * @throws Refusal `target-not-found`, `not-managed`, `wrong-source`; ClusterForbidden, ClusterUnavailable.
 */
export async function traceChain(kube: KubeClient, on: TraceOptions): Promise<FluxChain> {
  const links = await linksUpwards(kube, on);
  const sourced = links.flatMap((link, index) => (link.kind === 'Kustomization' ? [{ ...link, index }] : []));
  const entry = sourced.findLast(({ source }) => on.isOurs(source)) ?? sourced.at(-1);
  if (!entry) {
    throw notManaged(
      `${targetKey(on.target)} comes from the HelmRelease ${nameOf(links.at(-1))}, which no Kustomization applies: nothing in Git says what runs.`,
      'Keep the HelmRelease in the GitOps repository, and let a Kustomization apply it.',
    );
  }
  if (entry.source.kind !== 'GitRepository') {
    throw new Refusal(
      'wrong-source',
      `Kustomization ${nameOf(entry)} takes its files from the ${entry.source.kind} ${nameOf({ view: entry.source })}; a release is a commit, which only a GitRepository delivers.`,
      { remedy: 'Release what a GitRepository delivers; other sources cannot be released here yet.' },
    );
  }
  return {
    source: entry.source,
    // A HelmRelease that applies Kustomizations is nothing that a commit could be followed through.
    kustomizations: sourced.filter(({ index }) => index <= entry.index).map(({ view }) => view),
    links: links.slice(entry.index + 1),
  };
}

/** From the root down to what applies the target, each with its source. */
async function linksUpwards(kube: KubeClient, on: TraceOptions): Promise<readonly ChainLink[]> {
  const first = on.via ? named(on.via) : ownerIn(await targetLabels(kube, on.target));
  if (!first) {
    throw notManaged(
      `${targetKey(on.target)} has no owner label of Flux: nothing of Flux applies it.`,
      'Have Flux apply it, or name the Kustomization under via: in rollout.yaml.',
    );
  }
  const found: ChainLink[] = [];
  const seen = new Set<string>();
  for (let at: Owner | undefined = first; at && found.length < MAX_OWNERS; ) {
    const key = `${at.kind} ${at.namespace}/${at.name}`;
    if (seen.has(key)) break;
    seen.add(key);
    const path = objectPath(at);
    const object = await asking(() => kube.get(path));
    if (object === undefined) {
      // A parent that is gone explains nothing any more; what applies the target must be there.
      if (found.length > 0) break;
      throw notManaged(
        `${targetKey(on.target)} is labelled as applied by the ${key}, which does not exist.`,
        'Name the Kustomization that applies it under via: in rollout.yaml.',
      );
    }
    found.unshift(await linkOf(kube, at.kind, object));
    at = ownerIn(objectSchema.parse(object).metadata.labels ?? {});
  }
  return found;
}

async function linkOf(kube: KubeClient, kind: Owner['kind'], object: unknown): Promise<ChainLink> {
  if (kind === 'HelmRelease') return { kind, view: parseHelmRelease(object) };
  return { kind, view: parseKustomization(object), source: await sourceOf(kube, object) };
}

async function sourceOf(kube: KubeClient, kustomization: unknown): Promise<SourceView> {
  const ref = sourceRefOf(kustomization);
  if (ref.kind !== 'GitRepository') return foreignSource(ref);
  const { metadata } = objectSchema.parse(kustomization);
  const object = await asking(() => kube.get(objectPath({ ...ref, kind: 'GitRepository' })));
  if (object === undefined) {
    throw new Refusal('wrong-source', `The GitRepository ${ref.namespace}/${ref.name} does not exist.`, {
      remedy: `Mend spec.sourceRef of Kustomization ${metadata.namespace}/${metadata.name}.`,
    });
  }
  return parseGitRepository(object);
}

async function targetLabels(kube: KubeClient, target: TargetRef): Promise<Readonly<Record<string, string>>> {
  const object = await asking(() => kube.get(targetPath(target)));
  if (object === undefined) throw await targetNotFound(kube, target);
  return objectSchema.parse(object).metadata.labels ?? {};
}

function ownerIn(labels: Readonly<Record<string, string>>): Owner | undefined {
  for (const [label, kind] of OWNER_LABELS) {
    const name = labels[`${label}/name`];
    const namespace = labels[`${label}/namespace`];
    if (name !== undefined && namespace !== undefined) return { kind, name, namespace };
  }
  return undefined;
}

function named({ kind, name, namespace }: ObjectRef): Owner {
  return {
    kind: kind === 'HelmRelease' ? kind : 'Kustomization',
    name,
    namespace: namespace ?? 'flux-system',
  };
}

function nameOf(of: { readonly view: { readonly namespace: string; readonly name: string } } | undefined) {
  return of ? `${of.view.namespace}/${of.view.name}` : '?';
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
