import type { RolloutFile } from '../config/settings.ts';
import { liveValue, sourceOf } from '../rollout/live-value.ts';
import { linkKey } from '../rollout/link-progress.ts';
import type { FluxChain, Observation } from '../rollout/observation.ts';
import type { FileChange } from '../rollout/ports.ts';
import { type TargetKey, type TargetRef, targetKey } from '../rollout/target.ts';
import { Refusal } from '../rollout/verdict.ts';
import { type AppliedChange, applyToField, applyToTemplate } from './apply-change.ts';
import { applyToInput } from './apply-input.ts';
import { raiseBarrier } from './barrier.ts';
import type { TreeBuilder } from './build.ts';
import { Edits } from '../edit/edits.ts';
import { fluxLayer } from './flux-layer.ts';
import { applyToHelm } from './helm/apply-helm-change.ts';
import {
  type HelmSite,
  helmSiteOf,
  nearestRelease,
  refuseMovedCanary,
  renderedSite,
} from './helm/helm-site.ts';
import { placeHelmId } from './helm/place-helm-id.ts';
import { refuseKnativeFrom } from './knative-target.ts';
import { walkKustomization } from './kustomize-walk.ts';
import type { Layer } from './layer.ts';
import { remoteSite, siteBehind } from './live-site.ts';
import { builtName, objectsOf, type Site } from './locate.ts';
import { text } from './patch-reach.ts';
import { placeId } from './place-id.ts';
import { automatedFiles, automationWarnings, followsAutomation, refuseOwnEdits } from './image-policy.ts';
import type { RepositoryFiles } from '../build/repository-files.ts';
import type { FoundValue, IdPlacement, ReleasePlan } from './plan.ts';
import { planCanary } from './plan-canary.ts';
import { proveBuild } from './prove-build.ts';
import { replicasWarning } from './replicas-warning.ts';
import { siteOf, sitesOf } from './target-site.ts';

export interface PlanQuery {
  readonly files: RepositoryFiles;
  readonly chains: Readonly<Record<TargetKey, FluxChain>>;
  readonly observation: Observation;
  readonly rolloutId: string;
}

export interface StampQuery extends PlanQuery {
  readonly targets: readonly TargetKey[];
}

/** Plans what rollout.yaml asks for, from the repository at one commit. Reads only; writes nothing. */
export class ReleasePlanner {
  private readonly rollout: RolloutFile;
  private readonly sourceSha: string;
  private readonly builder: TreeBuilder | undefined;

  constructor(on: {
    readonly rollout: RolloutFile;
    readonly sourceSha: string;
    /** Proves what the plan makes of the build; without one the live objects are the only judge. */
    readonly builder?: TreeBuilder;
  }) {
    this.rollout = on.rollout;
    this.sourceSha = on.sourceSha;
    this.builder = on.builder;
  }

