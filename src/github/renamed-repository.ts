import { z } from 'zod';
import type { RepositoryName } from '../config/settings.ts';
import type { GitHubClient } from './client.ts';
import { statusOf } from './http-errors.ts';
import { asRefusal } from './refusal.ts';

const repositorySchema = z.object({ id: z.number() });
const BUDGET_MS = 15_000;

/**
 * Whether another name is a former one of a repository: GitHub leads a former name on to the repository that has it now,
 * and the id stays through all renames and transfers.
 * @returns a question; each name is asked for once. It throws Refusal when GitHub does not let us read our own.
 */
export function renamedRepository(
  client: GitHubClient,
  repository: RepositoryName,
): (other: RepositoryName) => Promise<boolean> {
  const ids = new Map<string, Promise<number | undefined>>();
  const idOf = ({ owner, repo }: RepositoryName): Promise<number | undefined> => {
    const key = `${owner}/${repo}`.toLowerCase();
    const id =
      ids.get(key) ??
      client
        .call({
          method: 'GET',
          route: '/repos/{owner}/{repo}',
          parameters: { owner, repo },
          schema: repositorySchema,
          resend: 'repeat',
          budgetMs: BUDGET_MS,
        })
        .then(
          found => found.id,
          (error: unknown) => {
            // What we may not see is not what we may commit to.
            if ([403, 404, 451].includes(statusOf(error) ?? 0)) return undefined;
            throw asRefusal(error, { repository, doing: `read the repository ${key}` });
          },
        );
    ids.set(key, id);
    return id;
  };
  return async other => {
    const [ours, theirs] = await Promise.all([idOf(repository), idOf(other)]);
    return ours !== undefined && ours === theirs;
  };
}
