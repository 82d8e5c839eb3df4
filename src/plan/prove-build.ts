import type { RolloutFile } from '../config/settings.ts';
import type { Expectation } from '../rollout/expectation.ts';
import { liveValue } from '../rollout/live-value.ts';
import type { AppliedWorkload, FluxChain, KustomizationView } from '../rollout/observation.ts';
import type { FileChange } from '../rollout/ports.ts';
import { ROLLOUT_ID_ANNOTATION, type TargetKey, type TargetRef, targetKey } from '../rollout/target.ts';
import { Refusal } from '../rollout/verdict.ts';
import type { AppliedChange } from './apply-change.ts';
import type { BuildProof, BuiltChange, TreeBuild, TreeBuilder } from './build.ts';
import { buildInputs } from './build-inputs.ts';
import {
  type BuiltObject,
  builtObject,
  type ChangedObject,
  changedObjects,
  documentsOf,
  isTarget,
} from './built-objects.ts';
import { asFluxBuilds } from './flux-build.ts';
import { proveRelease } from './helm/built-release.ts';
import type { HelmSite } from './helm/helm-site.ts';
import type { Site } from './locate.ts';
import { record, text } from './patch-reach.ts';
import type { RepositoryFiles } from '../build/repository-files.ts';
import type { RenderedObject } from './plan.ts';
import { refuseSideEffects } from './side-effects.ts';
import { YamlText } from '../edit/yaml-text.ts';

export interface BuildQuery {
  readonly files: RepositoryFiles;
  readonly chains: Readonly<Record<TargetKey, FluxChain>>;
  readonly rollout: Pick<RolloutFile, 'changes' | 'targets'>;
  /** The rollout's id, where the release puts one on the pod templates. */
  readonly id: string | undefined;
  readonly targets: readonly { readonly target: TargetRef; readonly site: Site; readonly helm?: HelmSite }[];
  readonly release: readonly FileChange[];
  readonly adoption: readonly FileChange[];
  readonly applied: readonly AppliedChange[];
  readonly expectations: readonly Expectation[];
  readonly rendered: readonly RenderedObject[];
}

/** What one Kustomization applies, and the targets in it. */
interface Applied {
  readonly applier: KustomizationView;
  readonly targets: readonly TargetRef[];
  /** Of those targets that Helm renders from them. */
  readonly releases: ReadonlyMap<TargetKey, HelmSite>;
  /** The manifest of the Kustomization itself. */
  readonly definition: { readonly file: YamlText; readonly document: number } | undefined;
  /** What it applies that brings targets in its turn; those are in no build of this repository. */
  readonly links: readonly Omit<AppliedWorkload, 'namespace'>[];
}

/**
 * Builds what Flux applies, before and after the edits, and compares: the values asked for and the rollout's id must be
 * in the build, and nothing else may change.
 * @throws Refusal `tree-broken` in the builder's own words, `chain-broken` when something sets another value,
 * `change-ambiguous` when another object would change, too.
 */
export async function proveBuild(builder: TreeBuilder | undefined, query: BuildQuery): Promise<BuildProof> {
  if (!builder) return { kind: 'unproven', why: 'no builder was looked for', surprising: false };
  const objects: BuiltChange[] = [];
  let by = '';
  for (const applied of groups(query)) {
    const proof = await proveOne(builder, query, applied);
    if (proof.kind === 'unproven') return proof;
    by = proof.by;
    objects.push(...proof.objects);
  }
  return { kind: 'proven', by, objects };
}

function groups({ chains, targets }: BuildQuery): readonly Applied[] {
  const found = new Map<string, Applied>();
  for (const { target, site, helm } of targets) {
    const applier = chains[targetKey(target)]?.kustomizations.at(-1);
    if (!applier) continue;
    const key = `${applier.namespace}/${applier.name}`;
    const known = found.get(key);
    const link = helm ? undefined : chains[targetKey(target)]?.links[0];
    const releases = new Map([
      ...(known?.releases ?? []),
      ...(helm ? [[targetKey(target), helm] as const] : []),
    ]);
    found.set(key, {
      applier,
      definition: known?.definition ?? (link ? undefined : site.layers[0]?.flux),
      releases,
      targets: [...(known?.targets ?? []), ...(link ? [] : [target])],
      links: [...(known?.links ?? []), ...(link ? [{ kind: link.kind, name: link.view.name }] : [])],
    });
  }
  return [...found.values()];
}

