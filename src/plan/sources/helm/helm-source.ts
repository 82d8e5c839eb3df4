import type { BuiltObject } from '../../../build/tree-builder.ts';
import { record } from '../../../build/json.ts';
import type { YamlPath } from '../../../edit/yaml-text.ts';
import { chartRefOf } from '../../../flux/parse-helm-release.ts';
import type { HelmReleaseView } from '../../../rollout/observation.ts';
import { rolloutIdsIn } from '../../../rollout/rollout-ids.ts';
import { type TargetRef, targetKey } from '../../../rollout/target.ts';
import { Refusal } from '../../../rollout/verdict.ts';
import { type Ground, notFound, type PatchedWorkload, type WantedField } from '../../changes/wanted.ts';
import { identity } from '../../differences.ts';
import { type Applied, folderIn, folderWords } from '../../tree/applied.ts';
import type { BuiltTree } from '../../tree/flux-tree.ts';
import { type Layer, layersOf } from '../../tree/layers.ts';
import { type Manifest, manifestOf } from '../../tree/manifests.ts';
import type { CanaryHome, IdOn, IdWay, TargetSource, TemplateChange } from '../target-source.ts';
import { chartField } from './chart-field.ts';
import { imageField } from './helm-fields.ts';
import { isHelmRelease, type Rendered } from './rendered.ts';
import { takesValuesFrom } from './helm-values.ts';
import { inOperations, inRenderers, inValues } from './place-helm-id.ts';
import { releaseApart } from './release-apart.ts';

/** What a release may change of a HelmRelease. */
const OWN_FIELDS: readonly (readonly string[])[] = [
  ['spec', 'values'],
  ['spec', 'postRenderers'],
  ['spec', 'chart', 'spec', 'version'],
];

interface HelmOn {
  readonly target: TargetRef;
  readonly of: Applied;
  readonly release: HelmReleaseView;
  /** The live pod template. */
  readonly template: unknown;
  readonly idPath: YamlPath | undefined;
  /** HelmReleases of all targets. */
  readonly released: readonly string[];
  readonly ground: Ground;
}

/** A target that a HelmRelease renders: what can be edited of it is the HelmRelease, and what it takes its values from. */
export class HelmSource implements TargetSource {
  readonly target: TargetRef;
  readonly of: Applied;
  readonly object: BuiltObject;
  readonly beside: Applied;
  readonly isBuilt = false;
  readonly template: unknown;
  private readonly on: Omit<HelmOn, 'ground'> & {
    readonly objects: readonly BuiltObject[];
    readonly manifest: Manifest | undefined;
  };

  private constructor(on: HelmSource['on'], object: BuiltObject) {
    this.target = on.target;
    this.of = on.of;
    this.beside = on.of;
    this.object = object;
    this.template = on.template;
    this.on = on;
  }

  /** @throws Refusal when the HelmRelease is not in what the Kustomization builds, or several times. */
  static async of({ ground, ...on }: HelmOn): Promise<HelmSource> {
    const { objects } = await ground.tree.built(on.of);
    const { namespace, name } = on.release;
    const all = objects.filter(isHelmRelease);
    const found = all.filter(
      each => each.name === name && (each.namespace === undefined || each.namespace === namespace),
    );
    const [only] = found;
    const words = `HelmRelease ${namespace}/${name}`;
    const folder = folderWords(folderIn(on.of.spec));
    if (!only) {
      const seen = all.map(each => each.name).join(', ') || 'none at all';
      throw new Refusal(
        'target-not-found',
        `${targetKey(on.target)} comes from the ${words}, which is not in what Flux builds from ${folder}; it has ${seen}.`,
        { remedy: 'Keep the manifest of the HelmRelease in that folder, or in what it builds upon.' },
      );
    }
    if (found.length > 1) {
      throw new Refusal(
        'change-ambiguous',
        `${words} is built ${found.length} times from ${folder}: ${found.map(({ origin }) => origin?.path ?? '?').join(', ')}.`,
        { remedy: 'Keep one of them.' },
      );
    }
    return new HelmSource({ ...on, objects, manifest: await manifestOf(ground.tree, only) }, only);
  }

  async fieldsOf(change: TemplateChange, { tree }: Ground): Promise<readonly WantedField[]> {
    const on = this.rendered();
    switch (change.kind) {
      case 'image':
        return [await imageField(change, on, tree)];
      case 'chart':
        return [await chartField(change, on, tree)];
      case 'env':
      case 'arg': {
        const { name, where } = on;
        const target = targetKey(this.target);
        throw notFound(
          change,
          { target, where },
          `${target} is rendered by Helm, and which value of ${name} becomes its ${change.kind} ${change.name} is the chart’s to know; name it with at: {file: ${where}, object: HelmRelease/${this.written().name}, path: spec.values.…}`,
        );
      }
    }
  }

