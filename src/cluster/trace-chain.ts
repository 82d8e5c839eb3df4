import { z } from 'zod';
import type { FluxChain } from '../rollout/observation.ts';
import { type ObjectRef, type TargetRef, targetKey } from '../rollout/target.ts';
import { Refusal } from '../rollout/verdict.ts';
import { asking, notManaged } from './cluster-errors.ts';
import type { KubeClient } from './kube-client.ts';
import { metadataSchema } from './parse-common.ts';
import { parseGitRepository, parseKustomization, sourceRefOf } from './parse-flux.ts';
import { collectionPath, objectPath } from './resources.ts';

const KUSTOMIZE_LABEL = 'kustomize.toolkit.fluxcd.io';
const HELM_LABEL = 'helm.toolkit.fluxcd.io';
/** A Kustomization that applies itself, or a circle, ends the way up. */
const MAX_PARENTS = 10;

const objectSchema = z.looseObject({ metadata: metadataSchema });
type Named = { readonly namespace: string; readonly name: string };

/**
 * Who brings a target to life, found from the live object: its owner labels name the Kustomization, that one's own
 * labels its parent, and its sourceRef the repository.
 * @throws Refusal `target-not-found`, `not-managed`, `wrong-source`; ClusterForbidden, ClusterUnavailable.
 */
export async function traceChain(
  kube: KubeClient,
  on: { readonly target: TargetRef; readonly via: ObjectRef | undefined },
): Promise<FluxChain> {
  const labels = await targetLabels(kube, on.target);
  const applier = on.via ? nameOf(on.via) : ownerOf(labels);
  if (!applier) throw noOwner(on.target, labels);
  const objects = await kustomizationsUpwards(kube, applier, on.target);
  const last = objects.at(-1);
  if (!last) throw noOwner(on.target, labels);
  return { source: await sourceOf(kube, last), kustomizations: objects.map(parseKustomization) };
}

async function targetLabels(kube: KubeClient, target: TargetRef): Promise<Readonly<Record<string, string>>> {
  const object = await asking(() => kube.get(objectPath(target)));
  if (object === undefined) throw await targetNotFound(kube, target);
  return objectSchema.parse(object).metadata.labels ?? {};
}

function ownerOf(labels: Readonly<Record<string, string>>): Named | undefined {
  const name = labels[`${KUSTOMIZE_LABEL}/name`];
  const namespace = labels[`${KUSTOMIZE_LABEL}/namespace`];
  return name === undefined || namespace === undefined ? undefined : { name, namespace };
}

function nameOf({ name, namespace }: ObjectRef): Named {
  return { name, namespace: namespace ?? 'flux-system' };
}

/** Root first. */
async function kustomizationsUpwards(
  kube: KubeClient,
  applier: Named,
  target: TargetRef,
): Promise<readonly unknown[]> {
  const found: unknown[] = [];
  const seen = new Set<string>();
  for (let at: Named | undefined = applier; at && found.length < MAX_PARENTS; ) {
    const key = `${at.namespace}/${at.name}`;
    if (seen.has(key)) break;
    seen.add(key);
    const path = objectPath({ kind: 'Kustomization', ...at });
    const object = await asking(() => kube.get(path));
    if (object === undefined) {
      // A parent that is gone explains nothing any more; the applier itself must be there.
      if (found.length > 0) break;
      throw notManaged(
        `${targetKey(target)} is labelled as applied by the Kustomization ${key}, which does not exist.`,
        'Name the Kustomization that applies it under via: in rollout.yaml.',
      );
    }
    found.unshift(object);
    at = ownerOf(objectSchema.parse(object).metadata.labels ?? {});
  }
  return found;
}

async function sourceOf(kube: KubeClient, kustomization: unknown) {
  const ref = sourceRefOf(kustomization);
  const { metadata } = objectSchema.parse(kustomization);
  if (ref.kind !== 'GitRepository') {
    throw new Refusal(
      'wrong-source',
      `Kustomization ${metadata.namespace}/${metadata.name} takes its files from the ${ref.kind} ${ref.namespace}/${ref.name}; a release is a commit, which only a GitRepository delivers.`,
      { remedy: 'Release what a GitRepository delivers; other sources cannot be released here yet.' },
    );
  }
  const object = await asking(() => kube.get(objectPath({ ...ref, kind: 'GitRepository' })));
  if (object === undefined) {
    throw new Refusal('wrong-source', `The GitRepository ${ref.namespace}/${ref.name} does not exist.`, {
      remedy: `Mend spec.sourceRef of Kustomization ${metadata.namespace}/${metadata.name}.`,
    });
  }
  return parseGitRepository(object);
}

async function targetNotFound(kube: KubeClient, target: TargetRef): Promise<Refusal> {
  const collection = collectionPath(target.kind, target.namespace);
  const names = await kube
    .list(collection)
    .then(items => items.map(item => objectSchema.parse(item).metadata.name))
    .catch(() => []);
  return new Refusal(
    'target-not-found',
    `There is no ${target.kind} ${target.name} in the namespace ${target.namespace}; it has ${names.slice(0, 20).join(', ') || 'none'}.`,
    {
      remedy:
        'Correct target in rollout.yaml (namespace/name), or look whether the kubeconfig is of the right cluster.',
    },
  );
}

function noOwner(target: TargetRef, labels: Readonly<Record<string, string>>): Refusal {
  const helm = labels[`${HELM_LABEL}/name`];
  if (helm !== undefined) {
    return notManaged(
      `${targetKey(target)} comes from the HelmRelease ${labels[`${HELM_LABEL}/namespace`] ?? ''}/${helm}; targets of Helm charts cannot be released here yet.`,
      'Release targets that a Kustomization applies.',
    );
  }
  return notManaged(
    `${targetKey(target)} has no owner label of Flux: no Kustomization applies it.`,
    'Have Flux apply it, or name the Kustomization under via: in rollout.yaml.',
  );
}
