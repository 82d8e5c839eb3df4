import type { BuiltObject } from '../build/tree-builder.ts';
import { blockOf } from '../edit/new-text.ts';
import type { RolloutFile } from '../config/settings.ts';
import type { Expectation } from '../rollout/expectation.ts';
import { targetKey } from '../rollout/target.ts';
import { Refusal } from '../rollout/verdict.ts';
import type { AppliedChange } from './changes/apply.ts';
import type { Ground } from './changes/wanted.ts';
import { type ChangedObject, changedObjects, type Difference, differences, nameOf } from './differences.ts';
import type { BuildProof, BuiltChange, RenderedObject } from './plan.ts';
import { refuseSideEffects } from './side-effects.ts';
import type { TargetSource } from './sources/target-source.ts';
import type { Applied } from './tree/applied.ts';
import type { Overlay } from './tree/flux-tree.ts';

const BY = 'Flux’s own kustomize';

export interface ProofQuery {
  readonly ground: Ground;
  readonly rollout: Pick<RolloutFile, 'changes' | 'canaries' | 'write'>;
  readonly sources: readonly TargetSource[];
  readonly applied: readonly AppliedChange[];
  readonly expectations: readonly Expectation[];
  readonly rendered: readonly RenderedObject[];
  /** The rollout's id, where the release puts one on the pod templates. */
  readonly id: string | undefined;
  readonly release: Overlay;
  readonly adoption: Overlay;
}

/**
 * Builds what Flux applies, before and after the edits, and compares: the values asked for and the rollout's id must be
 * in the build, and nothing else may change, in whatever is built of the same files.
 * @throws Refusal `tree-broken` in the builder's own words, `chain-broken` when something sets another value,
 * `change-ambiguous` when another object would change, too.
 */
export async function prove(query: ProofQuery): Promise<BuildProof> {
  const { ground, sources, release, adoption } = query;
  const objects: BuiltChange[] = [];
  for (const of of kustomizations(sources)) {
    const before = await ground.tree.built(of);
    for (const overlay of adoption.size > 0 ? [adoption, release] : [release]) {
      const after = await ground.tree.built(of, overlay);
      const changed = changedObjects(before.objects, after.objects);
      refuseSideEffects(changed, query);
      if (isShown(of, sources)) objects.push(...changed.map(shown));
    }
  }
  await proveCanaries(query);
  const compared = await proveValues(query);
  await refuseOthers(query);
  return { kind: 'proven', by: BY, objects, compared };
}

/** Those that bring the targets, and those that bring their manifests. */
function kustomizations(sources: readonly TargetSource[]): readonly Applied[] {
  const all = new Set<Applied>();
  for (const { of } of sources) {
    for (let each: Applied | undefined = of; each; ) {
      all.add(each);
      each = each.definedBy && 'by' in each.definedBy ? each.definedBy.by : undefined;
    }
  }
  return [...all];
}

/** What is built of files of this repository; of a manifest only where the target itself is built elsewhere. */
function isShown(of: Applied, sources: readonly TargetSource[]): boolean {
  return sources.some(
    source =>
      (source.of === of && of.isOurs) ||
      (!source.of.isOurs &&
        source.of.definedBy !== undefined &&
        'by' in source.of.definedBy &&
        source.of.definedBy.by === of),
  );
}

/** @throws Refusal where something else in the build wins over a Canary, or over what is made beside it. */
async function proveCanaries({ ground, sources, rendered, release, adoption }: ProofQuery): Promise<void> {
  const overlays = adoption.size > 0 ? [adoption, release] : [release];
  const trees = await Promise.all(
    [...new Set(sources.map(each => each.beside))].flatMap(of =>
      overlays.map(overlay => ground.tree.built(of, overlay)),
    ),
  );
  const objects = trees.flatMap(tree => tree.objects);
  for (const { kind, metadata, spec } of rendered) {
    const built = objects.filter(object => object.kind === kind && object.name.includes(metadata.name));
    const off = built.map(({ data }) => differences(spec, data['spec']).find(isLost));
    if (built.length > 0 && off.some(each => each === undefined)) continue;
    const [first] = off;
    throw new Refusal(
      'chain-broken',
      first
        ? `${first.path.join('.')} of ${kind} ${metadata.name} would be built as ${JSON.stringify(first.to) ?? 'nothing'}, not as ${JSON.stringify(first.from)}: something else in the build sets it.`
        : `${kind} ${metadata.name} would not be in what Flux builds.`,
      {
        remedy:
          'Look for a patch or a transformer that wins over it, or for a kustomization that does not list its file.',
      },
    );
  }
}

/** The barrier adds a webhook of its own. */
function isLost({ from, path }: Difference): boolean {
  return from !== undefined && !path.includes('webhooks');
}

async function proveValues({ ground, sources, applied, id, release }: ProofQuery): Promise<number> {
  let compared = 0;
  for (const { proven, found } of applied) {
    for (const { of, read, wanted } of proven) {
      const after = await ground.tree.built(of, release);
      const value = read(after.objects);
      compared += 1;
      if (String(value) === wanted) continue;
      const seen =
        found.current === 'a secret'
          ? 'another value'
          : `${value === undefined ? 'nothing' : String(value)} of it`;
      throw new Refusal(
        'chain-broken',
        `${found.change} of ${found.target} would be ${found.requested} in ${found.path}:${found.line}, but Flux builds ${seen}: something else in the build sets it.`,
        { remedy: 'Look for a patch, a replacement, a component or a transformer that wins over this line.' },
      );
    }
  }
  for (const source of sources) {
    const after = await ground.tree.built(source.of, release);
    if (id === undefined || source.hasId(after, id)) continue;
    throw new Refusal(
      'chain-broken',
      `The id of the rollout would not reach the pod template of ${targetKey(source.target)}, so that the delivery could not be proven.`,
      { remedy: 'Look for a patch that takes annotations away (annotations: null) or replaces them all.' },
    );
  }
  return compared;
}

/** @throws Refusal `shared-line` when something else that is built of the same files would change, unasked. */
async function refuseOthers({ ground, release, applied, rollout }: ProofQuery): Promise<void> {
  const { tree, sharers } = ground;
  const along = applied.flatMap(each => each.along);
  for (const path of release.keys()) {
    for (const { words, applied: of } of await sharers.of(path)) {
      if (along.includes(words) || rollout.write === 'base') continue;
      const before = await tree.build(of);
      const after = await tree.build(of, release);
      if (before.kind !== 'built') continue;
      const [changed] = after.kind === 'built' ? changedObjects(before.objects, after.objects) : [];
      if (after.kind === 'built' && !changed) continue;
      const object = changed?.after ?? changed?.before;
      throw new Refusal(
        'shared-line',
        `${path} is also built by ${words}, in which the release would change ${object ? nameOf(object) : 'all of it'}.`,
        { remedy: 'Keep what is released in a file of this environment alone, or say write: base.' },
      );
    }
  }
}

function shown({ before, after }: ChangedObject): BuiltChange {
  const object = after ?? before;
  const secret = object?.kind === 'Secret';
  return {
    object: object ? nameOf(object) : '',
    before: secret ? '' : textOf(before),
    after: secret ? '' : textOf(after),
    secret,
  };
}

function textOf(object: BuiltObject | undefined): string {
  return object ? `${blockOf(object.data)}\n` : '';
}