  /** @throws Refusal with what was looked for, where, and what was found. */
  async plan(query: PlanQuery): Promise<ReleasePlan> {
    const { rollout } = this;
    const edits = new Edits(query.files);
    const adoption = new Edits(query.files);
    const sites = await this.sites(query);
    const canaries = sites.map(({ target, site, objects }) => ({
      target: targetKey(target),
      ...planCanary(
        {
          target,
          site,
          objects,
          view: query.observation.targets[targetKey(target)],
          settings: rollout.canaries.find(each => each.target === targetKey(target)),
          write: rollout.write,
        },
        { release: edits, adoption },
      ),
    }));
    for (const { target, site, helm } of sites) {
      const applier = query.chains[targetKey(target)]?.kustomizations.at(-1);
      const isAdopted = canaries.some(each => each.adopted && each.target === targetKey(target));
      if (helm && isAdopted) refuseMovedCanary(target, site, applier?.targetNamespace);
    }
    const ofCanaries = await edits.changes();
    const applied = await this.applyChanges(query, { edits, sites });
    const unchanged = (await edits.changes()).length === 0;
    const follows = await followsAutomation(applied, { ...query, settings: rollout });
    if (follows) refuseOwnEdits(ofCanaries);
    const adopted = canaries.filter(each => each.adopted).map(({ target }) => target);
    if (rollout.barrier && adopted.length === 0) raiseBarrier(edits, canaries, rollout);
    const placements = follows
      ? []
      : this.placeIds(edits, sites, { id: query.rolloutId, sourceSha: this.sourceSha });
    const values = {
      expectations: applied.flatMap(({ expectation }) => (expectation ? [expectation] : [])),
      found: applied.map(({ found }) => found),
      rendered: canaries.flatMap(({ rendered }) => rendered),
    };
    const files = { release: await edits.changes(), adoption: await adoption.changes() };
    const automated = rollout.imageAutomation === 'suspend' ? automatedFiles(files.release) : [];
    const build = await proveBuild(this.builder, {
      ...query,
      ...values,
      ...files,
      applied,
      rollout,
      targets: sites,
      id: follows ? undefined : query.rolloutId,
    });
    return {
      ...values,
      head: query.files.head,
      files: files.release,
      placements,
      unchanged,
      build,
      automated,
      follows,
      schedule: canaries.flatMap(({ schedule }) => (schedule ? [schedule] : [])),
      warnings: [
        ...sites.flatMap(({ target, site }) => replicasWarning(target, site)),
        ...canaries.flatMap(each => each.warnings),
        ...(build.kind === 'unproven' && build.surprising
          ? [{ code: 'not-built', message: `What Flux builds could not be built here: ${build.why}.` }]
          : []),
        ...automationWarnings({ follows, automated, found: values.found }),
      ],
      adoption: files.adoption,
      adopted,
    };
  }

  /** Only the id, for these targets: what a revert of a commit that has none needs (revert-form.ts, stamped). */
  async stamp(query: StampQuery): Promise<readonly FileChange[]> {
    const edits = new Edits(query.files);
    const sites = await this.sites(query);
    const stamped = sites.filter(({ target }) => query.targets.includes(targetKey(target)));
    this.placeIds(edits, stamped, { id: query.rolloutId });
    return await edits.changes();
  }

  private placeIds(
    edits: Edits,
    sites: readonly TargetSite[],
    values: { readonly id: string; readonly sourceSha?: string },
  ): readonly IdPlacement[] {
    const { write } = this.rollout;
    return sites.map(({ target, site, helm }) =>
      helm
        ? placeHelmId(edits, { ...values, write, target, helm, idPath: this.rollout.idPath })
        : placeId(edits, { target: targetKey(target), site, ...values, write }),
    );
  }

  /** @throws Refusal `chain-broken` when what the tree says is not what runs. */
  proveChain(found: readonly FoundValue[], observation: Observation): void {
    for (const value of found) {
      const { currentExpectation: expected, target } = value;
      if (!expected) continue;
      const on = { view: observation.targets[target], objects: observation.objects };
      const live = liveValue(expected, sourceOf(expected, on));
      if (live.holds) continue;
      throw new Refusal(
        'chain-broken',
        `${value.change} of ${target} is ${value.current} in ${value.path}:${value.line}, but ${live.found ?? 'nothing'} is live: something between the tree and the cluster sets another value.`,
        {
          remedy:
            'Look for a patch, an images entry, a postBuild substitution, image automation or a hand’s kubectl that wins over this line, or for a Kustomization that does not apply.',
        },
      );
    }
  }

  private async applyChanges(
    query: PlanQuery,
    on: { readonly edits: Edits; readonly sites: readonly TargetSite[] },
  ): Promise<readonly AppliedChange[]> {
    const applied: AppliedChange[] = [];
    for (const change of this.rollout.changes) {
      if (change.kind === 'field') {
        applied.push(
          ...(await applyToField(change, { edits: on.edits, files: query.files, settings: this.rollout })),
        );
        continue;
      }
      if (change.kind === 'input') {
        const settings = this.rollout;
        applied.push(
          ...(await applyToInput(change, { ...query, edits: on.edits, settings, targets: on.sites })),
        );
        continue;
      }
      for (const { target, site, objects, helm } of on.sites) {
        const key = targetKey(target);
        if (!change.in.includes(key)) continue;
        const at = { edits: on.edits, target: key, site, objects, sites: on.sites, settings: this.rollout };
        const released = on.sites.flatMap(each =>
          each.helm && change.in.includes(targetKey(each.target)) ? [each.helm.site] : [],
        );
        if (helm) applied.push(await applyToHelm(change, { ...at, helm, released, files: query.files }));
        else applied.push(...applyToTemplate(change, at));
      }
    }
    return applied;
  }

