import { z } from 'zod';
import type { RepositoryName } from '../config/settings.ts';
import type { GitHubClient } from './client.ts';

const pullsSchema = z.array(z.object({ number: z.number() }));

/** Right after a merge the association of commit and pull request lags (facts of GitHub), ms. */
const WAITS_MS = [2_000, 4_000];
const MAX_COMMITS = 5;
const MAX_PULLS = 10;

/**
 * The pull requests that brought these commits, newest commit first. Waits a little for the association when none is
 * known yet.
 */
export async function pullRequestsOf(on: {
  readonly client: GitHubClient;
  readonly repository: RepositoryName;
  readonly commits: readonly string[];
}): Promise<readonly number[]> {
  const { client, repository } = on;
  for (let attempt = 0; ; attempt += 1) {
    const numbers = new Set<number>();
    for (const sha of on.commits.slice(0, MAX_COMMITS)) {
      const pulls = await client.call({
        method: 'GET',
        route: '/repos/{owner}/{repo}/commits/{commit_sha}/pulls',
        parameters: { ...repository, commit_sha: sha, per_page: MAX_PULLS },
        schema: pullsSchema,
        resend: 'repeat',
        budgetMs: 15_000,
      });
      for (const { number } of pulls) numbers.add(number);
    }
    const wait = WAITS_MS[attempt];
    if (numbers.size > 0 || wait === undefined) return [...numbers].slice(0, MAX_PULLS);
    await client.clock.sleep(wait);
  }
}
