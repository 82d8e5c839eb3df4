import type { CommitRecord, CommittedFile, RevertRecord } from '../rollout/ports.ts';
import type { ListedCommit } from './git-data.ts';
import type { BranchHead } from './landing/branch-head.ts';
import type { ObjectStore } from './object-store.ts';
import { findRevert, isOwnCommit, type OwnIdentity } from './own-commit.ts';
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

export interface HistoryQuery {
  /** Files or folders that the rollouts touch; none = the whole branch. One request each for 100 commits. */
  readonly paths: readonly string[];
  /** How many commits of each path's history are looked at; default 100. */
  readonly commits?: number;
  /** Only rollouts of this name. */
  readonly name?: string;
  /** The newest so many; default 5. Each costs a few requests more, for its files. */
  readonly max?: number;
}

export interface Branch {
  readonly store: ObjectStore;
  readonly branch: string;
  /** Reads of the branch; what this run wrote is never missing from them. */
  readonly head: BranchHead;
  readonly own: OwnIdentity;
}

const COMMITS_PER_PAGE = 100;
/** Without paths the history is everybody's: then a few pages more are worth it. */
const COMMITS_OF_BRANCH = 300;
/** What a stamped revert appends to the id that it takes back (run/rollout-id.ts). */
const REVERT_ID_SUFFIX = '-revert';
const KIND_TRAILER = 'Gated-Rollout-Kind';

/**
 * Rollouts whose commits are on the branch, newest first, reverted or not. Commits that are not ours by author and
 * signature are passed over, whatever their messages say; so are commits whose id is not in the tree.
 * @throws errors of the calls to GitHub (see `httpFailure`).
 */
export async function findRollouts(on: Branch, query: HistoryQuery): Promise<readonly FoundRollout[]> {
  const { sha: head } = await on.head.read();
  const histories = await Promise.all(
    (query.paths.length === 0 ? [undefined] : query.paths).map(path =>
      historyOf(on, { head, path, commits: query.commits ?? COMMITS_PER_PAGE, until: () => false }),
    ),
  );
  const commits = [...new Map(histories.flat().map(commit => [commit.sha, commit])).values()];
  const found: FoundRollout[] = [];
  for (const commit of commits.filter(listed => isRollout(listed, on.own))) {
    if (query.name !== undefined && trailer(commit.message, ROLLOUT_TRAILER) !== query.name) continue;
    const rollout = await foundRollout(on, { commit, newer: commits });
    if (rollout !== undefined) found.push(rollout);
    if (found.length >= (query.max ?? 5)) break;
  }
  return found;
}

/**
 * The commit of ours on the branch that put this id on a pod template: a release's own, or the stamped revert of the
 * release whose id it extends.
 */
export async function shaOfId(on: Branch, id: string): Promise<string | undefined> {
  const { sha: head } = await on.head.read();
  const reverted = id.endsWith(REVERT_ID_SUFFIX) ? id.slice(0, -REVERT_ID_SUFFIX.length) : undefined;
  const isIt = (commit: ListedCommit): boolean => {
    if (!isOwnCommit(commit, on.own)) return false;
    if (trailer(commit.message, ROLLOUT_ID_TRAILER) === id) return true;
    return reverted !== undefined && trailer(commit.message, REVERTS_TRAILER) === reverted;
  };
  const commits = await historyOf(on, { head, path: undefined, commits: COMMITS_OF_BRANCH, until: isIt });
  return commits.find(isIt)?.sha;
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
  return await foundRollout(on, { commit, newer: (since?.commits ?? []).toReversed() });
}

/** Newest first; pages are read until there are enough, or `until` says so of one. */
async function historyOf(
  { store }: Branch,
  query: {
    readonly head: string;
    readonly path: string | undefined;
    readonly commits: number;
    readonly until: (commit: ListedCommit) => boolean;
  },
): Promise<readonly ListedCommit[]> {
  const commits: ListedCommit[] = [];
  for (let page = 1; commits.length < query.commits; page += 1) {
    const path = query.path === undefined ? {} : { path: query.path };
    const listed = await store.git.history({ from: query.head, page, ...path });
    commits.push(...listed);
    if (listed.length < COMMITS_PER_PAGE || listed.some(query.until)) break;
  }
  return commits.slice(0, query.commits);
}

function isRollout(commit: ListedCommit, own: OwnIdentity): boolean {
  return isOwnCommit(commit, own) && trailer(commit.message, ROLLOUT_ID_TRAILER) !== undefined;
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
  const revert = findRevert(query.newer.toReversed(), { id, own: on.own });
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
