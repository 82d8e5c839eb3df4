import type { CommittedFile, RestoredFile, RevertRequest } from '../rollout/ports.ts';
import { Refusal } from '../rollout/verdict.ts';
import type { TreeEdit } from './git-data.ts';
import type { Head } from './landing/branch-head.ts';
import type { ListedCommit } from './listed-commit.ts';
import type { ObjectStore } from './object-store.ts';
import { decidePath, type PathDecision, restoredAt } from './three-way.ts';
import { textEdit } from './tree-edits.ts';

/** One path of a revert, with what is to be done about it on a head. */
export interface DecidedPath {
  readonly file: CommittedFile;
  readonly restored: RestoredFile['restored'];
  readonly decision: PathDecision;
}

/** What happened between our commit and a head. */
export interface ChangesSince {
  readonly tree: string;
  /** Newer than our commit, oldest first; at most the newest 250. */
  readonly commits: readonly ListedCommit[];
  /** Paths surely as our commit left them; the others must be looked at. */
  readonly untouched: (path: string) => boolean;
}

/** One request at most; none when the head is our commit. */
export async function changesSince(
  store: ObjectStore,
  on: { readonly commit: RevertRequest['commit']; readonly head: Head },
): Promise<ChangesSince> {
  const { commit, head } = on;
  if (head.sha === commit.sha) return { tree: commit.tree, commits: [], untouched: () => true };
  // A branch that was rewritten: what differs from a common ancestor says nothing of our paths.
  if (!head.holdsKnown) {
    return { tree: (await store.commit(head.sha)).tree, commits: [], untouched: () => false };
  }
  const { commits, changed } = await store.compare(commit.sha, head.sha);
  const newest = commits.at(-1);
  const tree = newest?.sha === head.sha ? newest.tree : (await store.commit(head.sha)).tree;
  return { tree, commits, untouched: path => changed?.has(path) === false };
}

/** The three-way decision for every path of the request. */
export async function decidePaths(
  on: { readonly store: ObjectStore; readonly mayDelete: (file: CommittedFile) => boolean },
  asked: { readonly request: Pick<RevertRequest, 'commit' | 'files'>; readonly since: ChangesSince },
): Promise<readonly DecidedPath[]> {
  const { request, since } = asked;
  return await Promise.all(
    request.files.map(async (given): Promise<DecidedPath> => {
      const { path, restored } = given;
      const file = request.commit.files.find(committed => committed.path === path);
      if (file === undefined) return await decideOther(on.store, given, since);
      const head = since.untouched(path) ? file.after : await on.store.file(since.tree, path);
      const headText = () => textAt(on.store, since.tree, path);
      const decision = await decidePath({ head, headText, file, restored, mayDelete: on.mayDelete });
      return { file, restored, decision };
    }),
  );
}

/** A path that the commit left alone: written only where it is as it was when that was decided. */
async function decideOther(
  store: ObjectStore,
  { path, restored, from }: RestoredFile,
  since: ChangesSince,
): Promise<DecidedPath> {
  if (from === undefined || restored.kind !== 'blob') {
    throw new Error(`A revert names ${path}, which its commit did not change.`);
  }
  const file: CommittedFile = { path, before: from, after: from ?? restored.blob };
  const head = since.untouched(path) ? (from ?? undefined) : await store.file(since.tree, path);
  if (from !== null) {
    const headText = () => textAt(store, since.tree, path);
    return {
      file,
      restored,
      decision: await decidePath({ head, headText, file, restored, mayDelete: () => false }),
    };
  }
  const done = head?.sha === restoredAt(restored)?.sha;
  return { file, restored, decision: { kind: head === undefined ? 'restore' : done ? 'done' : 'conflict' } };
}

/** Undefined where there is no text that could be merged. */
async function textAt(store: ObjectStore, tree: string, path: string) {
  try {
    return await store.read(tree, path);
  } catch (error) {
    if (error instanceof Refusal && error.reason === 'unsupported-file') return undefined;
    throw error;
  }
}

/** What of the decided paths can be put back. Content that the repository has already is named by sha, not sent. */
export async function restoringEdits(
  store: ObjectStore,
  paths: readonly DecidedPath[],
): Promise<readonly TreeEdit[]> {
  const edits = await Promise.all(paths.map(path => restoringEdit(store, path)));
  return edits.filter(edit => edit !== undefined);
}

async function restoringEdit(store: ObjectStore, on: DecidedPath): Promise<TreeEdit | undefined> {
  const { file, restored, decision } = on;
  const { path, before, after } = file;
  if (decision.kind === 'done' || decision.kind === 'conflict') return undefined;
  if (restored.kind === 'absent') return { path, mode: after.mode, sha: null };
  const { mode, text } = restored.blob;
  if (decision.kind === 'merge') return await textEdit(store.git, { path, mode, text: decision.text });
  const sha = restoredAt(restored)?.sha;
  if (before !== null && sha === before.sha) return { path, mode, sha: before.sha };
  return await textEdit(store.git, { path, mode, text });
}

/** For people: the places that could not be put back. `apps/deployment.yaml:16-17` */
export function placesLeft(paths: readonly DecidedPath[]): readonly string[] {
  return paths.flatMap(({ file, decision }) => {
    if (decision.kind !== 'conflict') return [];
    const met = decision.merged?.met ?? [];
    if (met.length === 0) return [file.path];
    return met.map(({ from, to }) => `${file.path}:${from === to ? from : `${from}-${to}`}`);
  });
}
