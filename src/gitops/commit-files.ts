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
import type { BranchHead } from './landing/branch-head.ts';
import { landCommit, type Prepared } from './landing/land-commit.ts';
import type { FileAt, ObjectStore } from './object-store.ts';
import { textEdit } from './tree-edits.ts';

export interface CommitTarget {
  readonly store: ObjectStore;
  readonly head: BranchHead;
}

/** For fifty jobs that want the same branch at once; see facts on contention. */
const COMMIT_BUDGET_MS = 10 * 60_000;
const COMMIT_MAX_DELAY_MS = 30_000;
/** Nothing is released yet, so that a "no" may as well be told at once; what passes within seconds is waited for, ms. */
const COMMIT_PATIENCE_MS = 10_000;

type Stale = Extract<CommitOutcome, { kind: 'stale' }>;

/**
 * Commits the files on the branch's head, if every one of them is still what the plan was made from. Four requests
 * when the head was read before in this run: head, tree, commit, branch.
 */
export async function commitFiles(target: CommitTarget, request: CommitRequest): Promise<CommitOutcome> {
  const { store, head } = target;
  const landed = await landCommit<Stale>({
    branch: head,
    message: commitMessage(request),
    mustBeVerified: request.mustBeVerified,
    beforePush: request.beforePush,
    deadline: store.git.client.clock.now() + COMMIT_BUDGET_MS,
    patienceMs: COMMIT_PATIENCE_MS,
    maxDelayMs: COMMIT_MAX_DELAY_MS,
    prepare: ({ sha }) => prepare({ store, head: sha, files: request.files }),
  });
  switch (landed.kind) {
    case 'landed':
      return committed(store, landed.commit, request.files);
    case 'refused':
      return landed;
    case 'unsure':
      return { kind: 'unsure', sha: landed.commit.sha, detail: landed.refusal.detail };
    case 'stopped':
      return landed.outcome;
  }
}

async function prepare(on: {
  readonly store: ObjectStore;
  readonly head: string;
  readonly files: readonly FileChange[];
}): Promise<Prepared<Stale>> {
  const { store, head, files } = on;
  const { tree } = await store.commit(head);
  const states = await Promise.all(
    files.map(async file => ({ file, at: await store.file(tree, file.path) })),
  );
  const stale = states.filter(({ file, at }) => !isSame(at, file.before)).map(({ file }) => file.path);
  if (stale.length > 0) return { kind: 'stop', outcome: { kind: 'stale', head, paths: stale } };
  const edits = await Promise.all(
    files
      .filter(file => file.text !== file.before?.text)
      .map(file => textEdit(store.git, { path: file.path, mode: modeOf(file), text: file.text })),
  );
  return { kind: 'write', baseTree: tree, edits };
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
