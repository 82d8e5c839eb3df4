import { posix } from 'node:path';
import { type Fields, items, record } from '../../build/json.ts';
import type { RepositoryFiles } from '../../build/repository-files.ts';
import type { Build, BuiltObject, TreeBuilder, VariableSource } from '../../build/tree-builder.ts';
import { YamlText } from '../../edit/yaml-text.ts';
import { Refusal } from '../../rollout/verdict.ts';
import {
  type Applied,
  folderIn,
  folderWords,
  isFluxKustomization,
  isManifestOf,
  wordsOf,
} from './applied.ts';
import { variablesIn } from './variables.ts';

/** Files as edited; null = removed. */
export type Overlay = ReadonlyMap<string, string | null>;

export const UNEDITED: Overlay = new Map();

export interface BuiltTree {
  readonly objects: readonly BuiltObject[];
  readonly reached: ReadonlySet<string>;
  /** Of the Kustomization, with these edits. */
  readonly spec: Fields;
  readonly unknownVariables: readonly string[];
}

export type TreeBuild = ({ readonly kind: 'built' } & BuiltTree) | Exclude<Build, { kind: 'built' }>;

/** What the Kustomizations of a repository build at one commit, with edits and without. Each question is asked once. */
export class FluxTree {
  readonly files: RepositoryFiles;
  private readonly builder: TreeBuilder;
  private readonly builds = new WeakMap<Overlay, Map<Applied, Promise<TreeBuild>>>();
  private readonly texts = new Map<string, Promise<string | undefined>>();

  constructor(on: { readonly files: RepositoryFiles; readonly builder: TreeBuilder }) {
    this.files = on.files;
    this.builder = on.builder;
  }

  /** @throws Refusal `tree-broken` in the builder's words, when it cannot be built. */
  async built(of: Applied, overlay: Overlay = UNEDITED): Promise<BuiltTree> {
    const build = await this.build(of, overlay);
    if (build.kind === 'built') return build;
    throw refusalOf(of, build, overlay === UNEDITED ? 'now' : 'with the release');
  }

  build(of: Applied, overlay: Overlay = UNEDITED): Promise<TreeBuild> {
    const known = this.builds.get(overlay) ?? new Map<Applied, Promise<TreeBuild>>();
    this.builds.set(overlay, known);
    const build = known.get(of) ?? this.buildAnew(of, overlay);
    known.set(of, build);
    return build;
  }

  /** A file of the repository; undefined where there is none, or none that is text. */
  text(path: string): Promise<string | undefined> {
    const read =
      this.texts.get(path) ??
      this.files.read(path).then(
        blob => blob?.text,
        () => undefined,
      );
    this.texts.set(path, read);
    return read;
  }

  private async buildAnew(of: Applied, overlay: Overlay): Promise<TreeBuild> {
    if (overlay !== UNEDITED && !(await this.isAffected(of, overlay))) return await this.build(of);
    const spec = await this.specOf(of, overlay);
    if ('kind' in spec) return spec;
    const build = await this.withSpec(of, spec.spec, overlay);
    if (build.kind !== 'built' || of.definedBy) return build;
    // The root of most clusters applies itself: flux-system/flux-system.
    const own = build.objects.find(object => isFluxKustomization(object, of));
    const ownSpec = record(own?.data['spec']);
    return own && JSON.stringify(ownSpec) !== JSON.stringify(spec.spec)
      ? await this.withSpec(of, ownSpec, overlay)
      : build;
  }

  private async withSpec(of: Applied, spec: Fields, overlay: Overlay): Promise<TreeBuild> {
    const { namespace, name, files, artifact, standIn } = of;
    const kustomization = {
      apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
      kind: 'Kustomization',
      metadata: { namespace, name },
      spec: standIn ? standIn.spec(spec) : spec,
    };
    const edited = new Map(
      [...(of.isOurs ? overlay : UNEDITED)].map(([path, now]) => [
        path,
        now === null || !standIn ? now : standIn.file(path, now),
      ]),
    );
    const substituteFrom = await this.variables(of, spec, overlay);
    const build = await this.builder.build({
      files,
      overlay: edited,
      artifact,
      kustomization,
      substituteFrom,
    });
    if (build.kind !== 'built') return build;
    const reached = new Set(build.reached);
    return {
      ...build,
      spec,
      reached,
      objects: build.objects.map(object => fromRoot(object, folderIn(spec), reached)),
    };
  }

