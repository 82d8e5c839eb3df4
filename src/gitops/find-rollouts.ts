import type { CommitRecord, CommittedFile, RevertRecord } from '../rollout/ports.ts';
import { type BranchLine, branchLine, lineOf } from './branch-line.ts';
import type { BranchHead } from './landing/branch-head.ts';
import type { ListedCommit } from './listed-commit.ts';
import type { ObjectStore } from './object-store.ts';
import type { OwnCommits } from './own-commit.ts';
import {
  parseTrailers,
  REVERTS_TRAILER,
  ROLLOUT_ID_TRAILER,
  ROLLOUT_TRAILER,
  type Trailer,
  trailer,
} from './trailers.ts';

/** A rollout as the branch's history tells it. */
export interface FoundRollout {
  readonly id: string;
  /** Trailer `Gated-Rollout`. */
  readonly name: string;
  /** All trailers of the commit, in order: source, run, baselines and so on. */
  readonly trailers: readonly Trailer[];
  readonly commit: CommitRecord;
  /** Our commit that took it back, with its trailers; undefined when there is none. */
  readonly revert: (RevertRecord & { readonly trailers: readonly Trailer[] }) | undefined;
}

export interface Branch {
  readonly store: ObjectStore;
  readonly branch: string;
  /** Reads of the branch; what this run wrote is never missing from them. */
  readonly head: BranchHead;
  readonly own: OwnCommits;
  /** Told of commits that say they are ours and are passed over. */
  readonly warn: (message: string) => void;
}

/** How far back one looks for a rollout that nobody ended: a page. */
const COMMITS_OF_NEWEST = 100;
/** For one of which a primary still carries the id. */
const COMMITS_OF_ID = 300;
/** What a stamped revert appends to the id that it takes back (run/rollout-id.ts). */
const REVERT_ID_SUFFIX = '-revert';
const KIND_TRAILER = 'Gated-Rollout-Kind';
/** Whoever plants commits must not flood the log with them. */
const MAX_WARNINGS = 3;

/**
 * The newest rollout of a name whose commit the branch was at, reverted or not. Commits that are not proven to be ours
 * (own-commit.ts) or that a merge brought in are passed over, whatever their messages say; so are commits whose id is
 * not in the tree.
 * @throws errors of the calls to GitHub (see `httpFailure`).
 */
export async function newestRollout(on: Branch, name: string): Promise<FoundRollout | undefined> {
  const { sha: head } = await on.head.read();
  const history = await branchLine(on.store.git, head, COMMITS_OF_NEWEST);
  const named = history.commits.filter(
    ({ message }) =>
      trailer(message, ROLLOUT_TRAILER) === name && trailer(message, ROLLOUT_ID_TRAILER) !== undefined,
  );
  let warnings = 0;
  for (const commit of named) {
    const why = await disbelief(on, history.line, commit);
    if (why === undefined) {
      const rollout = await foundRollout(on, { commit, newer: newerThan(commit, history.line) });
      if (rollout !== undefined) return rollout;
    } else {
      warnings += 1;
      const sha = commit.sha.slice(0, 7);
      if (warnings <= MAX_WARNINGS) {
        on.warn(`The commit ${sha} says that it is a rollout of ${name}, and is passed over: ${why}`);
      }
    }
  }
  return undefined;
}

/** Why a commit is not believed to be ours; undefined when it is. */
async function disbelief(
  on: Branch,
  line: readonly ListedCommit[],
  commit: ListedCommit,
): Promise<string | undefined> {
  if (!line.includes(commit)) {
    return 'it came with a merge, and ours are pushed onto the branch itself.';
  }
  switch (await on.own.originOf(commit)) {
    case 'ours':
      return undefined;
    case 'foreign':
      return 'by GitHub it was made by somebody else.';
    case 'unknown':
      return 'neither a signature of GitHub nor its record of pushes shows that we made it.';
  }
}

/** On the line, oldest first. */
function newerThan(commit: ListedCommit, line: readonly ListedCommit[]): readonly ListedCommit[] {
  return line.slice(0, line.indexOf(commit)).toReversed();
}

/**
 * The commit of ours on the branch that put this id on a pod template: a release's own, or the stamped revert of the
 * release whose id it extends.
 */
