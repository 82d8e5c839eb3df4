import { type Fields, record, text } from '../build/json.ts';
import type { RepositoryFiles } from '../build/repository-files.ts';
import type { TreeBuilder } from '../build/tree-builder.ts';
import { Edits } from '../edit/edits.ts';
import type { FluxChain, KustomizationView, SourceView } from '../rollout/observation.ts';
import type { TargetKey } from '../rollout/target.ts';
import type { Ground } from './changes/wanted.ts';
import type { Applied } from './tree/applied.ts';
import { FluxTree } from './tree/flux-tree.ts';
import { Sharers } from './tree/sharers.ts';

export interface Grounded extends Ground {
  /** The Kustomization that carries our commit to a target; undefined where Flux applies it in no way that is known. */
  readonly applierOf: (target: TargetKey) => Applied | undefined;
}

/** The repository at one commit, and the Kustomizations of Flux that bring the targets from it. */
export function groundOf(on: {
  readonly files: RepositoryFiles;
  readonly builder: TreeBuilder;
  readonly chains: Readonly<Record<TargetKey, FluxChain>>;
  readonly settings: Ground['settings'];
}): Grounded {
  const { files, chains, settings } = on;
  const tree = new FluxTree({ files, builder: on.builder });
  const known = new Map<string, Applied>();
  const appliers = new Map(
    Object.entries(chains).map(([target, chain]) => [target, chainOf(chain, { files, known })] as const),
  );
  const [source] = Object.values(chains).map(chain => chain.source);
  const sharers = new Sharers({ tree, ours: [...known.values()], source: source ?? { url: '' } });
  return { tree, sharers, settings, edits: new Edits(files), applierOf: target => appliers.get(target) };
}

/** The last Kustomization of a chain, with those above it that take their files from the very same source. */
function chainOf(
  { kustomizations, source }: FluxChain,
  on: { readonly files: RepositoryFiles; readonly known: Map<string, Applied> },
): Applied | undefined {
  return kustomizations.reduce<Applied | undefined>((above, view) => {
    const key = [view.namespace, view.name, view.manifest ?? ''].join('/');
    const known = on.known.get(key);
    if (known) return known;
    if (!isFrom(view, source)) return undefined;
    const definedBy = above
      ? { by: above }
      : view.manifest === undefined
        ? undefined
        : { file: view.manifest };
    const applied: Applied = {
      namespace: view.namespace,
      name: view.name,
      files: on.files,
      isOurs: true,
      artifact: source.artifact ?? {},
      spec: specOf(view),
      ...(definedBy ? { definedBy } : {}),
    };
    on.known.set(key, applied);
    return applied;
  }, undefined);
}

/** Another source may be of the same repository, and follow another branch: its manifests are not ours to count on. */
function isFrom({ spec, namespace }: KustomizationView, source: SourceView): boolean {
  const ref = record(spec?.['sourceRef']);
  if (ref['name'] === undefined) return true;
  return (
    ref['kind'] === source.kind &&
    ref['name'] === source.name &&
    (text(ref['namespace']) || namespace) === source.namespace
  );
}

export function specOf({ spec, path, targetNamespace }: KustomizationView): Fields {
  return { path, ...(targetNamespace === undefined ? {} : { targetNamespace }), ...spec };
}
