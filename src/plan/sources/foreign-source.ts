import { items, record } from '../../build/json.ts';
import type { BuiltObject } from '../../build/tree-builder.ts';
import { YamlText } from '../../edit/yaml-text.ts';
import type { ChainLink } from '../../rollout/observation.ts';
import { type TargetRef, targetKey } from '../../rollout/target.ts';
import { Refusal } from '../../rollout/verdict.ts';
import { apartInManifest } from '../changes/apart.ts';
import type { Ground, PatchedWorkload, WantedField } from '../changes/wanted.ts';
import { fieldsOf } from '../changes/workload-fields.ts';
import { identity } from '../differences.ts';
import { specOf } from '../ground.ts';
import { inPatchList } from '../place-id.ts';
import { type Applied, folderIn, folderWords, isFluxKustomization } from '../tree/applied.ts';
import type { BuiltTree } from '../tree/flux-tree.ts';
import { layersOf } from '../tree/layers.ts';
import { definitionOf, type Manifest } from '../tree/manifests.ts';
import { idIn, isTarget } from './manifest-source.ts';
import {
  type LiveWorkload,
  type Naming,
  namingIn,
  onlyFile,
  PROBE_TEXT,
  renamingsIn,
  STAND_IN_FILE,
  standInText,
} from './stand-in.ts';
import type { CanaryHome, IdOn, IdWay, TargetSource, TemplateChange } from './target-source.ts';

export type KustomizationLink = Extract<ChainLink, { kind: 'Kustomization' }>;

/**
 * A target that a Kustomization of ours brings from another repository: that Kustomization's own manifest is in ours, and
 * its images and patches are what can be edited. The live objects stand in for the manifests that are elsewhere.
 */
export class ForeignSource implements TargetSource {
  readonly target: TargetRef;
  readonly of: Applied;
  readonly object: BuiltObject;
  readonly beside: Applied;
  readonly isBuilt = true;
  readonly template: unknown;
  private readonly definition: Manifest;
  private readonly elsewhere: string;

  private constructor(on: {
    readonly target: TargetRef;
    readonly of: Applied;
    readonly carrier: Applied;
    readonly object: BuiltObject;
    readonly definition: Manifest;
    readonly elsewhere: string;
  }) {
    this.target = on.target;
    this.of = on.of;
    this.object = on.object;
    this.beside = on.carrier;
    this.definition = on.definition;
    this.elsewhere = on.elsewhere;
    this.template = record(on.object.data['spec'])['template'];
  }

  /** @throws Refusal when the Kustomization's manifest is not here, or would not give the target its name. */
  static async of(
    link: KustomizationLink,
    on: {
      readonly target: TargetRef;
      readonly of: Applied;
      readonly carrier: Applied;
      readonly ground: Ground;
    },
  ): Promise<ForeignSource> {
    const { target, of, carrier, ground } = on;
    const name = `Kustomization ${link.view.namespace}/${link.view.name}`;
    const elsewhere = urlOf(link);
    const definition = await definitionOf(ground.tree, of);
    if (!definition) {
      const folder = folderWords(folderIn(carrier.spec));
      throw new Refusal(
        'chain-broken',
        `${targetKey(target)} is applied by the ${name} from ${elsewhere}, and the manifest of that Kustomization is not in what Flux builds from ${folder} of this repository: nothing here says what runs.`,
        { remedy: 'Keep the manifest of the Kustomization in this repository, where it can be edited.' },
      );
    }
    const built = await ground.tree.built(of);
    const object = built.objects.find(each => isTarget(each, target));
    if (object) return new ForeignSource({ target, of, carrier, object, definition, elsewhere });
    throw new Refusal(
      'chain-broken',
      `${name} (${definition.file.path}) gives names that ${targetKey(target)} does not have.`,
      { remedy: 'Let Flux apply what the repository says, then run this again.' },
    );
  }

  fieldsOf(change: TemplateChange, ground: Ground): Promise<readonly WantedField[]> {
    const { target, of, object, elsewhere, definition } = this;
    const workload = this.written();
    return fieldsOf(
      change,
      {
        target,
        of,
        object,
        elsewhere,
        where: definition.file.path,
        apart: on => Promise.resolve([apartInManifest(definition, workload, on)]),
      },
      ground.tree,
    );
  }