  async *idWays({ ground, annotations }: IdOn): AsyncIterable<IdWay> {
    const { manifest, idPath } = this.on;
    const target = targetKey(this.target);
    const workload = { kind: this.target.kind, name: this.target.name };
    const isOwn = manifest !== undefined && (await this.isOwn(manifest, ground));
    if (idPath) {
      if (manifest && !isOwn) throw this.sharedValues(manifest);
      if (manifest) yield inValues({ target, workload, annotations, manifest, idPath });
      return;
    }
    if (manifest && isOwn) yield inRenderers({ target, workload, annotations, manifest });
    const release = this.written().name;
    const layers = await this.ownLayers(ground);
    for (const layer of layers) {
      for (const isFirst of [false, true]) {
        yield inOperations({ target, workload, annotations, layer, release, isFirst });
      }
    }
    if (manifest && !isOwn && layers.length === 0)
      yield inRenderers({ target, workload, annotations, manifest });
  }

  hasId(built: BuiltTree, id: string): boolean {
    const release = built.objects.find(object => identity(object) === identity(this.object));
    const spec = record(release?.data['spec']);
    return rolloutIdsIn([spec['postRenderers'], spec['values']]).includes(id);
  }

  async home(ground: Ground): Promise<CanaryHome> {
    const { manifest } = this.on;
    const { target, of } = this;
    const moved = of.spec['targetNamespace'];
    if (typeof moved === 'string' && moved !== target.namespace) {
      throw new Refusal(
        'canary-not-found',
        `The Kustomization that applies the HelmRelease of ${targetKey(target)} puts everything into the namespace ${moved}; a Canary that we add there could not guard it.`,
        { remedy: `Add a Canary in the namespace ${target.namespace} by hand, then run this again.` },
      );
    }
    const layers = await layersOf(ground.tree, of, this.object);
    const [outermost] = layers;
    const isSame = (this.object.namespace ?? target.namespace) === target.namespace;
    const namespace = isSame ? manifest?.namespace : target.namespace;
    const isOwn = manifest !== undefined && (this.isInFolder(manifest) || ground.settings.write === 'base');
    return {
      beside: isOwn || !outermost ? (manifest?.file.path ?? '') : outermost.file.path,
      kustomization: isOwn ? layers.at(-1) : outermost,
      name: target.name,
      ...(namespace === undefined ? {} : { namespace }),
    };
  }

  takesFrom({ kind, name }: { readonly kind: string; readonly name: string }): boolean {
    // The tag of a chart by chartRef stands in an object of its own.
    const isChart = kind === 'OCIRepository' && chartRefOf(this.object.data)?.name === name;
    return isChart || takesValuesFrom(this.object.data, kind, name);
  }

  mayChange(path: readonly string[]): boolean {
    return OWN_FIELDS.some(field => field.every((key, index) => path[index] === key));
  }

  private rendered(): Rendered {
    const { target, of, object: release, template } = this;
    const { objects, released, manifest } = this.on;
    return {
      target,
      of,
      release,
      template,
      objects,
      released,
      name: `HelmRelease ${this.on.release.namespace}/${this.on.release.name}`,
      where: manifest?.file.path ?? release.origin?.path ?? folderIn(of.spec),
      apart: async (values, ground, change) =>
        await releaseApart(values, {
          change,
          ground,
          release: this.written(),
          layers: await this.ownLayers(ground),
        }),
    };
  }

  private written(): PatchedWorkload {
    const { kind, apiVersion, name } = this.object;
    const { manifest } = this.on;
    const namespace = manifest?.namespace;
    return {
      kind,
      apiVersion,
      name: manifest?.name ?? name,
      ...(namespace === undefined ? {} : { namespace }),
    };
  }

  private isInFolder({ file }: Manifest): boolean {
    const folder = folderIn(this.of.spec);
    return folder === '' || file.path.startsWith(`${folder}/`);
  }

  /** Only this environment builds it, or all of them are meant. */
  private async isOwn(manifest: Manifest, { settings, sharers }: Ground): Promise<boolean> {
    if (settings.write === 'base') return true;
    return this.isInFolder(manifest) && (await sharers.of(manifest.file.path)).length === 0;
  }

  private async ownLayers({ tree, sharers }: Ground): Promise<readonly Layer[]> {
    const layers = await layersOf(tree, this.of, this.object);
    const shared = await Promise.all(layers.map(({ file }) => sharers.of(file.path)));
    return layers.filter((_, index) => shared[index]?.length === 0);
  }

  private sharedValues({ file }: Manifest): Refusal {
    const { namespace, name } = this.on.release;
    return new Refusal(
      'shared-line',
      `HelmRelease ${namespace}/${name} is written in ${file.path}, outside of the folder that Flux applies; id-path would put the rollout’s id into every environment that builds upon it.`,
      {
        remedy: 'Leave id-path out (a postRenderer is added for this environment alone), or say write: base.',
      },
    );
  }
}
