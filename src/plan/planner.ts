import type { RolloutFile } from '../config/settings.ts';
import { objectKey } from '../rollout/judge.ts';
import { liveValue } from '../rollout/live-value.ts';
import type { FluxChain, Observation } from '../rollout/observation.ts';
import { type TargetKey, type TargetRef, targetKey } from '../rollout/target.ts';
import { Refusal } from '../rollout/verdict.ts';
import { type AppliedChange, applyToField, applyToTemplate } from './apply-change.ts';
import { raiseBarrier } from './barrier.ts';
import { Edits } from './edits.ts';
import { fluxLayer } from './flux-layer.ts';
import { refuseKnativeFields } from './knative-target.ts';
import { walkKustomization } from './kustomize-walk.ts';
import type { Layer } from './layer.ts';
import { builtName, builtNamespace, isOfKind, objectsOf, type Site } from './locate.ts';
import { record, text } from './patch-reach.ts';
import { placeId } from './place-id.ts';
import type { FoundValue, PlanWarning, ReleasePlan, RepositoryFiles } from './plan.ts';
import { planCanary } from './plan-canary.ts';

export interface PlanQuery {
  readonly files: RepositoryFiles;
  readonly chains: Readonly<Record<TargetKey, FluxChain>>;
  readonly observation: Observation;
  readonly rolloutId: string;
}

/** Plans what rollout.yaml asks for, from the repository at one commit. Reads only; writes nothing. */
export class ReleasePlanner {
  private readonly rollout: RolloutFile;
  private readonly sourceSha: string;

  constructor(on: { readonly rollout: RolloutFile; readonly sourceSha: string }) {
    this.rollout = on.rollout;
    this.sourceSha = on.sourceSha;
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
    const applied = await this.applyChanges(query, { edits, sites });
    const unchanged = (await edits.changes()).length === 0;
    const adopted = canaries.filter(each => each.adopted).map(({ target }) => target);
    if (rollout.barrier && adopted.length === 0) raiseBarrier(edits, canaries, rollout);
    const placements = sites.map(({ target, site }) =>
      placeId(edits, {
        target: targetKey(target),
        site,
        id: query.rolloutId,
        sourceSha: this.sourceSha,
        write: rollout.write,
      }),
    );
    return {
      head: query.files.head,
      files: await edits.changes(),
      placements,
      expectations: applied.map(({ expectation }) => expectation),
      found: applied.map(({ found }) => found),
      unchanged,
      schedule: canaries.flatMap(({ schedule }) => (schedule ? [schedule] : [])),
      warnings: [
        ...sites.flatMap(({ target, site }) => replicasWarning(target, site)),
        ...canaries.flatMap(each => each.warnings),
      ],
      adoption: await adoption.changes(),
      adopted,
      rendered: canaries.flatMap(({ rendered }) => rendered),
    };
  }

  /** @throws Refusal `chain-broken` when what the tree says is not what runs. */
  proveChain(found: readonly FoundValue[], observation: Observation): void {
    for (const value of found) {
      const { currentExpectation: expected, target } = value;
      const source =
        expected.kind === 'field'
          ? observation.objects[objectKey(expected.object)]
          : observation.targets[target]?.target?.template;
      const live = liveValue(expected, source);
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
      for (const { target, site, objects } of on.sites) {
        const key = targetKey(target);
        if (!change.in.includes(key)) continue;
        applied.push(
          ...applyToTemplate(change, { edits: on.edits, target: key, site, objects, settings: this.rollout }),
        );
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
    const [parent, applier] = [chain.kustomizations.at(-2), chain.kustomizations.at(-1)];
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
        if (!definition) this.refuseOverride(target, applier);
        const built = await walked;
        const objects = objectsOf(definition ? fluxLayer(definition, built) : built);
        const site = siteOf(target, {
          objects,
          folder: applier.path,
          targetNamespace: applier.targetNamespace,
        });
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
}

function siteOf(
  target: TargetRef,
  on: {
    readonly objects: readonly Site[];
    readonly folder: string;
    readonly targetNamespace: string | undefined;
  },
): Site {
  const ofKind = on.objects.filter(site => isOfKind(site, target.kind));
  const sites = ofKind.filter(site => {
    const namespace = builtNamespace(site, on.targetNamespace);
    return builtName(site) === target.name && (namespace === undefined || namespace === target.namespace);
  });
  const [only] = sites;
  if (sites.length === 1 && only) {
    refuseKnativeFields(target, only);
    return only;
  }
  const folder = on.folder === '' ? 'the root folder' : on.folder;
  if (only) {
    throw new Refusal(
      'change-ambiguous',
      `${targetKey(target)} is written ${sites.length} times in what Flux builds from ${folder}: ${sites.map(({ file }) => file.path).join(', ')}.`,
      {
        remedy: 'Keep one of them.',
      },
    );
  }
  const seen = ofKind.map(site => `${builtNamespace(site, on.targetNamespace) ?? '?'}/${builtName(site)}`);
  throw new Refusal(
    'target-not-found',
    `What Flux builds from ${folder} has no ${target.kind === 'Service' ? 'Knative Service' : target.kind} ${target.namespace}/${target.name}; it has ${seen.join(', ') || 'none at all'}.`,
    {
      remedy: 'If it comes from a remote base, a Helm chart or a generator, it cannot be released here yet.',
    },
  );
}

/** Flagger scales the target to zero between releases, and Flux puts the replicas of Git back at each interval. */
function replicasWarning(target: TargetRef, site: Site): readonly PlanWarning[] {
  const replicas = record(site.data['spec'])['replicas'];
  if (replicas === undefined || target.kind !== 'Deployment') return [];
  return [
    {
      code: 'replicas-in-git',
      message: `${site.file.path} sets replicas: ${text(replicas)} for ${targetKey(target)}; Flux and Flagger will fight over it. Take it out, or use a HorizontalPodAutoscaler.`,
      path: site.file.path,
      line: site.file.lineOf(site.document, ['spec', 'replicas']),
    },
  ];
}
