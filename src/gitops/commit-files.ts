import type {
  CommitOutcome,
  CommitRecord,
  CommitRequest,
  CommittedFile,
  FileChange,
} from '../rollout/ports.ts';
import { blobSha } from './blob-text.ts';
import { commitMessage } from './commit-message.ts';
import type { GitCommit } from './git-data.ts';
import { landCommit, type Prepared } from './land-commit.ts';
import type { FileAt, ObjectStore } from './object-store.ts';
import { textEdit } from './tree-edits.ts';

export interface CommitTarget {
  readonly store: ObjectStore;
  readonly branch: string;
}

/** For fifty jobs that want the same branch at once; see facts on contention. */
const COMMIT_BUDGET_MS = 10 * 60_000;
const COMMIT_MAX_DELAY_MS = 30_000;

/** Stopped before writing: the plan is out of date, or an earlier attempt turned out to have landed. */
type Stop =
  | { readonly kind: 'stale'; readonly head: string; readonly paths: readonly string[] }
  | { readonly kind: 'landed'; readonly commit: GitCommit };

/**
 * Commits the files on the branch's head, if every one of them is still what the plan was made from. Four requests
 * when the head was read before in this run: head, tree, commit, branch.
 */
export async function commitFiles(target: CommitTarget, request: CommitRequest): Promise<CommitOutcome> {
  const { store, branch } = target;
  const landed = await landCommit<Stop>({
    git: store.git,
    branch,
    message: commitMessage(request),
    mustBeVerified: request.mustBeVerified,
    beforePush: request.beforePush,
    budgetMs: COMMIT_BUDGET_MS,
    maxDelayMs: COMMIT_MAX_DELAY_MS,
    prepare: (head, earlier) => prepare({ store, head, earlier, files: request.files }),
  });
  switch (landed.kind) {
    case 'landed':
      return committed(store, landed.commit, request.files);
    case 'refused':
      return landed;
    case 'stopped':
      return landed.outcome.kind === 'landed'
        ? committed(store, landed.outcome.commit, request.files)
        : landed.outcome;
  }
}

async function prepare(on: {
  readonly store: ObjectStore;
  readonly head: string;
  readonly earlier: readonly GitCommit[];
  readonly files: readonly FileChange[];
}): Promise<Prepared<Stop>> {
  const { store, head, files } = on;
  const { tree } = await store.commit(head);
  const states = await Promise.all(
    files.map(async file => ({ file, at: await store.file(tree, file.path) })),
  );
  const stale = states.filter(({ file, at }) => !isSame(at, file.before)).map(({ file }) => file.path);
  if (stale.length > 0) {
    const commit = await landedBefore(on);
    if (commit !== undefined) return { kind: 'stop', outcome: { kind: 'landed', commit } };
    return { kind: 'stop', outcome: { kind: 'stale', head, paths: stale } };
  }
  const edits = await Promise.all(
    files
      .filter(file => file.text !== file.before?.text)
      .map(file => textEdit(store.git, { path: file.path, mode: modeOf(file), text: file.text })),
  );
  return { kind: 'write', baseTree: tree, edits };
}

/** An attempt that was taken for lost (no answer, and the history was read from a replica that lagged). */
async function landedBefore(on: {
  readonly store: ObjectStore;
  readonly head: string;
  readonly earlier: readonly GitCommit[];
}): Promise<GitCommit | undefined> {
  for (const commit of on.earlier) {
    if (commit.sha === on.head) return commit;
    const { status } = await on.store.git.compare(commit.sha, on.head);
    if (status === 'ahead' || status === 'identical') return commit;
  }
  return undefined;
}

export function isSame(at: FileAt | undefined, other: FileAt | null | undefined): boolean {
  if (at === undefined || other === null || other === undefined) return at === undefined && !other;
  return at.sha === other.sha && at.mode === other.mode;
}

function modeOf(file: FileChange) {
  return file.before?.mode ?? '100644';
}

function committed(store: ObjectStore, commit: GitCommit, files: readonly FileChange[]): CommitOutcome {
  store.remember(commit);
  const record: CommitRecord = {
    sha: commit.sha,
    parent: commit.parents[0] ?? '',
    tree: commit.tree,
    files: files.map(
      (file): CommittedFile => ({
        path: file.path,
        before: file.before,
        after: { sha: blobSha(file.text), mode: modeOf(file), text: file.text },
      }),
    ),
    verified: commit.verified,
    url: commit.url,
  };
  return { kind: 'committed', commit: record };
}
