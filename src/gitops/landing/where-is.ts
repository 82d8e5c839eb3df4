import { httpFailure } from '../../github/http-errors.ts';
import { jitteredDelay } from '../../github/retry.ts';
import type { GitData } from '../git-data.ts';

/** How long a commit is looked for when nobody said whether the branch was moved to it, ms: longer than replicas lag. */
const LOOK_MS = 20_000;

/**
 * `on`: the branch holds it. `off`: the branch went another way, so that the update can never take effect any more.
 * `unknown`: the branch does not show it, which may be the past, or could not be read.
 */
export type Whereabouts = 'on' | 'off' | 'unknown';

/** Whether a commit that was sent to a branch is on it. Never throws for what GitHub answers. */
export async function whereIs(on: {
  readonly git: GitData;
  readonly branch: string;
  readonly sha: string;
}): Promise<Whereabouts> {
  const { clock, random } = on.git.client;
  const end = clock.now() + LOOK_MS;
  for (let attempt = 0; ; attempt += 1) {
    const status = await relation(on);
    if (status === 'identical' || status === 'ahead') return 'on';
    if (status === 'diverged') return 'off';
    const delay = 500 + jitteredDelay(attempt, { random, maxDelayMs: 2_000 });
    if (clock.now() + delay > end) return 'unknown';
    await clock.sleep(delay);
  }
}

async function relation(on: Parameters<typeof whereIs>[0]) {
  try {
    return (await on.git.compare(on.sha, on.branch, { budgetMs: LOOK_MS })).status;
  } catch (error) {
    if (httpFailure(error) === undefined) throw error;
    return undefined;
  }
}
