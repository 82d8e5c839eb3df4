import { z } from 'zod';
import type { PlanWarning } from '../plan/plan.ts';
import type {
  ChartSourceView,
  FluxChain,
  HelmReleaseView,
  KustomizationView,
} from '../rollout/observation.ts';
import { type TargetKey, type TargetRef, targetKey } from '../rollout/target.ts';
import { Refusal } from '../rollout/verdict.ts';
import { asking } from './cluster-errors.ts';
import type { KubeClient } from './kube-client.ts';
import { metadataSchema } from '../flux/kube-shapes.ts';
import { guardsTarget } from './parse-canary.ts';
import { collectionPath } from './resources.ts';

/** kustomize-controller: reasons of Ready=False with which no commit is applied. */
const BROKEN = [
  'BuildFailed',
  'ReconciliationFailed',
  'PruneFailed',
  'InvalidPath',
  'ArtifactFailed',
  'DependencyNotReady',
];

/**
 * Everything in Flux that would keep a commit from being delivered.
 * @throws Refusal `source-suspended`, `source-failed`, `kustomization-suspended`, `tree-broken`.
 */
export function checkChain(
  target: TargetKey,
  { source, kustomizations, links }: FluxChain,
): readonly PlanWarning[] {
  const name = `GitRepository ${source.namespace}/${source.name}`;
  if (source.suspended) {
    throw new Refusal('source-suspended', `${name}, which delivers ${target}, is suspended.`, {
      remedy: `flux resume source git ${source.name} -n ${source.namespace}`,
    });
  }
  if (source.ready?.status === 'False') {
    throw new Refusal('source-failed', `${name} cannot fetch the repository: ${source.ready.message}`, {
      remedy: 'Mend the source (URL, credentials, branch), then run this again.',
    });
  }
  return [
    ...kustomizations.flatMap(kustomization => checkKustomization(target, kustomization)),
    ...links.flatMap(link =>
      link.kind === 'Kustomization'
        ? checkKustomization(target, link.view)
        : [...checkHelmRelease(target, link.view), ...checkChart(link.chartSource)],
    ),
  ];
}

function checkHelmRelease(target: TargetKey, release: HelmReleaseView): readonly PlanWarning[] {
  const { namespace, ready } = release;
  const name = `HelmRelease ${namespace}/${release.name}`;
  if (release.suspended) {
    throw new Refusal('helm-release-suspended', `${name}, which delivers ${target}, is suspended.`, {
      remedy: `flux resume helmrelease ${release.name} -n ${namespace}`,
    });
  }
  if (ready?.status !== 'False') return [];
  return [{ code: 'not-ready', message: `${name} is not ready (${ready.reason}): ${ready.message}` }];
}

/** A chart that cannot be fetched keeps the one of before; only a release of another chart would wait for it. */
function checkChart(source: ChartSourceView | undefined): readonly PlanWarning[] {
  if (!source) return [];
  const { ready, suspended } = source;
  const name = `OCIRepository ${source.namespace}/${source.name}`;
  const message = suspended
    ? `${name} is suspended: another chart would not be fetched. To resume it: flux resume source oci ${source.name} -n ${source.namespace}`
    : ready?.status === 'False'
      ? `${name} is not ready (${ready.reason}): ${ready.message}`
      : undefined;
  return message === undefined ? [] : [{ code: 'not-ready', message }];
}

function checkKustomization(target: TargetKey, kustomization: KustomizationView): readonly PlanWarning[] {
  const { namespace, ready } = kustomization;
  const name = `Kustomization ${namespace}/${kustomization.name}`;
  if (kustomization.suspended) {
    throw new Refusal('kustomization-suspended', `${name}, which delivers ${target}, is suspended.`, {
      remedy: `flux resume kustomization ${kustomization.name} -n ${namespace}`,
    });
  }
  if (ready?.status === 'False' && BROKEN.includes(ready.reason)) {
    throw new Refusal(
      'tree-broken',
      `${name} cannot apply the tree as it is now (${ready.reason}): ${ready.message}`,
      {
        remedy: 'Mend what Flux complains about, or take it out, then run this again.',
      },
    );
  }
  const warnings: PlanWarning[] = [];
  if (ready?.status === 'False') {
    warnings.push({ code: 'not-ready', message: `${name} is not ready (${ready.reason}): ${ready.message}` });
  }
  if (kustomization.waits) {
    warnings.push({
      code: 'waits',
      message: `${name} waits for health checks: it shows a revision as applied only after the analysis.`,
    });
  }
  return warnings;
}

/** @throws Refusal `canary-ambiguous` when Flagger would run two analyses of one target against each other. */
export async function checkOneCanary(kube: KubeClient, target: TargetRef): Promise<void> {
  const all = await asking(() => kube.list(collectionPath('Canary', target.namespace)));
  const guards = all.filter(object => guardsTarget(object, target));
  if (guards.length < 2) return;
  const names = guards.map(object => objectSchema.parse(object).metadata.name).join(', ');
  throw new Refusal('canary-ambiguous', `${targetKey(target)} is guarded by several Canaries: ${names}.`, {
    remedy: 'Keep one of them.',
  });
}

const objectSchema = z.looseObject({ metadata: metadataSchema });
const SSA = 'kustomize.toolkit.fluxcd.io/ssa';
const RECONCILE = 'kustomize.toolkit.fluxcd.io/reconcile';

/** @throws Refusal `ssa-if-not-present` when Flux is told never to update the target, or a link to it. */
export async function checkAnnotations(
  kube: KubeClient,
  on: { readonly what: string; readonly path: string },
): Promise<void> {
  const object = await asking(() => kube.get(on.path));
  if (object === undefined) return;
  const { annotations, labels } = objectSchema.parse(object).metadata;
  // fluxcd/pkg ssa/utils/meta.go, AnyInMetadata: as annotation or label, in whatever case.
  const found = [SSA, RECONCILE].flatMap(key =>
    [annotations?.[key], labels?.[key]].map(value => ({ key, value })),
  );
  const blocking = found.find(({ key, value }) =>
    key === SSA ? /^(?:IfNotPresent|Ignore)$/i.test(value ?? '') : /^disabled$/i.test(value ?? ''),
  );
  if (!blocking) return;
  throw new Refusal(
    'ssa-if-not-present',
    `${on.what} is marked ${blocking.key}: ${blocking.value}, so that Flux never updates it.`,
    { remedy: 'Take the annotation or label away, then run this again.' },
  );
}
