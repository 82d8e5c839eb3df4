import type { CommitRecord, CommittedFile } from '../rollout/ports.ts';
import { branchLine, landings } from './branch-line.ts';
import type { ObjectStore } from './object-store.ts';

/** How far back in the whole branch one looks for how commits came onto it. */
const MAX_COMMITS = 300;

/** A commit that somebody else made, as far as it is followed: some of its paths, and where they stood before. */
export interface FollowedCommit {
  readonly sha: string;
  readonly files: readonly {
    readonly path: string;
    /** The commit that holds the path as it was. */
    readonly before: string;
  }[];
}

/**
 * Shas of the commits that changed one of the paths on the branch, newest first, as far back as one looks for them: of
 * what came by a merge, the merge. So the first parent of each is what the branch said before.
 */
export async function commitsTouching(
  store: ObjectStore,
  on: { readonly head: string; readonly paths: readonly string[] },
): Promise<readonly string[]> {
  const [history, ...touching] = await Promise.all([
    branchLine(store.git, on.head, MAX_COMMITS),
    ...on.paths.map(path => store.git.history({ from: on.head, path, page: 1 })),
  ]);
  return landings(history, new Set(touching.flat().map(({ sha }) => sha)));
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
