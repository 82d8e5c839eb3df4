import type { BuiltObject } from '../../build/tree-builder.ts';
import { record, text } from '../../build/json.ts';
import { ROLLOUT_ID_ANNOTATION, type TargetRef, targetKey } from '../../rollout/target.ts';
import { Refusal } from '../../rollout/verdict.ts';
import { apartInLayer, apartInManifest } from '../changes/apart.ts';
import type { Apart, Ground, PatchedWorkload, WantedField } from '../changes/wanted.ts';
import { type ApartOn, fieldsOf, type Workload } from '../changes/workload-fields.ts';
import { identity } from '../differences.ts';
import { inLayerPatch, inManifest, inPatchList } from '../place-id.ts';
import { type Applied, folderIn } from '../tree/applied.ts';
import type { BuiltTree, FluxTree } from '../tree/flux-tree.ts';
import { type Layer, layersOf } from '../tree/layers.ts';
import { definitionOf, type Manifest, manifestOf } from '../tree/manifests.ts';
import type { CanaryHome, IdOn, IdWay, TargetSource, TemplateChange } from './target-source.ts';

interface Elsewhere {
  readonly from: string;
  readonly name: string;
}

/** A target whose manifest is in this repository, or that comes with a base of another one into a folder of this. */
export class ManifestSource implements TargetSource {
  readonly target: TargetRef;
  readonly of: Applied;
  readonly object: BuiltObject;
  readonly beside: Applied;
  readonly isBuilt = true;
  readonly template: unknown;
  private readonly manifest: Manifest | undefined;
  /** Where its manifest is, and under which name, when that is no file of this repository. */
  private readonly elsewhere: Elsewhere | undefined;

  private constructor(on: {
    readonly target: TargetRef;
    readonly of: Applied;
    readonly object: BuiltObject;
    readonly manifest: Manifest | undefined;
    readonly elsewhere: Elsewhere | undefined;
  }) {
    this.target = on.target;
    this.of = on.of;
    this.beside = on.of;
    this.object = on.object;
    this.manifest = on.manifest;
    this.elsewhere = on.elsewhere;
    this.template = record(on.object.data['spec'])['template'];
  }

  static async of(
    on: {
      readonly target: TargetRef;
      readonly of: Applied;
      readonly object: BuiltObject;
      readonly elsewhere?: Elsewhere;
    },
    tree: FluxTree,
  ): Promise<ManifestSource> {
    const manifest = await manifestOf(tree, on.object);
    return new ManifestSource({ ...on, elsewhere: on.elsewhere, manifest });
  }

  fieldsOf(change: TemplateChange, ground: Ground): Promise<readonly WantedField[]> {
    const { target, of, object, manifest, elsewhere } = this;
    const workload: Workload = {
      ...(elsewhere === undefined ? {} : { elsewhere: elsewhere.from }),
      target,
      of,
      object,
      where: manifest?.file.path ?? object.origin?.path ?? folderIn(of.spec),
      apart: (on, at) => this.apart(on, at),
    };
    return fieldsOf(change, workload, ground.tree);
  }

  async *idWays({ ground, annotations, byManifest }: IdOn): AsyncIterable<IdWay> {
    const { manifest } = this;
    const target = targetKey(this.target);
    const workload = this.written();
    const definition = await definitionOf(ground.tree, this.of);
    if (byManifest) {
      if (definition) yield inPatchList({ target, definition, workload, annotations });
      return;
    }
    const isBase = ground.settings.write === 'base';
    const isOwn =
      manifest !== undefined &&
      (isBase || (this.isInFolder(manifest) && (await ground.sharers.of(manifest.file.path)).length === 0));
    if (manifest && isOwn) yield inManifest({ target, manifest, annotations });
    const layers = await this.ownLayers(ground);
    for (const layer of layers) yield inLayerPatch({ target, layer, workload, annotations });
    if (definition) yield inPatchList({ target, definition, workload, annotations });
    // No kustomization around it: the base's own file is all that there is.
    if (manifest && !isOwn && layers.length === 0) yield inManifest({ target, manifest, annotations });
  }

  hasId(built: BuiltTree, id: string): boolean {
    const object = built.objects.find(each => identity(each) === identity(this.object));
    return idIn(object) === id;
  }