export async function shaOfId(on: Branch, id: string): Promise<string | undefined> {
  const { line } = await recentHistory(on);
  for (const commit of line.filter(listed => saysId(listed, id))) {
    if ((await on.own.originOf(commit)) === 'ours') return commit.sha;
  }
  return undefined;
}

/** Whether any commit of the branch, whoever made it, says that it put this id there. */
export async function isIdNamed(on: Branch, id: string): Promise<boolean> {
  return (await recentHistory(on)).commits.some(commit => saysId(commit, id));
}

async function recentHistory(on: Branch): Promise<BranchLine> {
  const { sha: head } = await on.head.read();
  return await branchLine(on.store.git, head, COMMITS_OF_ID);
}

function saysId({ message }: ListedCommit, id: string): boolean {
  if (trailer(message, ROLLOUT_ID_TRAILER) === id) return true;
  if (!id.endsWith(REVERT_ID_SUFFIX)) return false;
  return trailer(message, REVERTS_TRAILER) === id.slice(0, -REVERT_ID_SUFFIX.length);
}

/**
 * The rollout of a commit whose sha we wrote down ourselves, so that its author need not be asked for: a sha is what
 * it names. Undefined when the commit is not on the branch (it lost its race), or is no rollout.
 */
export async function rolloutOfCommit(on: Branch, sha: string): Promise<FoundRollout | undefined> {
  const { sha: head } = await on.head.read();
  const since = head === sha ? undefined : await on.store.git.compare(sha, head);
  if (since !== undefined && since.status !== 'ahead' && since.status !== 'identical') return undefined;
  const commit = await on.store.git.repositoryCommit(sha);
  const newer = lineOf(head, since?.commits ?? []).toReversed();
  return await foundRollout(on, { commit, newer });
}

/** The newest of the commits (of the branch's line, oldest first) that is our revert of this rollout. */
export async function findRevert(
  own: OwnCommits,
  line: readonly ListedCommit[],
  id: string,
): Promise<ListedCommit | undefined> {
  for (const commit of line.toReversed()) {
    if (trailer(commit.message, REVERTS_TRAILER) !== id) continue;
    if ((await own.originOf(commit)) === 'ours') return commit;
  }
  return undefined;
}

async function foundRollout(
  on: Branch,
  query: { readonly commit: ListedCommit; readonly newer: readonly ListedCommit[] },
): Promise<FoundRollout | undefined> {
  const { message } = query.commit;
  const id = trailer(message, ROLLOUT_ID_TRAILER);
  const name = trailer(message, ROLLOUT_TRAILER);
  if (id === undefined || name === undefined) return undefined;
  const commit = await recordOf(on.store, query.commit);
  // An adoption leaves the templates as they are, so that only releases can be checked against the tree.
  const inTree = commit.files.some(({ after }) => after.text.includes(id));
  if (!inTree && trailer(message, KIND_TRAILER) !== 'adoption') return undefined;
  const revert = await findRevert(on.own, query.newer, id);
  return {
    id,
    name,
    trailers: parseTrailers(message),
    commit,
    revert: revert && {
      sha: revert.sha,
      url: revert.url,
      how: 'made',
      trailers: parseTrailers(revert.message),
    },
  };
}

/** The record of a commit that was made in another run, its texts read from its own and its parent's tree. */
async function recordOf(store: ObjectStore, listed: ListedCommit): Promise<CommitRecord> {
  const { parents, changed } = await store.git.repositoryCommit(listed.sha);
  const parent = parents[0] ?? '';
  const before = parent === '' ? undefined : (await store.commit(parent)).tree;
  const files = await Promise.all(
    [...new Set(changed)].map(async (path): Promise<CommittedFile | undefined> => {
      const [old, after] = await Promise.all([
        before === undefined ? undefined : store.read(before, path),
        store.read(listed.tree, path),
      ]);
      // Our releases delete nothing; a path that is gone is the old name of a renamed one.
      return after && { path, before: old ?? null, after };
    }),
  );
  const { sha, tree, verified, url } = listed;
  return { sha, parent, tree, files: files.filter(file => file !== undefined), verified, url };
}
