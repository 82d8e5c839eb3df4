import { z } from 'zod';
import type { PlanWarning } from '../plan/plan.ts';
import type { HelmReleaseView } from '../rollout/observation.ts';
import { type TargetRef, targetKey } from '../rollout/target.ts';
import { Refusal } from '../rollout/verdict.ts';
import { asking, ifAllowed } from './cluster-errors.ts';
import type { KubeClient } from './kube-client.ts';
import { guardsTarget } from './parse-canary.ts';
import { metadataSchema } from '../flux/kube-shapes.ts';
import { collectionPath, objectPath } from './resources.ts';

interface Looking {
  readonly target: TargetRef;
  readonly release: HelmReleaseView;
  /** The Service that a Canary which is still to be added would be given. */
  readonly newService: string | undefined;
}

/**
 * What Helm and Flagger would both write. A Canary that people live with is warned of; one that would only be added now
 * is refused, because Flagger could not even initialize it.
 * @throws Refusal, ClusterForbidden, ClusterUnavailable.
 */
export async function helmFights(kube: KubeClient, on: Looking): Promise<readonly PlanWarning[]> {
  const { target, release } = on;
  const name = `HelmRelease ${release.namespace}/${release.name}`;
  const canaryService = await guardingService(kube, target);
  const isAdopted = canaryService === undefined;
  const warnings: PlanWarning[] = [];
  const service = canaryService ?? on.newService ?? target.name;
  if (await isFromRelease(kube, { kind: 'Service', namespace: target.namespace, name: service }, release)) {
    warnings.push({
      code: 'helm-service',
      message: `The Service ${target.namespace}/${service} comes from the chart of ${name}, and Flagger makes one of that name: each Helm upgrade points it at the pods of ${targetKey(target)} again, which have no replicas between releases. ${SERVICE_REMEDY}`,
    });
  }
  if (release.driftDetection === 'enabled' && !release.ignoresReplicas) {
    warnings.push({
      code: 'helm-drift',
      message: `${name} corrects drift, and Flagger scales ${targetKey(target)} to zero between releases: Helm would scale it up again. Add to its spec: driftDetection: {mode: enabled, ignore: [{paths: [/spec/replicas], target: {kind: ${target.kind}}}]}.`,
    });
  }
  const [fight] = warnings;
  if (fight && isAdopted) {
    throw new Refusal(
      'chain-broken',
      `No Canary can be added to ${targetKey(target)} yet. ${fight.message}`,
      {
        remedy: 'Mend this in the HelmRelease first, then run this again.',
      },
    );
  }
  return [
    ...warnings,
    ...(await replicasOfChart(kube, target, name)),
    ...(release.remediatesUpgrades
      ? [
          {
            code: 'helm-remediation',
            message: `${name} takes failed upgrades back by itself (spec.upgrade.remediation), whatever the analysis says; the rollout then ends as helm-rolled-back. Without remediation Flagger and this rollout alone decide.`,
          },
        ]
      : []),
  ];
}

const SERVICE_REMEDY =
  'Turn it off in the values (service.enabled: false), or delete it by a postRenderer ($patch: delete), after the live one was annotated helm.sh/resource-policy: keep.';

const canarySchema = z.looseObject({
  spec: z.looseObject({ service: z.looseObject({ name: z.string().optional() }).optional() }),
});

/** The Service of the Canary that guards the target; undefined when there is none. Flagger, Canary.GetServiceNames. */
async function guardingService(kube: KubeClient, target: TargetRef): Promise<string | undefined> {
  const all = await asking(() => kube.list(collectionPath('Canary', target.namespace)));
  const found = all.find(object => guardsTarget(object, target));
  if (found === undefined) return undefined;
  return canarySchema.parse(found).spec.service?.name ?? target.name;
}

const objectSchema = z.looseObject({ metadata: metadataSchema });

/** helm-controller labels all that it installs; an object that Flagger took over keeps the labels. */
async function isFromRelease(
  kube: KubeClient,
  object: { readonly kind: string; readonly namespace: string; readonly name: string },
  release: HelmReleaseView,
): Promise<boolean> {
  const found = await ifAllowed(() => kube.get(objectPath(object)), undefined);
  if (found === undefined) return false;
  const labels = objectSchema.parse(found).metadata.labels ?? {};
  return (
    labels['helm.toolkit.fluxcd.io/name'] === release.name &&
    labels['helm.toolkit.fluxcd.io/namespace'] === release.namespace
  );
}

const appliedSchema = z.looseObject({
  'f:spec': z.looseObject({ 'f:replicas': z.unknown().optional() }).optional(),
});

/** Known for sure only where Helm applies on the server's side: then the fields that it sets are its own. */
async function replicasOfChart(
  kube: KubeClient,
  target: TargetRef,
  release: string,
): Promise<readonly PlanWarning[]> {
  if (target.kind !== 'Deployment') return [];
  const object = await asking(() => kube.get(objectPath(target)));
  if (object === undefined) return [];
  const sets = (objectSchema.parse(object).metadata.managedFields ?? []).some(
    ({ manager = '', operation, fieldsV1 }) =>
      operation === 'Apply' &&
      /helm/i.test(manager) &&
      appliedSchema.safeParse(fieldsV1).data?.['f:spec']?.['f:replicas'] !== undefined,
  );
  if (!sets) return [];
  return [
    {
      code: 'replicas-in-git',
      message: `The chart of ${release} sets the replicas of ${targetKey(target)}; each upgrade and Flagger will fight over them. Turn replicas off in the values, or use a HorizontalPodAutoscaler.`,
    },
  ];
}
