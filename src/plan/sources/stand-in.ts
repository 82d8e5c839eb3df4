import { stringify } from 'yaml';
import { items, record, text } from '../../build/json.ts';
import type { RepositoryFiles } from '../../build/repository-files.ts';
import type { BuiltObject } from '../../build/tree-builder.ts';
import type { AppliedWorkload, WorkloadView } from '../../rollout/observation.ts';
import { splitImage } from '../../rollout/live-value.ts';
import { ROLLOUT_ID_ANNOTATION, SOURCE_SHA_ANNOTATION, type TargetRef } from '../../rollout/target.ts';
import { imageReference } from '../changes/images.ts';

/** A workload whose manifest is in another repository, as it is live. */
export interface LiveWorkload {
  readonly target: TargetRef;
  readonly live: Pick<WorkloadView, 'template' | 'labels'>;
}

/** What a Kustomization of ours makes of names: what it puts before them and behind them. */
export interface Naming {
  readonly prefix: string;
  readonly suffix: string;
}

/** An images entry that gives an image another name. */
export interface Renaming {
  readonly name: string;
  readonly newName: string;
}

export const STAND_IN_FILE = 'gated-rollout-stand-in.yaml';
const PROBE = 'gated-rollout-probe';

/** An object that shows, once it is built, what becomes of names. */
export const PROBE_TEXT = stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: PROBE } });

export function namingIn(objects: readonly BuiltObject[]): Naming | undefined {
  const name = objects.find(object => object.kind === 'ConfigMap' && object.name.includes(PROBE))?.name;
  const [prefix = '', suffix = ''] = name?.split(PROBE) ?? [];
  return name === undefined ? undefined : { prefix, suffix };
}

/** Undefined for a name that this naming cannot have made. */
export function nameBefore({ prefix, suffix }: Naming, live: string): string | undefined {
  const isMade =
    live.startsWith(prefix) && live.endsWith(suffix) && live.length > prefix.length + suffix.length;
  return isMade ? live.slice(prefix.length, live.length - suffix.length) : undefined;
}

/**
 * Manifests as the other repository may have them: the live objects, without what we put on them. Workloads that are
 * known by name alone are taken for being like the first target, so that what reaches it by a pattern reaches them, too.
 */
export function standInText(
  workloads: readonly LiveWorkload[],
  on: {
    readonly neighbours: readonly AppliedWorkload[];
    readonly naming: Naming;
    readonly renamings: readonly Renaming[];
    /** Whether the manifests name their namespaces; kustomize finds the objects of a patch by what they name. */
    readonly namespaced: boolean;
  },
): string {
  const objects = workloads.flatMap(({ target, live }) => {
    const name = nameBefore(on.naming, target.name);
    return name === undefined ? [] : [manifest({ ...target, name }, live, on)];
  });
  const [first] = workloads;
  const others = on.neighbours
    .filter(each => !workloads.some(({ target }) => target.kind === each.kind && target.name === each.name))
    .flatMap(each => {
      const name = nameBefore(on.naming, each.name);
      return name === undefined || !first ? [] : [manifest({ ...each, name }, likeNeighbour(first.live), on)];
    });
  return [...objects, ...others].map(each => stringify(each, { lineWidth: 0 })).join('---\n');
}

/** Whatever images it has, they are no images of the target. */
function likeNeighbour({ template, ...live }: LiveWorkload['live']): LiveWorkload['live'] {
  const pod = record(record(template)['spec']);
  const lists = ['initContainers', 'containers'].flatMap(list =>
    pod[list] === undefined
      ? []
      : [
          [
            list,
            items(pod[list]).map(each => ({ ...record(each), image: 'neighbour.invalid/image' })),
          ] as const,
        ],
  );
  return { ...live, template: { ...record(template), spec: { ...pod, ...Object.fromEntries(lists) } } };
}

function manifest(
  of: AppliedWorkload,
  live: LiveWorkload['live'],
  { renamings, namespaced }: { readonly renamings: readonly Renaming[]; readonly namespaced: boolean },
) {
  const { kind, name, namespace } = of;
  return {
    apiVersion: kind === 'Job' || kind === 'CronJob' ? 'batch/v1' : 'apps/v1',
    kind,
    metadata: { name, ...(namespaced ? { namespace } : {}), ...(live.labels ? { labels: live.labels } : {}) },
    spec: { template: asWritten(live.template, renamings) },
  };
}

/** Without the annotations by which we know our rollouts, and with images under the names that entries know them by. */
function asWritten(template: unknown, renamings: readonly Renaming[]): unknown {
  const metadata = record(record(template)['metadata']);
  const annotations = Object.entries(record(metadata['annotations'])).filter(
    ([key]) => key !== ROLLOUT_ID_ANNOTATION && key !== SOURCE_SHA_ANNOTATION,
  );
  const pod = record(record(template)['spec']);
  const lists = ['initContainers', 'containers'].flatMap(list =>
    pod[list] === undefined
      ? []
      : [[list, items(pod[list]).map(each => renamed(record(each), renamings))] as const],
  );
  return {
    ...record(template),
    metadata: { ...metadata, annotations: Object.fromEntries(annotations) },
    spec: { ...pod, ...Object.fromEntries(lists) },
  };
}

function renamed(container: Readonly<Record<string, unknown>>, renamings: readonly Renaming[]) {
  const { repository, version } = splitImage(text(container['image']));
  const before = renamings.find(({ newName }) => newName === repository)?.name;
  return before === undefined ? container : { ...container, image: imageReference(before, version) };
}

export function renamingsIn(images: unknown): readonly Renaming[] {
  return items(images)
    .map(record)
    .flatMap(({ name, newName }) =>
      typeof name === 'string' && typeof newName === 'string' && name !== newName ? [{ name, newName }] : [],
    );
}

/** A repository of one file, at a commit that nobody has. */
export function onlyFile(path: string, content: string): RepositoryFiles {
  return {
    head: '0'.repeat(40),
    read: asked => Promise.resolve(asked === path ? blobOf(content) : undefined),
    list: folder => Promise.resolve(folder === '' ? [{ name: path, kind: 'file' }] : undefined),
  };
}

/** A repository and one file more. */
export function withFile(
  files: RepositoryFiles,
  on: {
    readonly path: string;
    readonly content: string;
    readonly edit: (path: string, text: string) => string;
  },
): RepositoryFiles {
  return {
    head: files.head,
    read: async asked => {
      if (asked === on.path) return blobOf(on.content);
      const blob = await files.read(asked);
      return blob && { ...blob, text: on.edit(asked, blob.text) };
    },
    list: async folder => {
      const entries = await files.list(folder);
      return folder === '' ? [...(entries ?? []), { name: on.path, kind: 'file' }] : entries;
    },
    prefetch: async folder => await files.prefetch?.(folder),
  };
}

function blobOf(content: string) {
  return { sha: '0'.repeat(40), mode: '100644', text: content } as const;
}
