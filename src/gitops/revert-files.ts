import type {
  CommittedFile,
  Restored,
  RestoredFile,
  RevertOutcome,
  RevertRecord,
  RevertRequest,
} from '../rollout/ports.ts';
import { lineOf } from './branch-line.ts';
import { commitMessage } from './commit-message.ts';
import { findRevert } from './find-rollouts.ts';
import type { GitCommit, TreeEdit } from './git-data.ts';
import type { ListedCommit } from './listed-commit.ts';
import { landCommit, type Prepared } from './land-commit.ts';
import type { FileAt, ObjectStore } from './object-store.ts';
import type { OwnCommits } from './own-commit.ts';
import { decidePath, type PathDecision, restoredAt } from './three-way.ts';
import { REVERTS_TRAILER } from './trailers.ts';
import { textEdit } from './tree-edits.ts';

const REVERT_BUDGET_MS = 10 * 60_000;
/** A revert takes turns with nobody: the broken version serves until it lands. */
const REVERT_MAX_DELAY_MS = 2_000;

export interface RevertTarget {
  readonly store: ObjectStore;
  readonly branch: string;
  readonly own: OwnCommits;
  readonly mayDelete: (file: CommittedFile) => boolean;
}

/** One path of a revert, with what is to be done about it on a head. */
export interface DecidedPath {
  readonly file: CommittedFile;
  readonly restored: Restored;
  readonly decision: PathDecision;
}

type Stop = Extract<RevertOutcome, { kind: 'already' | 'conflict' | 'reverted' }>;

/**
 * Puts back what our commit changed, in one commit on whatever the head is by then. Four requests when the head is
 * still our commit, five when it moved on other paths: head, comparison, tree, commit, branch.
 */
export async function revertFiles(target: RevertTarget, request: RevertRequest): Promise<RevertOutcome> {
  const { store, branch } = target;
  const landed = await landCommit<Stop>({
    git: store.git,
    branch,
    message: commitMessage(request),
    mustBeVerified: false,
    beforePush: request.beforePush,
    budgetMs: REVERT_BUDGET_MS,
    maxDelayMs: REVERT_MAX_DELAY_MS,
    prepare: (head, earlier) => prepare({ target, request, head, earlier }),
  });
  switch (landed.kind) {
    case 'landed':
      return { kind: 'reverted', revert: recordOf(landed.commit) };
    case 'stopped':
      return landed.outcome;
    case 'refused':
      return landed;
  }
}

interface Preparation {
  readonly target: RevertTarget;
  readonly request: RevertRequest;
  readonly head: string;
  readonly earlier: readonly GitCommit[];
}

async function prepare(on: Preparation): Promise<Prepared<Stop>> {
  const { target, request, head } = on;
  const since = await changesSince(target.store, { commit: request.commit, head });
  const mine = on.earlier.find(commit => since.commits.some(({ sha }) => sha === commit.sha));
  if (mine !== undefined) return stop({ kind: 'reverted', revert: recordOf(mine) });
  const paths = await decidePaths(target, { request, since });
  const id = request.trailers.find(([name]) => name === REVERTS_TRAILER)?.[1];
  const earlier = id && (await findRevert(target.own, lineOf(head, since.commits).toReversed(), id));
  if (paths.every(({ decision }) => decision === 'done')) {
    return stop({ kind: 'already', revert: earlier ? recordOf(earlier) : undefined });
  }
  if (
    earlier &&
    (await leavesNothingOfOurs(target.store, { commit: request.commit, revert: earlier, paths }))
  ) {
    return stop({ kind: 'already', revert: recordOf(earlier) });
  }
  const conflicts = paths.filter(({ decision }) => decision === 'conflict').map(({ file }) => file.path);
  if (conflicts.length > 0) return stop({ kind: 'conflict', paths: conflicts, head });
  return { kind: 'write', baseTree: since.tree, edits: await restoringEdits(target.store, paths) };
}

function stop(outcome: Stop): Prepared<Stop> {
  return { kind: 'stop', outcome };
}

function recordOf(commit: { readonly sha: string; readonly url: string }): RevertRecord {
  return { sha: commit.sha, url: commit.url };
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
  on: { readonly commit: RevertRequest['commit']; readonly head: string },
): Promise<ChangesSince> {
  const { commit, head } = on;
  if (head === commit.sha) return { tree: commit.tree, commits: [], untouched: () => true };
  const comparison = await store.git.compare(commit.sha, head);
  const newest = comparison.commits.at(-1);
  const tree = newest?.sha === head ? newest.tree : (await store.commit(head)).tree;
  const { status, changed } = comparison;
  // Diverged or behind: the branch was rewritten, and what differs from a common ancestor says nothing of our paths.
  const comparable = status === 'ahead' && changed !== undefined;
  return {
    tree,
    commits: status === 'ahead' ? comparison.commits : [],
    untouched: path => comparable && !changed.has(path),
  };
}

/** The three-way decision for every path of the request. */
export async function decidePaths(
  target: Pick<RevertTarget, 'store' | 'mayDelete'>,
  on: { readonly request: Pick<RevertRequest, 'commit' | 'files'>; readonly since: ChangesSince },
): Promise<readonly DecidedPath[]> {
  const { request, since } = on;
  return await Promise.all(
    request.files.map(async (given): Promise<DecidedPath> => {
      const { path, restored } = given;
      const file = request.commit.files.find(committed => committed.path === path);
      if (file === undefined) return await decideOther(target.store, given, since);
      const head: FileAt | undefined = since.untouched(path)
        ? file.after
        : await target.store.file(since.tree, path);
      return { file, restored, decision: decidePath({ head, file, restored, mayDelete: target.mayDelete }) };
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
    return { file, restored, decision: decidePath({ head, file, restored, mayDelete: () => false }) };
  }
  const done = head?.sha === restoredAt(restored)?.sha;
  return { file, restored, decision: head === undefined ? 'restore' : done ? 'done' : 'conflict' };
}

/** Edits for the paths that are still ours. Content that the repository has already is named by sha, not sent. */
export async function restoringEdits(
  store: ObjectStore,
  paths: readonly DecidedPath[],
): Promise<readonly TreeEdit[]> {
  return await Promise.all(
    paths.filter(({ decision }) => decision === 'restore').map(path => restoringEdit(store, path)),
  );
}

async function restoringEdit(store: ObjectStore, { file, restored }: DecidedPath): Promise<TreeEdit> {
  const { path, before, after } = file;
  if (restored.kind === 'absent') return { path, mode: after.mode, sha: null };
  const { mode, text } = restored.blob;
  const sha = restoredAt(restored)?.sha;
  if (before !== null && sha === before.sha) return { path, mode, sha: before.sha };
  return await textEdit(store.git, { path, mode, text });
}

/**
 * Whether a commit that calls itself our revert really took our content away: none of the paths still open holds it
 * in that commit. What others wrote on these paths afterwards is theirs, and not ours to revert.
 */
async function leavesNothingOfOurs(
  store: ObjectStore,
  on: {
    readonly commit: RevertRequest['commit'];
    readonly revert: ListedCommit;
    readonly paths: readonly DecidedPath[];
  },
): Promise<boolean> {
  const ours = new Set(on.commit.files.map(({ path }) => path));
  const open = on.paths.filter(({ file, decision }) => decision !== 'done' && ours.has(file.path));
  const left = await Promise.all(
    open.map(async ({ file }) => (await store.file(on.revert.tree, file.path))?.sha === file.after.sha),
  );
  return !left.includes(true);
}