  /** Whether a Kustomization would build something else with these files than without. */
  private async isAffected(of: Applied, overlay: Overlay): Promise<boolean> {
    const { definedBy } = of;
    if (definedBy && 'file' in definedBy && overlay.has(definedBy.file)) return true;
    if (definedBy && 'by' in definedBy && (await this.isAffected(definedBy.by, overlay))) return true;
    const now = await this.build(of);
    if (now.kind !== 'built') return true;
    const folder = folderIn(now.spec);
    return [...overlay.keys()].some(
      path => now.reached.has(path) || folder === '' || path.startsWith(`${folder}/`),
    );
  }

  /** The spec that counts once the edits are applied, or the build of what brings it, where that fails. */
  private async specOf(
    of: Applied,
    overlay: Overlay,
  ): Promise<{ readonly spec: Fields } | Exclude<TreeBuild, { kind: 'built' }>> {
    const { definedBy } = of;
    if (!definedBy) return { spec: of.spec };
    if ('file' in definedBy) {
      const content = overlay.get(definedBy.file) ?? (await this.text(definedBy.file)) ?? '';
      const file = new YamlText(definedBy.file, content);
      const all = file.documents.map((_, document) => record(file.data(document)));
      const own = all.find(data => isManifestOf(data, of));
      return { spec: own ? record(own['spec']) : of.spec };
    }
    const above = await this.build(definedBy.by, overlay);
    if (above.kind !== 'built') return above;
    const own = above.objects.find(object => isFluxKustomization(object, of));
    return { spec: own ? record(own.data['spec']) : of.spec };
  }

  /** ConfigMaps and Secrets of postBuild.substituteFrom, as far as what brings the Kustomization has them. */
  private async variables(of: Applied, spec: Fields, overlay: Overlay): Promise<readonly VariableSource[]> {
    const references = items(record(spec['postBuild'])['substituteFrom']).map(record);
    const { definedBy } = of;
    if (references.length === 0 || !definedBy || !('by' in definedBy)) return [];
    const above = await this.build(definedBy.by, overlay);
    if (above.kind !== 'built') return [];
    return above.objects
      .filter(
        object =>
          object.namespace === of.namespace &&
          references.some(({ kind, name }) => object.kind === kind && object.name === name),
      )
      .flatMap(variablesIn);
  }
}

/** kustomize notes an origin as a path from the folder that is built. */
function fromRoot(object: BuiltObject, folder: string, reached: ReadonlySet<string>): BuiltObject {
  const path = object.origin?.path;
  if (path === undefined || reached.has(path)) return object;
  return { ...object, origin: { ...object.origin, path: posix.join(folder, path) } };
}

function refusalOf(of: Applied, build: Exclude<TreeBuild, { kind: 'built' }>, when: string): Refusal {
  const folder = folderWords(folderIn(of.spec));
  if (build.kind !== 'broken') {
    return new Refusal(
      'unsupported-file',
      `What ${wordsOf(of)} builds from ${folder} cannot be built here: ${build.words}`,
      {
        remedy: 'Make the folder smaller, or release it in another way.',
      },
    );
  }
  return when === 'now'
    ? new Refusal('tree-broken', `Flux cannot build ${folder} (${wordsOf(of)}): ${build.words}`, {
        remedy: 'Mend the folder so that Flux can build it, then run this again.',
      })
    : new Refusal(
        'tree-broken',
        `With the release Flux could not build ${folder} (${wordsOf(of)}) any more: ${build.words}`,
        { remedy: 'Set the value in another place (write: in rollout.yaml, or by hand), and tell us of it.' },
      );
}
