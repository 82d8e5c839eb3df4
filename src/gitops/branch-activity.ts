import { z } from 'zod';
import type { GitData } from './git-data.ts';

/** How a branch was moved, by GitHub's own record: nobody but GitHub writes it. */
export interface BranchMove {
  readonly before: string;
  readonly after: string;
  /** `push`, `force_push`, `pr_merge`, `merge_queue_merge`, `branch_creation`, … */
  readonly kind: string;
  /** Login of whose token or hand it was. */
  readonly by: string | undefined;
}

/** It proves who made a commit, and must not hold a run up for long, ms. */
const BUDGET_MS = 5_000;

const movesSchema = z.array(
  z.object({
    before: z.string(),
    after: z.string(),
    activity_type: z.string(),
    actor: z.object({ login: z.string() }).nullable(),
  }),
);

/**
 * The newest hundred moves of a branch, newest first (docs "List repository activities"; contents:read). Undefined when
 * GitHub does not tell.
 */
export async function movesOf(git: GitData, branch: string): Promise<readonly BranchMove[] | undefined> {
  try {
    const answer = await git.client.call({
      method: 'GET',
      route: '/repos/{owner}/{repo}/activity',
      parameters: { ...git.repository, ref: `refs/heads/${branch}`, per_page: 100 },
      schema: movesSchema,
      resend: 'repeat',
      budgetMs: BUDGET_MS,
    });
    return answer.map(({ before, after, activity_type: kind, actor }) => ({
      before,
      after,
      kind,
      by: actor?.login,
    }));
  } catch {
    // Whatever the reason, it proves nothing; what depends on it is not believed.
    return undefined;
  }
}
