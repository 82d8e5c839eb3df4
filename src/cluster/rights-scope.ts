import type { RolloutFile } from '../config/settings.ts';
import type { Occasion } from '../rights/cluster-rights.ts';
import type { RightsScope } from '../rights/needed-rights.ts';
import type { FluxChain } from '../rollout/observation.ts';
import type { ObservedObject } from '../rollout/target.ts';
import type { FlaggerService } from './flagger-gauge.ts';
import { rbacName } from './resources.ts';

/** Where Flux is unless somebody chose otherwise; for rights that are asked about before the chain could be traced. */
const FLUX_NAMESPACE = 'flux-system';

export interface ScopeQuery {
  readonly rollout: Pick<RolloutFile, 'targets' | 'via' | 'canaries' | 'imageAutomation'>;
  /** Those of `at` changes. */
  readonly objects: readonly ObservedObject[];
  readonly flagger: FlaggerService | undefined;
  /** Undefined: it could not be traced. */
  readonly chains: readonly FluxChain[] | undefined;
}

/** What the rights of a rollout depend on. */
export function scopeOf({ rollout, objects, flagger, chains }: ScopeQuery): RightsScope {
  const { targets, via, canaries, imageAutomation } = rollout;
  const guess = [via?.namespace ?? FLUX_NAMESPACE];
  const links = chains?.flatMap(chain => chain.links) ?? [];
  const releases = links.filter(({ kind }) => kind === 'HelmRelease');
  const foreign = links.flatMap(link => (link.kind === 'Kustomization' ? [link] : []));
  const kustomizations = chains?.flatMap(chain => chain.kustomizations);
  const sources = [
    ...(chains?.map(({ source }) => source) ?? []),
    ...foreign.map(({ source }) => source),
  ].filter(({ kind }) => kind === 'GitRepository');
  const occasions: readonly (readonly [Occasion, boolean])[] = [
    ['HelmRelease', releases.length > 0],
    ['foreign', foreign.length > 0],
    ['generated', objects.some(object => 'referenced' in object)],
    ['image-automation', imageAutomation !== 'refuse'],
    ['canary', canaries.length > 0],
  ];
  const namespace = targets[0]?.namespace;
  return {
    targets,
    occasions: new Set(occasions.flatMap(([occasion, holds]) => (holds ? [occasion] : []))),
    places: {
      source: chains ? sources.map(each => each.namespace) : guess,
      kustomization: kustomizations
        ? [...kustomizations, ...foreign.map(({ view }) => view)].map(each => each.namespace)
        : guess,
      release: releases.map(({ view }) => view.namespace),
      flagger: flagger ? [flagger.namespace] : [],
    },
    names: flagger ? { flagger: [`${flagger.name}:${flagger.port}`] } : {},
    objects: objects.flatMap(object =>
      // What delivers the target, and the target itself, is looked at anyway.
      'referenced' in object ||
      object.kind === 'HelmRelease' ||
      targets.some(({ kind, name }) => kind === object.kind && name === object.name)
        ? []
        : [{ ...rbacName(object.kind), namespace: object.namespace ?? namespace }],
    ),
  };
}
