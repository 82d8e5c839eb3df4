import { z } from 'zod';
import { EMPTY_SECRET } from '../../config/gitops-credentials.ts';
import type { RepositoryName } from '../../config/settings.ts';
import { Refusal } from '../../rollout/verdict.ts';
import type { GitHubClient } from '../client.ts';
import { refusalOf } from '../refusal.ts';

/** As whom the token that GitHub gives each job acts; it never reaches a second repository. */
const JOB_LOGIN = 'github-actions[bot]';
const NOT_REACHED: readonly string[] = ['repository-not-found', 'missing-permission', 'bad-credentials'];

interface ReachQuery {
  readonly client: GitHubClient;
  /** The GitOps repository. */
  readonly repository: RepositoryName;
  /** Of the workflow. */
  readonly own: RepositoryName;
  /** Whose the token is, where GitHub tells. */
  readonly login: string | undefined;
}

/**
 * For when the GitOps repository is another one and nothing was given for it, as with a secret that does not exist.
 * @throws Refusal `gitops-credentials-missing` when the input `token`, which is used then, does not reach it.
 */
export async function checkReach(on: ReachQuery): Promise<void> {
  if (on.login === JOB_LOGIN) throw credentialsMissing(on, '');
  const { client, repository } = on;
  try {
    await client.call({
      method: 'GET',
      route: '/repos/{owner}/{repo}',
      parameters: { ...repository },
      schema: z.unknown(),
      resend: 'repeat',
    });
  } catch (error) {
    const refusal = refusalOf(error, { repository, doing: 'read the repository' });
    // Anything else is told where the repository is worked with.
    if (refusal !== undefined && NOT_REACHED.includes(refusal.reason)) {
      throw credentialsMissing(on, ` ${refusal.detail}`, error);
    }
  }
}

function credentialsMissing({ repository, own }: ReachQuery, found: string, cause?: unknown): Refusal {
  return new Refusal(
    'gitops-credentials-missing',
    `Neither gitops-token nor an App was given for ${name(repository)}, so that the input token was used; the token of a job reaches its own repository only, ${name(own)}.${found}`,
    {
      remedy: `Give app-client-id and app-private-key, or gitops-token. If the workflow gives one, look at the name of the secret. ${EMPTY_SECRET}`,
      cause,
    },
  );
}

function name({ owner, repo }: RepositoryName): string {
  return `${owner}/${repo}`;
}
