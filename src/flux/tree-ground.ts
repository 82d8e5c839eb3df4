import { guardsTarget, parseCanary } from '../cluster/parse-canary.ts';
import type { FluxChain, Observation, SourceView, TargetView } from '../rollout/observation.ts';
import { type ObjectRef, type TargetRef, targetKey } from '../rollout/target.ts';
import { record } from '../build/json.ts';
import { checkSource } from './sources.ts';
import { traceChain } from './trace-chain.ts';
import { chooseApplier } from './tree-choice.ts';
import { Forest, type ForestOptions } from './tree-forest.ts';
import { TreeFlux } from './tree-flux.ts';

/** Where a target comes from, as far as the repository alone says. */
export interface TreeTarget {
  readonly chain: FluxChain;
  readonly view: TargetView;
  /** The pod template as Flux builds it; undefined where a chart makes it. */
  readonly template: unknown;
}

export interface TreeOptions extends ForestOptions {
  readonly via: ObjectRef | undefined;
  /** gitops.branch of rollout.yaml. */
  readonly branch: string | undefined;
  /** The repository, for people to read. */
  readonly repository: string;
  /** A cluster's folder or a Kustomization's file, where there are several. */
  readonly cluster: string | undefined;
  /** How people say which cluster is meant, where they are. */
  readonly howToChoose: string;
}

/**
 * Without a cluster: what the repository's own Kustomizations build. What runs is not known then, so nothing is proven
 * by it.
 * @throws Refusal as chooseApplier, traceChain and checkSource do.
 */
export async function treeTargets(
  on: TreeOptions,
  targets: readonly TargetRef[],
): Promise<readonly (readonly [key: string, found: TreeTarget])[]> {
  const forest = await Forest.of(on);
  return await Promise.all(
    targets.map(async target => [targetKey(target), await treeTarget(forest, on, target)] as const),
  );
}

async function treeTarget(forest: Forest, on: TreeOptions, target: TargetRef): Promise<TreeTarget> {
  const chosen = await chooseApplier(forest, target, on);
  const objects = new TreeFlux(forest, chosen);
  const isOurs = (source: SourceView): boolean => forest.isHere(source, chosen.node.path);
  const chain = await traceChain(objects, { target, via: undefined, isOurs });
  await checkSource(targetKey(target), chain, { repository: on.repository, isOurs, branch: on.branch });
  const canary = objects.built.find(
    ({ kind, data }) => kind === 'Canary' && guardsTarget(data, target),
  )?.data;
  const built = objects.built.find(
    ({ kind, name, namespace = target.namespace }) =>
      kind === target.kind && name === target.name && namespace === target.namespace,
  );
  return {
    chain,
    view: { ...(canary ? { canary: parseCanary(canary) } : {}), replicaSets: [], events: [] },
    template: record(built?.data['spec'])['template'],
  };
}

/** All targets of a rollout, in the shape that a plan is made from. @throws as treeTargets does. */
export async function treeGround(
  on: TreeOptions,
  targets: readonly TargetRef[],
): Promise<{
  readonly chains: Readonly<Record<string, FluxChain>>;
  readonly observation: Observation;
}> {
  const found = await treeTargets(on, targets);
  const views = Object.fromEntries(found.map(([key, { view }]) => [key, view]));
  return {
    chains: Object.fromEntries(found.map(([key, { chain }]) => [key, chain])),
    observation: { source: 'read', at: 0, targets: views, objects: {} },
  };
}
