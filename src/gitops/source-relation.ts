import type { RepositoryName } from '../config/settings.ts';
import type { GitHubClient } from '../github/client.ts';
import { statusOf } from '../github/http-errors.ts';
import { asRefusal } from '../github/refusal.ts';
import { GitData } from './git-data.ts';
import { isOwnCommit, type OwnIdentity } from './own-commit.ts';
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
 * Whether a source commit is one that we made ourselves: releasing it would start the next one, for ever. When our own
 * login is not known the trailers alone decide, for then the worst that planted ones do is that nothing is written.
 * @throws Refusal when GitHub does not let us read the commit.
 */
export async function isOwnSourceCommit(query: {
  readonly client: GitHubClient;
  readonly repository: RepositoryName;
  readonly sha: string;
  readonly own: OwnIdentity;
}): Promise<boolean> {
  const { client, repository, sha, own } = query;
  try {
    const commit = await new GitData(client, repository).repositoryCommit(sha);
    const named = [ROLLOUT_TRAILER, REVERTS_TRAILER].some(
      name => trailer(commit.message, name) !== undefined,
    );
    return named && (own.login === undefined || isOwnCommit(commit, own));
  } catch (error) {
    throw asRefusal(error, { repository, doing: `read the commit ${sha}` });
  }
}
