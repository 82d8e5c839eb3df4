import { stringify } from 'yaml';
import type { ChainLink, KustomizationView, WorkloadView } from '../rollout/observation.ts';
import {
  ROLLOUT_ID_ANNOTATION,
  SOURCE_SHA_ANNOTATION,
  type TargetRef,
  targetKey,
} from '../rollout/target.ts';
import { Refusal } from '../rollout/verdict.ts';
import { fluxLayer } from './flux-layer.ts';
import type { Layer } from './layer.ts';
import { builtName, builtNamespace, isShared, type LiveOrigin, objectsOf, type Site } from './locate.ts';
import { reaches, record, text } from './patch-reach.ts';
import { YamlText } from '../edit/yaml-text.ts';

/** A target as it is live; undefined = it was not looked for, or is not there. */
type Live = Pick<WorkloadView, 'template' | 'labels'> | undefined;

type Link = Extract<ChainLink, { kind: 'Kustomization' }>;

/**
 * A target that a Kustomization brings from another repository: that Kustomization's own manifest is in ours, and its
 * images and patches are what can be edited. The live object stands in for the manifest that is elsewhere.
 * @throws Refusal when the Kustomization's manifest is not here, or is itself patched where it counts.
 */
export function siteBehind(
  link: Link,
  on: {
    readonly target: TargetRef;
    readonly live: Live;
    /** What the Kustomization builds that carries our commit. */
    readonly built: Layer;
    readonly carrier: KustomizationView;
  },
): { readonly site: Site; readonly objects: readonly Site[] } {
  const { target, carrier } = on;
  const objects = objectsOf(on.built);
  const name = `Kustomization ${link.view.namespace}/${link.view.name}`;
  const definition = definitionOf(link, objects, { ...on, name });
  refusePatched(definition, name);
  const own = !isShared(definition);
  const { file, document } = definition;
  const layer = fluxLayer({ file, document, own }, { folder: carrier.path });
  const site = liveSite({
    target,
    live: on.live,
    layers: [layer],
    from: link.source.url === '' ? `${link.source.kind} ${link.source.name}` : link.source.url,
    beside: definition,
    workloads: link.view.workloads ?? [],
  });
  if (site) return { site, objects };
  throw new Refusal(
    'chain-broken',
    `${name} adds “${layer.namePrefix}…${layer.nameSuffix}” to names (${file.path}), which ${targetKey(target)} does not have.`,
    { remedy: 'Let Flux apply what the repository says, then run this again.' },
  );
}

function definitionOf(
  link: Link,
  objects: readonly Site[],
  on: { readonly target: TargetRef; readonly carrier: KustomizationView; readonly name: string },
): Site {
  const { target, carrier, name } = on;
  const found = objects.filter(site => {
    const namespace = builtNamespace(site, carrier.targetNamespace);
    return (
      site.data['kind'] === 'Kustomization' &&
      text(site.data['apiVersion']).startsWith('kustomize.toolkit.fluxcd.io/') &&
      site.root.length === 0 &&
      builtName(site) === link.view.name &&
      (namespace === undefined || namespace === link.view.namespace)
    );
  });
  const [only] = found;
  const folder = carrier.path === '' ? 'the root folder' : carrier.path;
  if (!only) {
    throw new Refusal(
      'chain-broken',
      `${targetKey(target)} is applied by the ${name} from ${link.source.url}, and the manifest of that Kustomization is not in what Flux builds from ${folder} of this repository: nothing here says what runs.`,
      { remedy: 'Keep the manifest of the Kustomization in this repository, where it can be edited.' },
    );
  }
  if (found.length > 1) {
    throw new Refusal(
      'change-ambiguous',
      `The ${name} is written ${found.length} times in what Flux builds from ${folder}: ${found.map(({ file }) => file.path).join(', ')}.`,
      { remedy: 'Keep one of them.' },
    );
  }
  return only;
}

/** What an overlay makes of a Kustomization's images and patches is not followed: a line in its manifest may be dead. */
function refusePatched(definition: Site, name: string): void {
  for (const layer of definition.layers) {
    for (const patch of layer.patches) {
      if (!reaches({ layer, patch }, definition) || !touches(patch.content)) continue;
      const where = patch.at.kind === 'file' ? patch.at.file.path : layer.kustomization?.path;
      throw new Refusal(
        'change-ambiguous',
        `The ${name} is written in ${definition.file.path}, and ${where ?? 'a patch'} patches its images or patches: which of them counts is not followed here.`,
        { remedy: `Write them out in ${definition.file.path}, without that patch.` },
      );
    }
  }
}

