import type { CommittedFile, RevertOutcome, RevertRecord, RevertRequest } from '../rollout/ports.ts';
import { lineOf } from './branch-line.ts';
import { commitMessage } from './commit-message.ts';
import { changesSince, type DecidedPath, decidePaths, placesLeft, restoringEdits } from './decide-paths.ts';
import { findRevert } from './find-rollouts.ts';
import type { GitCommit } from './git-data.ts';
import type { BranchHead, Head } from './landing/branch-head.ts';
import { landCommit, type Prepared } from './landing/land-commit.ts';
import type { ListedCommit } from './listed-commit.ts';
import type { ObjectStore } from './object-store.ts';
import type { OwnCommits } from './own-commit.ts';
import { REVERTS_TRAILER } from './trailers.ts';

/** Where nobody says when the job ends, ms. */
const LONGEST_REVERT_MS = 60 * 60_000;
/** A "no" without a rule or right in it, asked again for so long, ms. */
const REVERT_PATIENCE_MS = 10 * 60_000;
/** A revert takes turns with nobody: the broken version serves until it lands. */
const REVERT_MAX_DELAY_MS = 2_000;

export interface RevertTarget {
  readonly store: ObjectStore;
  readonly head: BranchHead;
  readonly own: OwnCommits;
  readonly mayDelete: (file: CommittedFile) => boolean;
}

type Stop = Extract<RevertOutcome, { kind: 'already' | 'conflict' }>;

/**
 * Puts back what our commit changed, in one commit on whatever the head is by then. Four requests when the head is
 * still our commit, five when it moved on other paths: head, comparison, tree, commit, branch.
 */
export async function revertFiles(target: RevertTarget, request: RevertRequest): Promise<RevertOutcome> {
  const { head } = target;
  const { clock } = head.git.client;
  // It was on the branch, or nobody would take it back: a head without it is of the past, or was rewritten.
  const landed = await landCommit<Stop>({
    branch: head,
    message: commitMessage(request),
    mustBeVerified: false,
    beforePush: request.beforePush,
    holding: request.commit.sha,
    deadline: request.deadline ?? clock.now() + LONGEST_REVERT_MS,
    patienceMs: REVERT_PATIENCE_MS,
    maxDelayMs: REVERT_MAX_DELAY_MS,
    prepare: at => prepare(target, request, at),
  });
  switch (landed.kind) {
    case 'landed':
      return { kind: 'reverted', revert: recordOf(landed.commit, 'made') };
    case 'stopped':
      return landed.outcome;
    case 'unsure':
      return { kind: 'unsure', revert: landed.commit.sha, detail: landed.refusal.detail };
    case 'refused':
      return landed;
  }
}

async function prepare(target: RevertTarget, request: RevertRequest, head: Head): Promise<Prepared<Stop>> {
  const { store } = target;
  const since = await changesSince(store, { commit: request.commit, head });
  const paths = await decidePaths(target, { request, since });
  const id = request.trailers.find(([name]) => name === REVERTS_TRAILER)?.[1];
  const line = lineOf(head.sha, since.commits).toReversed();
  const earlier = id === undefined ? undefined : await findRevert(target.own, line, id);
  const nothingLeft = paths.every(({ decision }) => decision.kind === 'done');
  if (
    earlier !== undefined &&
    (nothingLeft || (await tookOursAway(store, { request, revert: earlier, paths })))
  ) {
    return stop({ kind: 'already', revert: recordOf(earlier, 'made') });
  }
  if (nothingLeft && head.sha !== request.commit.sha) {
    // Somebody put the files back without saying so: the head holds what the revert would.
    const { url } = await store.commit(head.sha);
    return stop({ kind: 'already', revert: { sha: head.sha, url, how: 'found' } });
  }
  const left = placesLeft(paths);
  if (left.length > 0) return stop({ kind: 'conflict', paths: left, head: head.sha });
  return { kind: 'write', baseTree: since.tree, edits: await restoringEdits(store, paths) };
}

function stop(outcome: Stop): Prepared<Stop> {
  return { kind: 'stop', outcome };
}

function recordOf(commit: GitCommit | ListedCommit, how: RevertRecord['how']): RevertRecord {
  return { sha: commit.sha, url: commit.url, how };
}

/**
 * Whether a commit that calls itself our revert really took our content away: none of the paths still open holds it
 * in that commit. What others wrote on these paths afterwards is theirs, and not ours to revert.
 */
async function tookOursAway(
  store: ObjectStore,
  on: {
    readonly request: RevertRequest;
    readonly revert: ListedCommit;
    readonly paths: readonly DecidedPath[];
  },
): Promise<boolean> {
  const ours = new Set(on.request.commit.files.map(({ path }) => path));
  const open = on.paths.filter(({ file, decision }) => decision.kind !== 'done' && ours.has(file.path));
  const left = await Promise.all(
    open.map(async ({ file }) => (await store.file(on.revert.tree, file.path))?.sha === file.after.sha),
  );
  return !left.includes(true);
}
