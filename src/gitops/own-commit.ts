import type { ListedCommit } from './git-data.ts';
import { REVERTS_TRAILER, trailer } from './trailers.ts';

/** By what our own commits are known. */
export interface OwnIdentity {
  /** The account that our token's commits are attributed to; undefined = not known, and then nothing is believed. */
  readonly login: string | undefined;
  /** GitHub signs our commits (App tokens): an unsigned one under our name is not ours. */
  readonly signs: boolean;
}

/**
 * Whether a commit was made by us. Trailers prove nothing by themselves: the text of a pull request becomes a commit
 * message when it is squashed, so anyone can plant them.
 */
export function isOwnCommit(commit: Pick<ListedCommit, 'author' | 'verified'>, own: OwnIdentity): boolean {
  if (own.login === undefined || commit.author === undefined) return false;
  return commit.author.toLowerCase() === own.login.toLowerCase() && (commit.verified || !own.signs);
}

/** The newest of the commits (given oldest first) that is our revert of this rollout. */
export function findRevert(
  commits: readonly ListedCommit[],
  query: { readonly id: string; readonly own: OwnIdentity },
): ListedCommit | undefined {
  return commits.findLast(
    commit => isOwnCommit(commit, query.own) && trailer(commit.message, REVERTS_TRAILER) === query.id,
  );
}
