import { z } from 'zod';
import type { GitHubClient } from './client.ts';

const viewerSchema = z.object({ viewer: z.object({ login: z.string() }) });
const userSchema = z.object({ login: z.string() });

/**
 * Under which login our commits and comments appear (`my-app[bot]`, `github-actions[bot]`, a person); undefined when
 * GitHub does not tell. An App's comes from its installation; for a given token GraphQL's `viewer` answers
 * installation tokens too, which REST's /user refuses.
 */
export async function ownLogin(client: GitHubClient): Promise<string | undefined> {
  return (await quietly(() => client.tokens.login())) ?? (await viewer(client)) ?? (await user(client));
}

async function viewer(client: GitHubClient): Promise<string | undefined> {
  const answer = await quietly(() => client.octokit.graphql('query { viewer { login } }'));
  const parsed = viewerSchema.safeParse(answer);
  return parsed.success ? parsed.data.viewer.login : undefined;
}

async function user(client: GitHubClient): Promise<string | undefined> {
  const answer = await quietly(() =>
    client.call({ method: 'GET', route: '/user', schema: userSchema, resend: 'repeat', budgetMs: 5_000 }),
  );
  return answer?.login;
}

/** Not knowing the login costs only the belief in older commits and comments, so no failure is worth stopping for. */
async function quietly<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch {
    return undefined;
  }
}
