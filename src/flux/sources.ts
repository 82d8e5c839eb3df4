import type { ChartSourceView, FluxChain, SourceView } from '../rollout/observation.ts';
import type { TargetKey } from '../rollout/target.ts';
import { Refusal } from '../rollout/verdict.ts';
import type { FluxObjects, SourceRef } from './flux-objects.ts';
import { generatedFrom } from './generated-artifact.ts';
import { parseChartSource } from './parse-chart-source.ts';
import { parseGitRepository } from './parse-flux.ts';

/** Where a Kustomization takes its files from. */
export interface FoundSource {
  readonly view: SourceView;
  /** The folder of the repository that stands in the artifact's place of a path; undefined: the same one. */
  readonly folderOf?: (path: string) => string;
}

/**
 * @param of the Kustomization that names it, for words
 * @throws Refusal `wrong-source` when a GitRepository is not there.
 */
export async function sourceOf(objects: FluxObjects, ref: SourceRef, of: string): Promise<FoundSource> {
  if (ref.kind === 'ExternalArtifact') {
    const made = await generatedFrom(objects, ref);
    if (made) return { view: await gitSource(objects, made.repository, of), folderOf: made.folderOf };
  }
  return { view: ref.kind === 'GitRepository' ? await gitSource(objects, ref, of) : foreignSource(ref) };
}

async function gitSource(objects: FluxObjects, ref: SourceRef, of: string): Promise<SourceView> {
  const object = await objects.source(ref);
  if (object !== undefined) return parseGitRepository(object);
  if (objects.sourcesMayBeHidden) return { ...foreignSource(ref), kind: 'GitRepository' };
  throw new Refusal('wrong-source', `The GitRepository ${ref.namespace}/${ref.name} does not exist.`, {
    remedy: `Mend spec.sourceRef of ${of}.`,
  });
}

/** The OCIRepository of a chart; undefined where it may not be read, or is not there. */
export async function chartSourceOf(
  objects: FluxObjects,
  ref: SourceRef | undefined,
): Promise<ChartSourceView | undefined> {
  if (ref?.kind !== 'OCIRepository') return undefined;
  const object = await objects.source(ref);
  return object === undefined ? undefined : parseChartSource(object);
}

/** A source that holds no commits of ours: only whose it is matters. */
function foreignSource(ref: SourceRef): SourceView {
  const kinds = ['OCIRepository', 'Bucket', 'ExternalArtifact'] as const;
  return {
    kind: kinds.find(kind => kind === ref.kind) ?? 'ExternalArtifact',
    namespace: ref.namespace,
    name: ref.name,
    url: '',
    suspended: false,
    intervalMs: 0,
    verifies: false,
  };
}

/** What there is to be done where something else than a GitRepository delivers. */
const REMEDIES: Readonly<Record<Exclude<SourceView['kind'], 'GitRepository'>, string>> = {
  OCIRepository:
    'Let the Kustomization take its files from a GitRepository (spec.sourceRef), beside the OCIRepository or in its place; what a workflow pushes as an artifact cannot be released or taken back by a commit alone.',
  Bucket: 'Let the Kustomization take its files from a GitRepository (spec.sourceRef).',
  ExternalArtifact:
    'Make it by an ArtifactGenerator from a GitRepository alone, by copying whole folders (from: "@ALIAS/FOLDER/**", to: "@artifact/"), with revision: "@ALIAS" so that Flux says which commit it has; or let the Kustomization take its files from the GitRepository.',
};

export interface SourceRules {
  /** `owner/repo` on a host, for people to read. */
  readonly repository: string;
  readonly isOurs: (source: SourceView) => boolean | Promise<boolean>;
  /** gitops.branch of rollout.yaml. */
  readonly branch: string | undefined;
}

/** @throws Refusal `wrong-source` where a commit to our repository and branch would never be applied. */
export async function checkSource(target: TargetKey, chain: FluxChain, on: SourceRules): Promise<void> {
  const { source, kustomizations } = chain;
  const name = `${source.kind} ${source.namespace}/${source.name}`;
  const applier = kustomizations.at(-1);
  const by = `Kustomization ${applier?.namespace ?? '?'}/${applier?.name ?? '?'}`;
  if (source.kind !== 'GitRepository') {
    throw wrong(
      `${target} is applied by ${by}, which takes its files from the ${name}; a release is a commit, which only a GitRepository delivers.`,
      REMEDIES[source.kind],
    );
  }
  if (!(await on.isOurs(source))) {
    throw wrong(
      `${target} is delivered from ${source.url} (${name}), not from ${on.repository}.`,
      'Correct gitops.repository in rollout.yaml, or the kubeconfig.',
    );
  }
  if (source.pinned !== undefined) {
    throw wrong(
      `${name}, which delivers ${target}, follows ${source.pinned} and no branch: a commit to a branch is never applied.`,
      'Let the GitRepository follow a branch (spec.ref.branch, or spec.ref.name: refs/heads/…).',
    );
  }
  if (on.branch === undefined || source.branch === undefined || source.branch === on.branch) return;
  throw wrong(
    `${name} follows ${source.branch}, but rollout.yaml says ${on.branch}: a commit there would never be applied.`,
    'Correct gitops.branch in rollout.yaml, or leave it out: it is what Flux follows then.',
  );
}

function wrong(message: string, remedy: string): Refusal {
  return new Refusal('wrong-source', message, { remedy });
}