async function proveOne(builder: TreeBuilder, query: BuildQuery, applied: Applied): Promise<BuildProof> {
  const { applier } = applied;
  const inputs = await buildInputs(query.files, applier.path);
  if (inputs.kind === 'incomplete') return unproven(inputs.why);
  const building = (changes: readonly FileChange[]): Promise<TreeBuild> => {
    const tree = new Map([...inputs.files, ...changes.map(({ path, text: now }) => [path, now] as const)]);
    const additions = {
      spec: specOf(applied.definition, changes),
      ...(applier.targetNamespace === undefined ? {} : { targetNamespace: applier.targetNamespace }),
    };
    return builder.build(asFluxBuilds(tree, applier.path, additions), applier.path);
  };
  const adopting = query.adoption.length > 0;
  const [before, after, adopted] = await Promise.all([
    building([]),
    building(query.release),
    ...(adopting ? [building(query.adoption)] : []),
  ]);
  if (before.kind === 'unavailable') return { kind: 'unproven', why: before.why, surprising: false };
  if (before.kind === 'failed') return refuseBroken(before, query, applied);
  const objects: BuiltChange[] = [];
  for (const build of [adopted, after]) {
    if (!build) continue;
    if (build.kind === 'unavailable') return unproven(build.why);
    if (build.kind === 'failed') throw breaks(build, applier);
    const changed = changedObjects(before.text, build.text);
    const releases = [...applied.releases.values()];
    refuseSideEffects(changed, { ...query, ...applied, releases, by: build.by });
    objects.push(...changed.map(shown));
  }
  if (after.kind === 'built') {
    // What Helm renders is in no build of a folder; its HelmRelease is.
    const direct = applied.targets.filter(target => !applied.releases.has(targetKey(target)));
    for (const helm of applied.releases.values()) proveRelease(after, helm, query);
    const missing = direct.find(target => !targetIn(after.text, target));
    if (missing) return unproven(`${after.by} builds no ${targetKey(missing)} from ${folderOf(applier)}`);
    for (const target of direct) refuseOtherValues(after, target, query);
  }
  return { kind: 'proven', by: before.by, objects };
}

function unproven(why: string): BuildProof {
  return { kind: 'unproven', why, surprising: true };
}

function specOf(definition: Applied['definition'], changes: readonly FileChange[]) {
  if (!definition) return {};
  const { file, document } = definition;
  const edited = changes.find(({ path }) => path === file.path);
  const now = edited ? new YamlText(file.path, edited.text) : file;
  return record(record(now.data(document))['spec']);
}

/** What Flux itself builds cannot be broken: then the builder here is another one than Flux's. */
function refuseBroken(
  build: Extract<TreeBuild, { kind: 'failed' }>,
  { files }: BuildQuery,
  { applier }: Applied,
): BuildProof {
  if (applier.ready?.status === 'True' && applier.lastAppliedRevision === files.head) {
    return unproven(`${build.by} cannot build here what Flux has built: ${build.words}`);
  }
  throw new Refusal('tree-broken', `${build.by} cannot build ${folderOf(applier)}: ${build.words}`, {
    remedy: 'Mend what the builder complains about, then run this again.',
  });
}

function breaks(build: Extract<TreeBuild, { kind: 'failed' }>, applier: KustomizationView): Refusal {
  return new Refusal(
    'tree-broken',
    `With the release ${build.by} could not build ${folderOf(applier)} any more: ${build.words}`,
    { remedy: 'Set the value in another place (write: in rollout.yaml, or by hand), and tell us of it.' },
  );
}

function folderOf({ path }: KustomizationView): string {
  return path === '' ? 'the root folder' : path;
}

function targetIn(build: string, target: TargetRef): BuiltObject | undefined {
  // Reading all of a large build would take seconds.
  const names = [`\n  name: ${target.name}\n`, `\n  name: "${target.name}"\n`];
  return documentsOf(build)
    .filter(document => names.some(name => document.includes(name)))
    .map(builtObject)
    .find(object => isTarget(object, target));
}

function refuseOtherValues(
  build: Extract<TreeBuild, { kind: 'built' }>,
  target: TargetRef,
  query: BuildQuery,
): void {
  const key = targetKey(target);
  const template = record(record(targetIn(build.text, target)?.data['spec'])['template']);
  for (const { expectation: expected, found } of query.applied) {
    if (!expected || expected.kind === 'field' || expected.kind === 'chart' || expected.target !== key)
      continue;
    const live = liveValue(expected, template);
    if (live.holds) continue;
    throw new Refusal(
      'chain-broken',
      `${found.change} of ${key} would be ${found.requested} in ${found.path}:${found.line}, but ${build.by} builds ${live.found ?? 'nothing'} of it: something else in the build sets it.`,
      { remedy: 'Look for a patch, a replacement, a component or a transformer that wins over this line.' },
    );
  }
  const annotations = record(record(template['metadata'])['annotations']);
  if (query.id === undefined || annotations[ROLLOUT_ID_ANNOTATION] === query.id) return;
  throw new Refusal(
    'chain-broken',
    `The id of the rollout would not reach the pod template of ${key}: ${build.by} builds ${text(annotations[ROLLOUT_ID_ANNOTATION]) || 'none'} there, so that the delivery could not be proven.`,
    { remedy: 'Look for a patch that takes annotations away (annotations: null) or replaces them all.' },
  );
}

function shown({ before, after }: ChangedObject): BuiltChange {
  const object = after ?? before;
  const name = [object?.namespace, object?.name].filter(part => part !== undefined).join('/');
  const secret = object?.kind === 'Secret';
  return {
    object: `${object?.kind ?? ''} ${name}`,
    before: secret ? '' : (before?.text ?? ''),
    after: secret ? '' : (after?.text ?? ''),
    secret,
  };
}
