import type { BuiltObject } from '../build/tree-builder.ts';
import { type ObjectRef, type TargetRef, targetKey } from '../rollout/target.ts';
import { Refusal, type Reason } from '../rollout/verdict.ts';
import { record, text } from '../build/json.ts';
import { manifestsIn } from './manifests.ts';
import { builtBy, type Forest, lineOf, type TreeNode } from './tree-forest.ts';

/** What applies a target, by the tree. */
export interface Chosen {
  readonly node: TreeNode;
  /** A HelmRelease among what `node` builds, whose chart brings the target. */
  readonly release?: BuiltObject;
}

/** Which of several is meant. */
export interface Choice {
  /** The Kustomization that applies the targets, as rollout.yaml names it (via). */
  readonly via: ObjectRef | undefined;
  /** A cluster's folder (`clusters/prod`), or the file of a Kustomization's manifest. */
  readonly cluster: string | undefined;
  /** How people say which cluster is meant, where they are. */
  readonly howToChoose: string;
}

/**
 * The Kustomization that applies a target, of all that the tree builds.
 * @throws Refusal `not-managed` where there is none, `change-ambiguous` where there are several, `tree-broken` where
 * none can be built.
 */
export async function chooseApplier(forest: Forest, target: TargetRef, on: Choice): Promise<Chosen> {
  const { via, cluster } = on;
  const within = forest.nodes.filter(node => cluster === undefined || isOfCluster(node, cluster));
  const meant = via ? within.filter(node => isVia(node, via)) : within;
  if (meant.length === 0) throw nothingMeant(forest, on);
  const appliers = meant.filter(node => builtBy(node).some(object => isTarget(object, target)));
  if (appliers.length > 0) return { node: onlyOne(appliers, target, on) };
  const releases = meant.flatMap(node => releasesFor(node, target));
  if (releases.length > 0) return onlyRelease(releases, target, on);
  const [elsewhere] = via ? meant.filter(({ build }) => build === undefined) : [];
  if (elsewhere) return { node: onlyOne(meant, target, on) };
  throw await nobodyBuilds(forest, { target, meant, via });
}

function isTarget({ apiVersion, kind, namespace, name }: BuiltObject, target: TargetRef): boolean {
  if (kind !== target.kind || name !== target.name) return false;
  // A core Service is no target; Knative's is.
  if (kind === 'Service' && !apiVersion.startsWith('serving.knative.dev/')) return false;
  return namespace === undefined || namespace === target.namespace;
}

function isVia({ namespace, name }: TreeNode, via: ObjectRef): boolean {
  return name === via.name && namespace === (via.namespace ?? 'flux-system');
}

/** Its root is written in the folder, or applies it; or it is written in that very file. */
function isOfCluster(node: TreeNode, cluster: string): boolean {
  const folder = cluster.replace(/^\.\/|\/+$/g, '');
  const root = lineOf(node).at(-1);
  const files = [node.manifest, root?.manifest ?? ''];
  return files.some(file => file === folder || file.startsWith(`${folder}/`)) || root?.path === folder;
}

function clusterOf(node: TreeNode): string {
  const { manifest = '', path = '' } = lineOf(node).at(-1) ?? {};
  const folder = manifest.slice(0, Math.max(0, manifest.lastIndexOf('/')));
  // Bootstrap writes clusters/prod/flux-system/gotk-sync.yaml, which applies clusters/prod.
  return path !== '' && (folder === path || folder.startsWith(`${path}/`)) ? path : folder;
}

function onlyOne(nodes: readonly TreeNode[], target: TargetRef, { howToChoose }: Choice): TreeNode {
  const [only, ...others] = nodes;
  if (only && others.length === 0) return only;
  const key = targetKey(target);
  const clusters = [...new Set(nodes.map(clusterOf))];
  const names = nodes.map(nameOf).join(', ');
  if (clusters.length > 1) {
    throw refusal(
      'change-ambiguous',
      `Several clusters build ${key}: ${nodes.map(node => `${clusterOf(node) || 'the root folder'} by ${nameOf(node)}`).join(', ')}.`,
      howToChoose,
    );
  }
  throw refusal(
    'change-ambiguous',
    `Several Kustomizations build ${key}: ${names}.`,
    'Name the one that applies it under via: in rollout.yaml (namespace/name).',
  );
}

function releasesFor(node: TreeNode, target: TargetRef): readonly Chosen[] {
  return builtBy(node)
    .filter(
      ({ apiVersion, kind }) => kind === 'HelmRelease' && apiVersion.startsWith('helm.toolkit.fluxcd.io/'),
    )
    .filter(release => installsInto(release) === target.namespace)
    .map(release => ({ node, release }));
}