  /** The manifest of the Kustomization that applies a target, in what its own parent applies from this repository. */
  private async definitionOf(
    query: PlanQuery,
    chain: FluxChain,
    layers: Map<string, Promise<Layer>>,
  ): Promise<Site | undefined> {
    const applier = chain.kustomizations.at(-1);
    // The root of most clusters applies itself: flux-system/flux-system.
    const parent = chain.kustomizations.at(-2) ?? applier;
    if (!parent || !applier) return undefined;
    const walked = layers.get(parent.path) ?? walkKustomization(query.files, parent.path);
    layers.set(parent.path, walked);
    // A parent of another repository, or one that cannot be followed, holds nothing that we could edit.
    const layer = await walked.catch(() => undefined);
    return layer && objectsOf(layer).find(site => isFluxKustomization(site, applier.name));
  }

  /** @throws Refusal when the live Kustomization sets an image of ours, and its manifest is nowhere to be edited. */
  private refuseOverride(target: TargetRef, applier: FluxChain['kustomizations'][number]): void {
    for (const change of this.rollout.changes) {
      if (change.kind !== 'image' || applier.imageNames?.includes(change.repository) !== true) continue;
      throw new Refusal(
        'chain-broken',
        `Kustomization ${applier.namespace}/${applier.name} sets the image ${change.repository} of ${targetKey(target)} itself (spec.images), and its manifest is not in what is applied from this repository.`,
        {
          remedy:
            'Take the entry out of the Kustomization, or keep its manifest in this repository, where it can be edited.',
        },
      );
    }
  }

  private async sites(query: PlanQuery): Promise<readonly TargetSite[]> {
    const layers = new Map<string, Promise<Layer>>();
    return await Promise.all(
      this.rollout.targets.map(async target => {
        const applier = query.chains[targetKey(target)]?.kustomizations.at(-1);
        if (!applier)
          throw new Refusal('not-managed', `No Kustomization of Flux applies ${targetKey(target)}.`);
        const walked = layers.get(applier.path) ?? walkKustomization(query.files, applier.path);
        layers.set(applier.path, walked);
        const chain = query.chains[targetKey(target)];
        const definition = chain && (await this.definitionOf(query, chain, layers));
        const link = chain?.links.at(-1);
        if (!definition && !link) this.refuseOverride(target, applier);
        const walkedLayer = await walked;
        const built = definition ? fluxLayer(definition, walkedLayer) : walkedLayer;
        const live = query.observation.targets[targetKey(target)]?.target;
        if (link) refuseKnativeFrom(target, linkKey(link));
        if (link?.kind === 'Kustomization') {
          return { target, ...siteBehind(link, { target, live, built, carrier: applier }) };
        }
        const objects = objectsOf(built);
        const release = nearestRelease(chain);
        if (release) {
          const helm = helmSiteOf(target, { release, objects, applier, template: live?.template });
          return { target, site: renderedSite(target, helm, applier.targetNamespace), objects, helm };
        }
        const on = { objects, folder: applier.path, targetNamespace: applier.targetNamespace };
        const isHere = sitesOf(target, on).length > 0;
        const remote = isHere ? undefined : remoteSite({ target, live, built, applier });
        if (remote?.live) refuseKnativeFrom(target, remote.live.from);
        const site = remote ?? siteOf(target, on);
        return { target, site, objects };
      }),
    );
  }
}

function isFluxKustomization(site: Site, name: string): boolean {
  return (
    site.data['kind'] === 'Kustomization' &&
    text(site.data['apiVersion']).startsWith('kustomize.toolkit.fluxcd.io/') &&
    builtName(site) === name
  );
}

interface TargetSite {
  readonly target: TargetRef;
  readonly site: Site;
  readonly objects: readonly Site[];
  /** Where Helm renders the target; `site` is then made of what is live. */
  readonly helm?: HelmSite;
}
