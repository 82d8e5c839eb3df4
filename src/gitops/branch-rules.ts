import { z } from 'zod';
import type { RepositoryName } from '../config/settings.ts';
import type { GitHubClient } from '../github/client.ts';
import { statusOf } from '../github/http-errors.ts';
import { asRefusal } from '../github/refusal.ts';
import { Refusal } from '../rollout/verdict.ts';

const repositorySchema = z.object({
  archived: z.boolean().optional(),
  disabled: z.boolean().optional(),
  permissions: z.object({ push: z.boolean().optional() }).optional(),
});
const branchSchema = z.object({ commit: z.object({ sha: z.string() }), protected: z.boolean().optional() });
const ruleSchema = z.object({ type: z.string(), ruleset_source: z.string().optional() }).loose();

export interface BranchRules {
  /** A rule of the branch asks for signed commits. */
  readonly signatures: boolean;
  readonly warnings: readonly string[];
}

/**
 * Rules that no direct push passes (docs "Available rules for rulesets"). We cannot know whether our token may bypass
 * them, because GitHub shows that only to administrators; so they warn, and the push itself has the last word.
 */
const BLOCKING_RULES: Readonly<Record<string, string>> = {
  pull_request: 'changes only by pull request',
  update: 'updates only by those who may bypass the rule',
  merge_queue: 'changes only through the merge queue',
  required_status_checks: 'status checks before a commit is pushed',
  required_deployments: 'deployments before a commit is pushed',
  commit_message_pattern: 'a pattern for commit messages',
  commit_author_email_pattern: 'a pattern for the author’s email address',
  file_path_restriction: 'certain files never to be changed',
};

/**
 * What GitHub lets us know beforehand about committing to a branch.
 * @throws Refusal when the repository or branch cannot be found, or cannot be written to by anyone like us.
 */
export async function readBranchRules(query: {
  readonly client: GitHubClient;
  readonly repository: RepositoryName;
  readonly branch: string;
}): Promise<BranchRules> {
  const { client, repository, branch } = query;
  const name = `${repository.owner}/${repository.repo}`;
  const [about] = await Promise.all([
    asking(query, `read the repository`, () => getRepository(client, repository)),
    asking(query, `read the branch ${branch}`, () => getBranch(client, repository, branch)),
  ]);
  if (about.archived === true || about.disabled === true) {
    throw new Refusal(
      'missing-permission',
      `${name} is ${about.archived === true ? 'archived' : 'disabled'}: nobody can commit to it.`,
      {
        remedy: 'Unarchive it, or name the repository that Flux reads in gitops.repository.',
      },
    );
  }
  // For users and OAuth tokens GitHub says what the token's person may do; for Apps the field is absent or false.
  if (client.tokens.permissions()?.['contents'] === 'read') {
    throw new Refusal('missing-permission', `The token may read ${name}, but not write to it.`, {
      remedy: `Give it the permission contents: write on ${name}.`,
    });
  }
  const rules = await rulesOf(client, repository, branch);
  const blocking = rules.flatMap(({ type }) =>
    BLOCKING_RULES[type] === undefined ? [] : [BLOCKING_RULES[type]],
  );
  return {
    signatures: rules.some(({ type }) => type === 'required_signatures'),
    warnings:
      blocking.length === 0
        ? []
        : [
            `A ruleset of ${name} asks for ${blocking.join(' and ')} on ${branch}: our commit passes only if the token may bypass it.`,
          ],
  };
}

async function rulesOf(client: GitHubClient, repository: RepositoryName, branch: string) {
  try {
    return await client.call({
      method: 'GET',
      route: '/repos/{owner}/{repo}/rules/branches/{branch}',
      parameters: { ...repository, branch, per_page: 100 },
      schema: z.array(ruleSchema),
      resend: 'repeat',
      budgetMs: 10_000,
    });
  } catch (error) {
    // Old GitHub Enterprise Servers have no rulesets; not being told the rules is no reason not to try.
    if (statusOf(error) !== undefined) return [];
    throw asRefusal(error, { repository, doing: `read the rules of ${branch}` });
  }
}

function getRepository(client: GitHubClient, repository: RepositoryName) {
  return client.call({
    method: 'GET',
    route: '/repos/{owner}/{repo}',
    parameters: { ...repository },
    schema: repositorySchema,
    resend: 'repeat',
  });
}

function getBranch(client: GitHubClient, repository: RepositoryName, branch: string) {
  return client.call({
    method: 'GET',
    route: '/repos/{owner}/{repo}/branches/{branch}',
    parameters: { ...repository, branch },
    schema: branchSchema,
    resend: 'repeat',
  });
}

async function asking<T>(
  on: { readonly repository: RepositoryName },
  doing: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw asRefusal(error, { repository: on.repository, doing });
  }
}
