import { type Path, record, valueAt } from '../build/json.ts';
import type { BuiltObject } from '../build/tree-builder.ts';
import { targetKey } from '../rollout/target.ts';
import { Refusal } from '../rollout/verdict.ts';
import type { Ground } from './changes/wanted.ts';
import { identity, nameOf } from './differences.ts';
import type { PlanWarning } from './plan.ts';
import type { TargetSource } from './sources/target-source.ts';
import { type Applied, wordsOf } from './tree/applied.ts';
import type { FluxTree } from './tree/flux-tree.ts';
import { manifestOf } from './tree/manifests.ts';
import { originsOf } from './tree/origins.ts';

const SSA = 'kustomize.toolkit.fluxcd.io/ssa';
const RECONCILE = 'kustomize.toolkit.fluxcd.io/reconcile';

/**
 * What Git says of a target that no release could go out with, and what only disturbs it.
 * @throws Refusal where Flux would never apply a release, or would take its pods away.
 */
export async function gitWarnings(source: TargetSource, { tree }: Ground): Promise<readonly PlanWarning[]> {
  const { of, object, target } = source;
  await refuseUnapplied(object, { tree, of });
  const elsewhere = of.standIn ? [notHere(of, of.standIn.from)] : [];
  const replicas = source.isBuilt ? record(object.data['spec'])['replicas'] : undefined;
  if (replicas === undefined || replicas === null || target.kind !== 'Deployment') return elsewhere;
  const at = await lineOfField(tree, { of, object, path: ['spec', 'replicas'] });
  const where = at ? `${at.path}:${at.line}` : 'The tree';
  if (replicas === 0) {
    throw new Refusal(
      'bad-config',
      `${where} sets the replicas of ${targetKey(target)} to 0: each reconciliation of Flux would take away the pods that are analysed.`,
      { remedy: 'Take the replicas out of the tree; Flagger scales the target itself.' },
    );
  }
  return [
    ...elsewhere,
    {
      code: 'replicas-in-git',
      message: `${where} sets replicas: ${String(replicas)} for ${targetKey(target)}; Flux and Flagger will fight over it. Take it out, or use a HorizontalPodAutoscaler.`,
      ...at,
    },
  ];
}

function notHere(of: Applied, from: string): PlanWarning {
  return {
    code: 'not-built',
    message: `What ${wordsOf(of)} takes from ${from} is not in this repository and was not built; the plan is proven by the rest, and by what is live.`,
  };
}

/**
 * @throws Refusal `ssa-if-not-present` when the tree tells Flux never to update an object. Flux decides by the object in
 * Git (fluxcd/pkg ssa/manager_apply.go, shouldSkipApply), whatever the live one says.
 */
export async function refuseUnapplied(
  object: BuiltObject,
  { tree, of }: { readonly tree: FluxTree; readonly of: Applied },
): Promise<void> {
  for (const map of ['annotations', 'labels']) {
    for (const key of [SSA, RECONCILE]) {
      const path = ['metadata', map, key];
      const value = String(valueAt(object.data, path) ?? '');
      const blocks = key === SSA ? /^(?:IfNotPresent|Ignore)$/i.test(value) : /^disabled$/i.test(value);
      if (!blocks) continue;
      const at = await lineOfField(tree, { of, object, path });
      throw new Refusal(
        'ssa-if-not-present',
        `${nameOf(object)} is marked ${key}: ${value}${at ? ` (${at.path}:${at.line})` : ''}, so that Flux never updates it.`,
        { remedy: 'Take the annotation or label away, then run this again.' },
      );
    }
  }
}

/** The line that sets a field of what is built. */
export async function lineOfField(
  tree: FluxTree,
  on: { readonly of: Applied; readonly object: BuiltObject; readonly path: Path },
): Promise<{ readonly path: string; readonly line: number } | undefined> {
  const { of, object, path } = on;
  const value = String(valueAt(object.data, path));
  const manifest = await manifestOf(tree, object);
  if (manifest && String(valueAt(manifest.data, path)) === value) {
    const { file, document, root } = manifest;
    return { path: file.path, line: file.lineOf(document, [...root, ...path]) };
  }
  const read = (objects: readonly BuiltObject[]) =>
    valueAt(objects.find(each => identity(each) === identity(object))?.data, path);
  const field = { of, tokens: [value], read };
  const [dye] = (await originsOf(tree, [field])).get(field)?.dyes ?? [];
  if (!dye) return undefined;
  return { path: dye.place.file, line: dye.place.line };
}
