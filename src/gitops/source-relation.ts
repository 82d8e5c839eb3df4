import type { RepositoryName } from '../config/settings.ts';
import type { GitHubClient } from '../github/client.ts';
import { statusOf } from '../github/http-errors.ts';
import { asRefusal } from '../github/refusal.ts';
import { GitData } from './git-data.ts';
import { type Origin, OwnCommits } from './own-commit.ts';
import { REVERTS_TRAILER, ROLLOUT_TRAILER, trailer } from './trailers.ts';

export type CommitRelation = 'identical' | 'ahead' | 'behind' | 'diverged';

/**
 * Where `head` stands from `base`, for the rule that an old release never overtakes a newer one. Undefined when
 * GitHub does not know one of them (a rewritten branch, another repository).
 * @throws Refusal when GitHub does not let us ask.
 */
export async function relation(
  client: GitHubClient,
  repository: RepositoryName,
  base: string,
  head: string,
): Promise<CommitRelation | undefined> {
  if (base === head) return 'identical';
  try {
    return (await new GitData(client, repository).compare(base, head)).status;
  } catch (error) {
    const status = statusOf(error);
    if (status === 404 || status === 422) return undefined;
    throw asRefusal(error, { repository, doing: `compare ${base} with ${head}` });
  }
}

/**
 * Who made a source commit: releasing one of our own would start the next one, for ever. Without our trailers it is
 * nobody's of us; with them only what GitHub vouches for counts, because a squash copies any text.
 * @throws Refusal when GitHub does not let us read the commit.
 */
export async function originOfSource(query: {
  readonly client: GitHubClient;
  readonly repository: RepositoryName;
  readonly branch: string;
  readonly sha: string;
  /** The account that our commits are attributed to, if that is known. */
  readonly login: string | undefined;
}): Promise<Origin> {
  const { client, repository, branch, sha, login } = query;
  try {
    const git = new GitData(client, repository);
    const commit = await git.repositoryCommit(sha);
    const named = [ROLLOUT_TRAILER, REVERTS_TRAILER].some(
      name => trailer(commit.message, name) !== undefined,
    );
    return named ? await new OwnCommits({ git, branch, login }).originOf(commit) : 'foreign';
  } catch (error) {
    throw asRefusal(error, { repository, doing: `read the commit ${sha}` });
  }
}