const FIELDS = ['patches', 'images', 'patchesStrategicMerge', 'patchesJson6902', 'namePrefix', 'nameSuffix'];

function touches(content: unknown): boolean {
  if (!Array.isArray(content)) return FIELDS.some(field => field in record(record(content)['spec']));
  return content.some(operation =>
    FIELDS.some(field => `${text(record(operation)['path'])}/`.startsWith(`/spec/${field}/`)),
  );
}

/**
 * A target that comes with a remote base (`resources: [https://…]`) of a kustomization; undefined when there is none
 * that it could come from. Where several kustomizations have some, only what is around all of them counts.
 */
export function remoteSite(on: {
  readonly target: TargetRef;
  readonly live: Live;
  readonly built: Layer;
  readonly applier: KustomizationView;
}): Site | undefined {
  const ways = waysToRemote(on.built);
  const [first, ...others] = ways;
  if (!first || on.live === undefined) return undefined;
  const layers = first.filter((layer, index) => others.every(way => way[index] === layer));
  const kustomization = layers.findLast(layer => layer.kustomization)?.kustomization;
  if (!kustomization) return undefined;
  return liveSite({
    target: on.target,
    live: on.live,
    layers,
    from: [...new Set(ways.flatMap(way => way.at(-1)?.remote ?? []))].join(' or '),
    beside: { file: kustomization, layers },
    workloads: on.applier.workloads ?? [],
  });
}

function waysToRemote(layer: Layer, above: readonly Layer[] = []): readonly (readonly Layer[])[] {
  const way = [...above, layer];
  return [
    ...(layer.remote === undefined ? [] : [way]),
    ...layer.children.flatMap(child => waysToRemote(child, way)),
  ];
}

/** Undefined when the live name has not the prefixes and suffixes that these layers would have given it. */
function liveSite(on: {
  readonly target: TargetRef;
  readonly live: Live;
  readonly layers: readonly Layer[];
  readonly from: string;
  readonly beside: LiveOrigin['beside'];
  readonly workloads: readonly { readonly kind: string; readonly name: string; readonly namespace: string }[];
}): Site | undefined {
  const { target, layers } = on;
  if (on.live === undefined) {
    throw new Refusal(
      'target-not-found',
      `The manifest of ${targetKey(target)} is not in this repository (it comes from ${on.from}), so that only the cluster can say what it is like; it was not asked, or has no such ${target.kind}.`,
      { remedy: 'Let the cluster be asked, and look whether the target exists.' },
    );
  }
  const name = nameBefore(layers, target.name);
  if (name === undefined) return undefined;
  const path = `the live ${target.kind} ${target.namespace}/${target.name}`;
  const metadata = {
    name,
    namespace: target.namespace,
    ...(on.live.labels ? { labels: on.live.labels } : {}),
  };
  const spec = { template: withoutOurs(on.live.template) };
  const data = { apiVersion: 'apps/v1', kind: target.kind, metadata, spec };
  const file = new YamlText(path, stringify(data, { lineWidth: 0 }));
  const neighbours = on.workloads
    .filter(each => each.kind !== target.kind || each.name !== target.name)
    .flatMap((each): readonly Site[] => {
      const before = nameBefore(layers, each.name);
      if (before === undefined) return [];
      const apiVersion = ['Job', 'CronJob'].includes(each.kind) ? 'batch/v1' : 'apps/v1';
      const own = { apiVersion, kind: each.kind, metadata: { name: before, namespace: each.namespace } };
      return [{ file, document: 0, root: [], name: before, namespace: each.namespace, data: own, layers }];
    });
  const live = { from: on.from, beside: on.beside, neighbours };
  return { file, document: 0, root: [], name, namespace: target.namespace, data, layers, live };
}

function nameBefore(layers: readonly Layer[], live: string): string | undefined {
  let name = live;
  for (const { namePrefix, nameSuffix } of layers) {
    if (!name.startsWith(namePrefix) || !name.endsWith(nameSuffix)) return undefined;
    name = name.slice(namePrefix.length, name.length - nameSuffix.length);
  }
  return name;
}

/** The template as somebody else wrote it: without the annotations by which we know our rollouts. */
function withoutOurs(template: unknown): unknown {
  const metadata = record(record(template)['metadata']);
  const annotations = Object.entries(record(metadata['annotations'])).filter(
    ([key]) => key !== ROLLOUT_ID_ANNOTATION && key !== SOURCE_SHA_ANNOTATION,
  );
  return { ...record(template), metadata: { ...metadata, annotations: Object.fromEntries(annotations) } };
}
