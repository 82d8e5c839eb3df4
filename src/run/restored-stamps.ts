import type { RepositoryFiles } from '../build/repository-files.ts';
import type { FluxChain, Observation } from '../rollout/observation.ts';
import type { CommitRecord, FileChange, RestoredFile } from '../rollout/ports.ts';
import type { TargetKey } from '../rollout/target.ts';
import { Refusal } from '../rollout/verdict.ts';
import type { RunGitOps, RunParts } from './parts.ts';

/** Puts an id on what a revert restores, where the commit has none that could be replaced. */
export type Stamper = (targets: readonly TargetKey[]) => Promise<readonly FileChange[]>;

/**
 * For a commit of somebody else: the id goes where a release would put it, into the tree as it is once the commit's
 * paths are restored. Asked once beforehand it needs no further request: a cancelled job has seconds.
 */
export function stamperOf(
  parts: Pick<RunParts, 'planner' | 'say'>,
  on: {
    readonly gitops: RunGitOps;
    readonly chains: Readonly<Record<TargetKey, FluxChain>>;
    readonly observation: Observation;
    readonly commit: CommitRecord;
    readonly id: string;
  },
): Stamper {
  return async targets => {
    if (targets.length === 0) return [];
    try {
      const files = restoredTree(await on.gitops.filesAt(on.commit.sha), on.commit);
      const { chains, observation, id: rolloutId } = on;
      return await parts.planner.stamp({ files, chains, observation, rolloutId, targets });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      parts.say(`The restored version gets no id of its own: ${error.message}`);
      return [];
    }
  };
}

function restoredTree(files: RepositoryFiles, commit: CommitRecord): RepositoryFiles {
  const before = new Map(commit.files.map(file => [file.path, file.before]));
  return {
    head: files.head,
    read: async path => (before.has(path) ? (before.get(path) ?? undefined) : await files.read(path)),
    list: folder => files.list(folder),
  };
}

/** The files of a revert, those with the id among them. */
export function withStamps(
  files: readonly RestoredFile[],
  stamps: readonly FileChange[],
): readonly RestoredFile[] {
  const own = files.map((file): RestoredFile => {
    const stamp = stamps.find(({ path }) => path === file.path);
    if (!stamp || file.restored.kind !== 'blob') return file;
    return { ...file, restored: { kind: 'blob', blob: { ...file.restored.blob, text: stamp.text } } };
  });
  const others = stamps.filter(({ path }) => !files.some(file => file.path === path));
  return [...own, ...others.map(otherFile)];
}

function otherFile({ path, before, text }: FileChange): RestoredFile {
  // The sha is computed from the text where it is compared.
  const blob = { sha: '', mode: before?.mode ?? '100644', text } as const;
  return { path, from: before, restored: { kind: 'blob', blob } };
}
