import { z } from 'zod';
import type { RolloutFile } from '../config/settings.ts';
import type { MetricNow, PlanWarning, RenderedObject } from '../plan/plan.ts';
import type { AutomationHold } from '../rollout/automation-hold.ts';
import type { FluxChain, Observation, SourceView } from '../rollout/observation.ts';
import type { Clock, ClusterView } from '../rollout/ports.ts';
import { linkKey } from '../rollout/link-progress.ts';
import { type ObservedObject, type TargetKey, type TargetRef, targetKey } from '../rollout/target.ts';
import { ClusterWatcher } from './cluster-watcher.ts';
import { type DryRun, dryRun } from './dry-run.ts';
import type { FlaggerGauge } from './flagger-gauge.ts';
import { helmFights } from './helm-fights.ts';
import { changeHold, checkMayHold, type ImageAutomations, readAutomations } from './image-automations.ts';
import type { KubeClient } from './kube-client.ts';
import { metricsNow } from './metrics-now.ts';
import { missingSecrets } from './missing-secrets.ts';
import { checkAnnotations, checkChain, checkOneCanary } from './preflight.ts';
import { readChain } from './read-chain.ts';
import { readObservation } from './read-observation.ts';
import { objectPath, targetPath } from './resources.ts';
import { checkSource } from '../flux/sources.ts';
import { traceChain } from '../flux/trace-chain.ts';
import { LiveFlux } from './live-flux.ts';

export interface ClusterOptions {
  readonly kube: KubeClient;
  readonly clock: Clock;
  readonly random: () => number;
  readonly rollout: Pick<RolloutFile, 'targets' | 'via' | 'gitops' | 'canaries'>;
  /** The GitOps repository as people know it. */
  readonly repository: string;
  /** Whether a Git URL is the GitOps repository's. */
  readonly isOurs: (url: string) => Promise<boolean>;
  readonly gauge?: FlaggerGauge | undefined;
}

const serviceSchema = z.looseObject({ name: z.string().optional() });

type Named = { readonly namespace: string; readonly name: string };
type Chains = Readonly<Record<TargetKey, FluxChain>>;

/** The cluster that a rollout is released to. */
export class Cluster {
  private readonly options: ClusterOptions;

  constructor(options: ClusterOptions) {
    this.options = options;
  }

  /** @throws Refusal, ClusterForbidden, ClusterUnavailable. */
  async trace(): Promise<Chains> {
    const { kube, rollout, repository } = this.options;
    const isOurs = ({ url }: SourceView): Promise<boolean> => this.options.isOurs(url);
    const { branch } = rollout.gitops;
    const objects = new LiveFlux(kube);
    const entries = await Promise.all(
      rollout.targets.map(async target => {
        const chain = await traceChain(objects, { target, via: rollout.via, isOurs });
        await checkSource(targetKey(target), chain, { repository, isOurs, branch });
        return [targetKey(target), chain] as const;
      }),
    );
    return Object.fromEntries(entries);
  }

  /** @throws Refusal, ClusterForbidden, ClusterUnavailable. */
  async preflight(chains: Chains): Promise<{
    readonly chains: Chains;
    readonly observation: Observation;
    readonly warnings: readonly PlanWarning[];
  }> {
    const { kube, clock, rollout } = this.options;
    const now = Object.fromEntries(
      await Promise.all(
        Object.entries(chains).map(async ([key, chain]) => [key, await readChain(kube, chain)] as const),
      ),
    );
    const warnings = Object.entries(now).flatMap(([target, chain]) => checkChain(target, chain));
    await Promise.all(
      rollout.targets.flatMap(target => [
        checkAnnotations(kube, { what: targetKey(target), path: targetPath(target) }),
        checkOneCanary(kube, target),
        ...(now[targetKey(target)]?.links ?? []).map(link =>
          checkAnnotations(kube, {
            what: linkKey(link),
            path: objectPath({ kind: link.kind, namespace: link.view.namespace, name: link.view.name }),
          }),
        ),
      ]),
    );
    const fights = await Promise.all(rollout.targets.map(target => this.fightsOf(target, now)));
    const watched = { targets: rollout.targets, chains: now, objects: [] };
    return {
      chains: now,
      observation: await readObservation(kube, { watched, clock, source: 'read' }),
      warnings: [...warnings, ...fights.flat()],
    };
  }

  /** @throws Refusal in the API server's words, ClusterUnavailable. */
  dryRun(objects: readonly RenderedObject[]): Promise<DryRun> {
    return dryRun(this.options.kube, objects);
  }

  /** @throws ClusterUnavailable. */
  missingSecrets(objects: readonly RenderedObject[]): Promise<readonly string[]> {
    return missingSecrets(this.options.kube, objects);
  }

  metricsNow(plan: Parameters<typeof metricsNow>[1]): Promise<readonly MetricNow[]> {
    return metricsNow(this.options.kube, plan);
  }

  /** @throws Refusal, ClusterForbidden, ClusterUnavailable. */
  automations(chains: Chains): Promise<ImageAutomations> {
    const sources = Object.values(chains).map(({ source }) => source);
    return readAutomations(this.options, sources);
  }

  /** @throws ClusterForbidden, ClusterUnavailable. */
  changeHold(automation: Named, next: (hold: AutomationHold) => AutomationHold): Promise<AutomationHold> {
    return changeHold(this.options, automation, next);
  }

  /** @throws ClusterForbidden, ClusterUnavailable. */
  checkMayHold(automation: Named): Promise<void> {
    return checkMayHold(this.options.kube, automation);
  }

  view(on: { readonly chains: Chains; readonly objects: readonly ObservedObject[] }): ClusterView {
    const { kube, clock, random, rollout, gauge } = this.options;
    return new ClusterWatcher({ kube, clock, random, gauge, watched: { targets: rollout.targets, ...on } });
  }

  private async fightsOf(target: TargetRef, chains: Chains): Promise<readonly PlanWarning[]> {
    const { kube, rollout } = this.options;
    const key = targetKey(target);
    const nearest = chains[key]?.links.at(-1);
    if (nearest?.kind !== 'HelmRelease') return [];
    const service = rollout.canaries.find(each => each.target === key)?.spec['service'];
    const newService = serviceSchema.safeParse(service).data?.name;
    return await helmFights(kube, { target, release: nearest.view, newService });
  }
}