function installsInto({ namespace, data }: BuiltObject): string | undefined {
  return textOf(record(data['spec'])['targetNamespace']) ?? namespace;
}

/** api/v2 helmrelease_types.go, GetReleaseName: `[targetNamespace-]name` unless it is said. */
function releaseName({ name, data }: BuiltObject): string {
  const spec = record(data['spec']);
  const into = textOf(spec['targetNamespace']);
  return textOf(spec['releaseName']) ?? (into === undefined ? name : `${into}-${name}`);
}

/** What a chart makes only a cluster can say; by custom its objects are named after the release. */
function onlyRelease(releases: readonly Chosen[], target: TargetRef, on: Choice): Chosen {
  const named = releases.filter(({ release }) => {
    const name = release ? releaseName(release) : '';
    return target.name === name || target.name.startsWith(`${name}-`);
  });
  const likely = named.length > 0 ? named : releases;
  const [only, ...others] = likely;
  if (only && others.length === 0) return only;
  onlyOne([...new Set(likely.map(({ node }) => node))], target, on);
  throw refusal(
    'change-ambiguous',
    `Several HelmReleases may install ${targetKey(target)}: ${likely.map(({ release }) => `${release?.namespace ?? '?'}/${release?.name ?? '?'}`).join(', ')}.`,
    'Let the cluster be asked which of them does.',
  );
}

function nothingMeant(forest: Forest, { via, cluster, howToChoose }: Choice): Refusal {
  const what = via
    ? `Kustomization ${via.namespace ?? 'flux-system'}/${via.name} (via)`
    : 'Flux Kustomization';
  const where = cluster === undefined ? 'this repository' : `${cluster} (of ${clustersOf(forest)})`;
  return refusal(
    'not-managed',
    `There is no ${what} in ${where}; there are ${listOf(forest.nodes)}.`,
    via ? 'Correct via: in rollout.yaml.' : howToChoose,
  );
}

async function nobodyBuilds(
  forest: Forest,
  {
    target,
    meant,
    via,
  }: { readonly target: TargetRef; readonly meant: readonly TreeNode[] } & Pick<Choice, 'via'>,
): Promise<Refusal> {
  const key = targetKey(target);
  const broken = meant.flatMap(node => {
    const { build } = node;
    return build && build.kind !== 'built' ? [{ node, build }] : [];
  });
  const [first] = broken;
  if (first) {
    const all = broken.map(({ node, build }) => `${nameOf(node)}: ${build.words}`).join('; ');
    return refusal(
      first.build.kind === 'broken' ? 'tree-broken' : 'unsupported-file',
      `No Flux Kustomization builds ${key}, and of these it cannot be told. ${all}.`,
      'Mend the folder so that Flux can build it, then run this again.',
    );
  }
  if (via) {
    return refusal(
      'not-managed',
      `Kustomization ${listOf(meant)}, which via: in rollout.yaml names, does not build ${key}.`,
      'Correct via: in rollout.yaml, or leave it out.',
    );
  }
  const [manifest] = await manifestsIn(forest.files, {
    mark: target.name,
    wanted: ({ kind, metadata }) =>
      kind === target.kind &&
      record(metadata)['name'] === target.name &&
      [undefined, target.namespace].includes(textOf(record(metadata)['namespace'])),
  });
  const foreign = meant.filter(({ build }) => build === undefined);
  const elsewhere = foreign.map(node => `${nameOf(node)} from ${node.source.url || node.source.kind}`);
  const others =
    elsewhere.length === 0
      ? ''
      : ` What others build from other sources only the cluster can say: ${elsewhere.join(', ')}.`;
  return refusal(
    'not-managed',
    manifest
      ? `${key} is written in ${manifest.path}, but no Flux Kustomization reaches that file; there are ${listOf(meant)}.${others}`
      : `No Flux Kustomization of this repository builds ${key}; there are ${listOf(meant)}.${others}`,
    manifest
      ? `List it in the kustomization.yaml of a folder that Flux applies, or let a Kustomization apply its folder.`
      : 'Look whether this is the root of the GitOps repository, or let the cluster be asked.',
  );
}

function clustersOf(forest: Forest): string {
  return [...new Set(forest.nodes.map(clusterOf))].map(each => each || 'the root folder').join(', ');
}

function listOf(nodes: readonly TreeNode[]): string {
  return nodes.map(nameOf).join(', ') || 'none';
}

function nameOf({ namespace, name, manifest }: TreeNode): string {
  return `${namespace}/${name} (${manifest})`;
}

function textOf(value: unknown): string | undefined {
  return text(value) || undefined;
}

function refusal(reason: Reason, message: string, remedy: string): Refusal {
  return new Refusal(reason, message, { remedy });
}
