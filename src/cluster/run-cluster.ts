import { z } from 'zod';
import type { RolloutFile } from '../config/settings.ts';
import type { MetricNow, PlanWarning, RenderedObject } from '../plan/plan.ts';
import type { AutomationHold } from '../rollout/automation-hold.ts';
import type { FluxChain, Observation, SourceView } from '../rollout/observation.ts';
import { type Clock, ClusterForbidden, type ClusterView } from '../rollout/ports.ts';
import { linkKey } from '../rollout/link-progress.ts';
import { type ObservedObject, type TargetKey, type TargetRef, targetKey } from '../rollout/target.ts';
import { Refusal } from '../rollout/verdict.ts';
import { type NeededRight, rightsFor } from '../rights/needed-rights.ts';
import { asking } from './cluster-errors.ts';
import { ClusterWatcher } from './cluster-watcher.ts';
import { type DryRun, dryRun } from './dry-run.ts';
import type { FlaggerGauge, FlaggerService } from './flagger-gauge.ts';
import { helmFights } from './helm-fights.ts';
import { changeHold, checkMayHold, type ImageAutomations, readAutomations } from './image-automations.ts';
import type { ClusterConnection } from './kube-client.ts';
import { metricsNow, type MetricsQuery } from './metrics-now.ts';
import { missingSecrets } from './missing-secrets.ts';
import { checkAnnotations, checkChain, checkOneCanary } from './preflight.ts';
import { readChain } from './read-chain.ts';
import { readObservation } from './read-observation.ts';
import { objectPath, targetPath } from './resources.ts';
import { missingRights, rightsRefusal } from './review-rights.ts';
import { scopeOf } from './rights-scope.ts';
import { checkSource } from '../flux/sources.ts';
import { traceChain } from '../flux/trace-chain.ts';
import { LiveFlux } from './live-flux.ts';

export interface ClusterOptions {
  readonly kube: ClusterConnection;
  readonly clock: Clock;
  readonly random: () => number;
  readonly rollout: Pick<RolloutFile, 'targets' | 'via' | 'gitops' | 'canaries' | 'imageAutomation'>;
  /** Those of `at` changes. */
  readonly objects: readonly ObservedObject[];
  /** Where Flagger serves its metrics; undefined: they are not asked for. */
  readonly flagger: FlaggerService | undefined;
  /** The GitOps repository as people know it. */
  readonly repository: string;
  /** Whether a Git URL is the GitOps repository's. */
  readonly isOurs: (url: string) => Promise<boolean>;
  readonly gauge?: FlaggerGauge | undefined;
  /** Beside those of the targets: whose Services a plan may ask for metrics. */
  readonly metricsNamespaces: readonly string[];
}

export interface Rights {
  readonly needed: readonly NeededRight[];
  readonly missing: readonly NeededRight[];
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

  /** @throws Refusal, with all rights at once where some are missing; ClusterForbidden, ClusterUnavailable. */
  async trace(): Promise<Chains> {
    try {
      const chains = await this.traced();
      await this.checkRights(Object.values(chains));
      return chains;
    } catch (error) {
      if (error instanceof ClusterForbidden) await this.checkRights(undefined);
      throw error;
    }
  }

  /** The rights that this rollout has use for, each with whether the credentials have it. @throws ClusterUnavailable. */
  async rights(): Promise<Rights> {
    const chains = await this.traced().then(Object.values<FluxChain>, (error: unknown) => {
      if (error instanceof ClusterForbidden || error instanceof Refusal) return undefined;
      throw error;
    });
    const needed = rightsFor(scopeOf({ ...this.options, chains }));
    return { needed, missing: await asking(() => missingRights(this.options.kube, needed)) };
  }

  private async checkRights(chains: readonly FluxChain[] | undefined): Promise<void> {
    const needed = rightsFor(scopeOf({ ...this.options, chains })).filter(
      right => right.without === undefined,
    );
    const missing = await asking(() => missingRights(this.options.kube, needed));
    // Image automation may be in another namespace than its source; it is asked for again where it is found.
    if (missing.some(({ on }) => on !== 'image-automation')) throw rightsRefusal(missing);
  }

  private async traced(): Promise<Chains> {
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
    const connection = kube.warnings.map(message => ({ code: 'connection', message }));
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
      warnings: [...connection, ...warnings, ...fights.flat()],
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

  metricsNow(plan: Pick<MetricsQuery, 'schedule' | 'rendered'>): Promise<readonly MetricNow[]> {
    const { kube, rollout, metricsNamespaces } = this.options;
    const own = rollout.targets.map(({ namespace }) => namespace);
    return metricsNow(kube, { ...plan, namespaces: [...own, ...metricsNamespaces] });
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
