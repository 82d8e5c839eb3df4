import type { GitHubClient } from './client.ts';
import { isUncertain } from './http-errors.ts';
import { retryDelay } from './retry.ts';

/**
 * Makes something that GitHub would gladly make twice (a check run, a comment, a Deployment). When an answer was lost
 * it is looked for before it is sent again. `found`: a lost answer had made it.
 * @throws the last error when the budget (ms) is used up, or sending again would not help.
 */
export async function createOnce<T>(
  client: Pick<GitHubClient, 'clock' | 'random'>,
  on: {
    readonly create: () => Promise<T>;
    readonly find: () => Promise<T | undefined>;
    readonly budgetMs: number;
  },
): Promise<{ readonly how: 'made' | 'found'; readonly made: T }> {
  const { clock, random } = client;
  const policy = { clock, random, budgetMs: on.budgetMs, maxDelayMs: 5_000 };
  const end = clock.now() + on.budgetMs;
  for (let attempt = 0; ; attempt += 1) {
    try {
      return { how: 'made', made: await on.create() };
    } catch (error) {
      const delay = retryDelay(error, attempt, policy);
      if (delay === undefined || clock.now() + delay > end) throw error;
      await clock.sleep(delay);
      const found = isUncertain(error) ? await on.find() : undefined;
      if (found !== undefined) return { how: 'found', made: found };
    }
  }
}
