import type { CommitRecord, CommittedFile } from '../rollout/ports.ts';
import type { ObjectStore } from './object-store.ts';

const COMMITS_PER_PAGE = 100;
/** Of the whole branch, where commits of several paths have to be put in order. */
const MAX_PAGES = 3;

/** A commit that somebody else made, as far as it is followed: some of its paths, and where they stood before. */
export interface FollowedCommit {
  readonly sha: string;
  readonly files: readonly {
    readonly path: string;
    /** The commit that holds the path as it was. */
    readonly before: string;
  }[];
}

/** Shas of the commits that touched one of the paths, newest first, as far back as one looks for them. */
export async function commitsTouching(
  store: ObjectStore,
  on: { readonly head: string; readonly paths: readonly string[] },
): Promise<readonly string[]> {
  const touching = await Promise.all(
    on.paths.map(path => store.git.history({ from: on.head, path, page: 1 })),
  );
  const [only] = touching;
  if (only && touching.length === 1) return only.map(({ sha }) => sha);
  const wanted = new Set(touching.flat().map(({ sha }) => sha));
  const inOrder: string[] = [];
  for (let page = 1; page <= MAX_PAGES && inOrder.length < wanted.size; page += 1) {
    const listed = await store.git.history({ from: on.head, page });
    inOrder.push(...listed.map(({ sha }) => sha).filter(sha => wanted.has(sha)));
    if (listed.length < COMMITS_PER_PAGE) break;
  }
  return inOrder;
}

/** The record of a commit of somebody else: only the paths that are followed, so that no other is ever reverted. */
export async function recordOfFollowed(store: ObjectStore, followed: FollowedCommit): Promise<CommitRecord> {
  const { sha, tree, parents, verified, url } = await store.commit(followed.sha);
  const files = await Promise.all(
    followed.files.map(async ({ path, before }): Promise<CommittedFile | undefined> => {
      const [old, after] = await Promise.all([
        store.commit(before).then(commit => store.read(commit.tree, path)),
        store.read(tree, path),
      ]);
      return after && { path, before: old ?? null, after };
    }),
  );
  return {
    sha,
    parent: parents[0] ?? '',
    tree,
    files: files.filter(file => file !== undefined),
    verified,
    url,
  };
}