  async *idWays({ ground, annotations }: IdOn): AsyncIterable<IdWay> {
    const { definition } = this;
    const target = targetKey(this.target);
    const others = await ground.sharers.of(definition.file.path);
    if (others.length > 0 && ground.settings.write !== 'base') {
      throw new Refusal(
        'shared-line',
        `${definition.file.path}, whose patches reach ${target}, is also built by ${others.map(({ words }) => words).join(', ')}, and the rollout’s id is of this environment alone.`,
        { remedy: 'Keep the Kustomization in this environment’s folder, or say write: base.' },
      );
    }
    yield inPatchList({ target, definition, workload: this.written(), annotations });
  }

  hasId(built: BuiltTree, id: string): boolean {
    return idIn(built.objects.find(each => identity(each) === identity(this.object))) === id;
  }

  async home({ tree }: Ground): Promise<CanaryHome> {
    const { definition, target } = this;
    const { objects } = await tree.built(this.beside);
    const manifest = objects.find(object => isFluxKustomization(object, this.of));
    const layers = manifest ? await layersOf(tree, this.beside, manifest) : [];
    const { name } = this.written();
    return { beside: definition.file.path, kustomization: layers.at(-1), name, namespace: target.namespace };
  }

  takesFrom(): boolean {
    return false;
  }

  mayChange(): boolean {
    return false;
  }

  private written(): PatchedWorkload {
    const { apiVersion, kind, name } = this.object;
    const { namePrefix, nameSuffix } = record(record(this.definition.data)['spec']);
    const before = String(namePrefix ?? '').length;
    const behind = String(nameSuffix ?? '').length;
    return { apiVersion, kind, name: name.slice(before, name.length - behind) };
  }
}

export function urlOf({ source }: KustomizationLink): string {
  return source.url === '' ? `${source.kind} ${source.name}` : source.url;
}

/** The Kustomization with the live workloads in place of the files that it takes from elsewhere. */
export async function standInFor(
  link: KustomizationLink,
  on: { readonly carrier: Applied; readonly workloads: readonly LiveWorkload[]; readonly ground: Ground },
): Promise<Applied> {
  const { carrier, workloads, ground } = on;
  const { tree } = ground;
  const { namespace, name } = link.view;
  const of = (content: string, dropped: ReadonlySet<number>): Applied => ({
    namespace,
    name,
    files: onlyFile(STAND_IN_FILE, content),
    isOurs: false,
    artifact: {},
    spec: specOf(link.view),
    definedBy: { by: carrier },
    standIn: { from: urlOf(link), spec: spec => onStandIn(spec, dropped), file: (_, text) => text },
  });
  const carried = await tree.built(carrier);
  const object = carried.objects.find(each => isFluxKustomization(each, link.view));
  const spec = record(object?.data['spec']);
  const patches = items(spec['patches']);
  const every = new Set(patches.keys());
  const naming: Naming = namingIn((await tree.built(of(PROBE_TEXT, every))).objects) ?? {
    prefix: '',
    suffix: '',
  };
  const renamings = renamingsIn(spec['images']);
  const neighbours = link.view.workloads ?? [];
  const contents = [true, false].map(namespaced =>
    standInText(workloads, { naming, neighbours, renamings, namespaced }),
  );
  for (const content of contents) {
    const whole = of(content, new Set());
    if ((await tree.build(whole)).kind === 'built') return whole;
  }
  // A patch of what only the other repository has, or one that has done its work on the live object already.
  const [content = ''] = contents;
  const dropped = new Set<number>();
  for (const index of every) {
    const alone = of(content, new Set([...every].filter(each => each !== index)));
    if ((await tree.build(alone)).kind !== 'built') dropped.add(index);
  }
  return of(content, dropped);
}

function onStandIn(spec: Readonly<Record<string, unknown>>, dropped: ReadonlySet<number>) {
  const { components: _components, patches, ...rest } = spec;
  const kept = items(patches)
    .filter((_, index) => !dropped.has(index))
    .map(withoutTests);
  return { ...rest, path: './', patches: kept };
}

/** What a patch tests is what the other repository has, and not what it has made of it. */
function withoutTests(entry: unknown): unknown {
  const { patch } = record(entry);
  if (typeof patch !== 'string' || !patch.includes('test')) return entry;
  const content = new YamlText('patch', patch).data(0);
  if (!Array.isArray(content)) return entry;
  const operations = items(content).filter(each => record(each)['op'] !== 'test');
  return operations.length === content.length
    ? entry
    : { ...record(entry), patch: JSON.stringify(operations) };
}
