import { z } from 'zod';
import type { RepositoryName } from '../config/settings.ts';

/** The workflow run that this process is part of, from the runner's variables. */
export interface WorkflowRun {
  /** Where the workflow runs: the source repository. */
  readonly repository: RepositoryName;
  /** GITHUB_SHA; which commit is released is decided from the event, not from this. */
  readonly sha: string;
  readonly ref: string;
  readonly runId: string;
  readonly runAttempt: string;
  readonly serverUrl: string;
  readonly apiUrl: string;
  readonly graphqlUrl: string;
  /** The page of this attempt. */
  readonly runUrl: string;
  readonly event: string;
  /** RUNNER_TEMP. */
  readonly temp: string;
  /** GITHUB_WORKSPACE. */
  readonly workspace: string;
  readonly job: string;
}

/** The process was not started by a runner of GitHub Actions, or by one that leaves out what is needed. */
export class WorkflowEnvironmentError extends Error {
  override readonly name = 'WorkflowEnvironmentError';
}

const text = z.string().min(1);
const url = z.url().transform(value => value.replace(/\/+$/, ''));
const environment = z.object({
  GITHUB_REPOSITORY: z.string().regex(/^[^/\s]+\/[^/\s]+$/, 'is not owner/repo'),
  GITHUB_SHA: z.string().regex(/^[0-9a-f]{40}([0-9a-f]{24})?$/, 'is not a commit sha'),
  GITHUB_REF: z.string().default(''),
  GITHUB_RUN_ID: z.string().regex(/^\d+$/, 'is not a number'),
  GITHUB_RUN_ATTEMPT: z.string().regex(/^\d+$/, 'is not a number').default('1'),
  GITHUB_SERVER_URL: url.default('https://github.com'),
  GITHUB_API_URL: url.default('https://api.github.com'),
  GITHUB_GRAPHQL_URL: url.optional(),
  GITHUB_EVENT_NAME: text,
  GITHUB_JOB: z.string().default(''),
  RUNNER_TEMP: text,
  GITHUB_WORKSPACE: text,
});

/** @throws WorkflowEnvironmentError naming every variable that is missing or wrong. */
export function readWorkflowRun(env: Readonly<Record<string, string | undefined>>): WorkflowRun {
  const given = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = environment.safeParse(given);
  if (!parsed.success) throw new WorkflowEnvironmentError(problemText(parsed.error.issues, given));
  const { data } = parsed;
  const [owner = '', repo = ''] = data.GITHUB_REPOSITORY.split('/');
  const attempt = `attempts/${data.GITHUB_RUN_ATTEMPT}`;
  return {
    repository: { owner, repo },
    sha: data.GITHUB_SHA,
    ref: data.GITHUB_REF,
    runId: data.GITHUB_RUN_ID,
    runAttempt: data.GITHUB_RUN_ATTEMPT,
    serverUrl: data.GITHUB_SERVER_URL,
    apiUrl: data.GITHUB_API_URL,
    graphqlUrl: data.GITHUB_GRAPHQL_URL ?? graphqlOf(data.GITHUB_API_URL),
    runUrl: `${data.GITHUB_SERVER_URL}/${owner}/${repo}/actions/runs/${data.GITHUB_RUN_ID}/${attempt}`,
    event: data.GITHUB_EVENT_NAME,
    temp: data.RUNNER_TEMP,
    workspace: data.GITHUB_WORKSPACE,
    job: data.GITHUB_JOB,
  };
}

/** GitHub Enterprise Server has REST at /api/v3 and GraphQL at /api/graphql. */
function graphqlOf(apiUrl: string): string {
  return apiUrl.endsWith('/api/v3') ? apiUrl.replace(/\/v3$/, '/graphql') : `${apiUrl}/graphql`;
}

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

function problemText(issues: readonly Issue[], env: Readonly<Record<string, string | undefined>>): string {
  const problems = issues.map(({ path, message }) => {
    const name = String(path[0] ?? '');
    return env[name] === undefined ? `${name} is not set` : `${name} ${message} (${env[name]})`;
  });
  return `Gated Rollout runs as a step of GitHub Actions, which sets these variables: ${problems.join('; ')}.`;
}