  async home(ground: Ground): Promise<CanaryHome> {
    const { manifest, object } = this;
    const layers = await layersOf(ground.tree, this.of, object);
    const { name, namespace } = this.written();
    const names = { name, ...(namespace === undefined ? {} : { namespace }) };
    const [outermost] = layers;
    if (manifest && (this.isInFolder(manifest) || ground.settings.write === 'base' || !outermost)) {
      return { beside: manifest.file.path, kustomization: layers.at(-1), ...names };
    }
    return { beside: outermost?.file.path ?? '', kustomization: outermost, ...names };
  }

  takesFrom(): boolean {
    return false;
  }

  mayChange(): boolean {
    return false;
  }

  /** As a patch names it. */
  private written(): PatchedWorkload {
    const { kind, apiVersion } = this.object;
    const namespace = this.manifest?.namespace;
    const name = this.manifest?.name ?? this.elsewhere?.name ?? this.object.name;
    return {
      apiVersion,
      kind,
      name,
      // Where the manifest is elsewhere, so is its namespace, by which kustomize would look for it without a target.
      ...(this.elsewhere === undefined ? {} : { selected: { target: { kind, name } } }),
      ...(namespace === undefined ? {} : { namespace }),
    };
  }

  private isInFolder({ file }: Manifest): boolean {
    const folder = folderIn(this.of.spec);
    return folder === '' || file.path.startsWith(`${folder}/`);
  }

  /** Kustomizations around the target that nobody else builds upon. */
  private async ownLayers({ tree, sharers }: Ground): Promise<readonly Layer[]> {
    const layers = await layersOf(tree, this.of, this.object);
    const shared = await Promise.all(layers.map(({ file }) => sharers.of(file.path)));
    return layers.filter((_, index) => shared[index]?.length === 0);
  }

  private async apart(on: ApartOn, ground: Ground): Promise<readonly Apart[]> {
    const workload = this.written();
    const layers = await this.ownLayers(ground);
    const inLayers = layers.map(layer => apartInLayer(layer, workload, on));
    if (inLayers.length > 0) return inLayers;
    const definition = await definitionOf(ground.tree, this.of);
    return definition ? [apartInManifest(definition, workload, on)] : [];
  }
}

export function idIn(object: Pick<BuiltObject, 'data'> | undefined): string {
  const template = record(record(object?.data['spec'])['template']);
  return text(record(record(template['metadata'])['annotations'])[ROLLOUT_ID_ANNOTATION]);
}

/** The one object of a build that becomes the target. @throws Refusal. */
export function targetIn(target: TargetRef, built: BuiltTree, folder: string): BuiltObject {
  const found = built.objects.filter(object => isTarget(object, target));
  const [only] = found;
  if (found.length === 1 && only) return only;
  if (only) {
    throw new Refusal(
      'change-ambiguous',
      `${targetKey(target)} is built ${found.length} times from ${folder}: ${found.map(({ origin }) => origin?.path ?? '?').join(', ')}.`,
      { remedy: 'Keep one of them.' },
    );
  }
  const seen = built.objects
    .filter(object => isOfKind(object, target.kind))
    .map(({ namespace, name }) => `${namespace ?? '?'}/${name}`);
  throw new Refusal(
    'target-not-found',
    `What Flux builds from ${folder} has no ${target.kind === 'Service' ? 'Knative Service' : target.kind} ${target.namespace}/${target.name}; it has ${seen.join(', ') || 'none at all'}.`,
    {
      remedy:
        'Check kind, namespace and name; what another repository or a chart brings is traced in the cluster.',
    },
  );
}

/** Whether an object is of a target's kind; a core Service is none, only Knative's. */
export function isOfKind(object: Pick<BuiltObject, 'kind' | 'apiVersion'>, kind: TargetRef['kind']): boolean {
  return object.kind === kind && (kind !== 'Service' || object.apiVersion.startsWith('serving.knative.dev/'));
}

export function isTarget(object: BuiltObject, target: TargetRef): boolean {
  const { name, namespace } = object;
  return (
    isOfKind(object, target.kind) &&
    name === target.name &&
    (namespace === undefined || namespace === target.namespace)
  );
}
