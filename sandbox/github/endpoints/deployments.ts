import { z } from 'zod';
import { isAncestor, mergedTree } from '../git/history.ts';
import type { GitHubState } from '../github-state.ts';
import { nodeId, simpleUser } from '../json/accounts.ts';
import { repositoryUrl } from '../json/repositories.ts';
import { paginate } from '../pagination.ts';
import { moveRef } from '../ref-updates.ts';
import type { DeploymentState, DeploymentStatusState, RepositoryState } from '../repository-state.ts';
import {
  type ApiAnswer,
  ApiError,
  type ApiRequest,
  notFound,
  parseBody,
  type Route,
  unprocessable,
  validationFailed,
} from '../router.ts';

function deploymentJson(state: GitHubState, repository: RepositoryState, deployment: DeploymentState) {
  const repositoryAddress = repositoryUrl(state, repository);
  const url = `${repositoryAddress}/deployments/${deployment.id}`;
  return {
    url,
    id: deployment.id,
    node_id: nodeId('Deployment', deployment.id),
    sha: deployment.sha,
    ref: deployment.ref,
    task: deployment.task,
    payload: deployment.payload,
    original_environment: deployment.environment,
    environment: deployment.environment,
    description: deployment.description,
    creator: simpleUser(state, deployment.creator),
    created_at: deployment.createdAt,
    updated_at: deployment.updatedAt,
    statuses_url: `${url}/statuses`,
    repository_url: repositoryAddress,
    transient_environment: deployment.transient,
    production_environment: deployment.production,
  };
}

function statusJson(
  state: GitHubState,
  repository: RepositoryState,
  deployment: DeploymentState,
  status: DeploymentStatusState,
) {
  const { url, repository_url, statuses_url } = deploymentJson(state, repository, deployment);
  return {
    url: `${statuses_url}/${status.id}`,
    id: status.id,
    node_id: nodeId('DeploymentStatus', status.id),
    state: status.state,
    creator: simpleUser(state, status.creator),
    description: status.description,
    environment: status.environment,
    target_url: status.logUrl,
    log_url: status.logUrl,
    environment_url: status.environmentUrl,
    created_at: status.createdAt,
    updated_at: status.createdAt,
    deployment_url: url,
    repository_url,
  };
}

const deploymentSchema = z.object({
  ref: z.string(),
  task: z.string().default('deploy'),
  auto_merge: z.boolean().default(true),
  required_contexts: z.array(z.string()).optional(),
  payload: z.union([z.record(z.string(), z.unknown()), z.string()]).default({}),
  environment: z.string().default('production'),
  description: z.string().max(140).nullable().default(''),
  transient_environment: z.boolean().default(false),
  production_environment: z.boolean().optional(),
});

/** Spec: `auto_merge` first brings the default branch into the ref when the ref is behind: 202, no deployment. */
async function autoMerge(state: GitHubState, repository: RepositoryState, ref: string, login: string) {
  const name = `refs/heads/${ref}`;
  const branch = await repository.git.ref(name);
  const main = await repository.git.ref(`refs/heads/${repository.defaultBranch}`);
  if (branch === undefined || main === undefined) return undefined;
  if (await isAncestor(repository.git, main.sha, branch.sha)) return undefined;
  const tree = await mergedTree(repository.git, branch.sha, main.sha);
  const refused = new ApiError(409, `Conflict merging ${repository.defaultBranch} into ${ref}.`);
  if (tree === undefined) throw refused;
  const author = { name: login, email: state.noreplyAddress(login), date: state.timestamp() };
  const message = `Merge branch '${repository.defaultBranch}' into ${ref}\n`;
  const parents = [branch.sha, main.sha];
  const commit = await repository.git.writeCommit({ tree, parents, author, committer: author, message });
  if (!(await moveRef(state, repository, { name, from: branch.sha, to: commit.sha, by: login })))
    throw refused;
  return { message: `Auto-merged ${repository.defaultBranch} into ${ref} on deployment.` };
}

/** Spec: without `required_contexts` everything reported on the commit must be green; `[]` asks for nothing. */
function requireContexts(repository: RepositoryState, sha: string, wanted: readonly string[] | undefined) {
  const runs = [...repository.checkRuns.values()].filter(run => run.headSha === sha);
  const green = (name: string) =>
    runs.some(
      run => run.name === name && ['success', 'neutral', 'skipped'].includes(run.conclusion ?? 'pending'),
    );
  const contexts = wanted ?? [...new Set(runs.map(run => run.name))];
  const missing = contexts.filter(name => !green(name));
  if (missing.length === 0) return;
  throw new ApiError(409, `Conflict: Commit status checks failed for ${sha}`, {
    errors: missing.map(context => ({ resource: 'Deployment', field: 'required_contexts', code: context })),
  });
}

async function createDeployment(state: GitHubState, request: ApiRequest): Promise<ApiAnswer> {
  const repository = state.repositoryOf(request);
  if (request.identity === undefined) throw notFound();
  const body = parseBody(deploymentSchema, request);
  const commit = await repository.git.resolveCommit(body.ref);
  if (commit === undefined) throw unprocessable(`No ref found for: ${body.ref}`);
  const { login } = request.identity;
  const merged = body.auto_merge ? await autoMerge(state, repository, body.ref, login) : undefined;
  if (merged !== undefined) return { status: 202, body: merged };
  requireContexts(repository, commit.sha, body.required_contexts);
  const now = state.timestamp();
  const deployment: DeploymentState = {
    id: state.newId(),
    sha: commit.sha,
    ref: body.ref,
    task: body.task,
    payload: body.payload,
    environment: body.environment,
    description: body.description,
    creator: login,
    transient: body.transient_environment,
    production: body.production_environment ?? body.environment === 'production',
    createdAt: now,
    updatedAt: now,
    statuses: [],
  };
  repository.deployments.set(deployment.id, deployment);
  const answer = deploymentJson(state, repository, deployment);
  return { status: 201, body: answer, headers: { location: answer.url } };
}

function findDeployment(state: GitHubState, request: ApiRequest) {
  const repository = state.repositoryOf(request);
  const deployment = repository.deployments.get(Number(request.parameters['deployment_id']));
  if (deployment === undefined) throw notFound();
  return { repository, deployment };
}

const statusSchema = z.object({
  state: z.enum(['error', 'failure', 'inactive', 'in_progress', 'queued', 'pending', 'success']),
  target_url: z.string().default(''),
  log_url: z.string().default(''),
  description: z.string().default(''),
  environment: z.string().optional(),
  environment_url: z.string().default(''),
  auto_inactive: z.boolean().default(true),
});

/** Spec: only earlier successes of the same environment, neither transient nor production, become inactive. */
function makeOthersInactive(state: GitHubState, repository: RepositoryState, current: DeploymentState): void {
  for (const other of repository.deployments.values()) {
    const kept = other.id === current.id || other.transient || other.production;
    if (kept || other.environment !== current.environment) continue;
    const last = other.statuses.at(-1);
    if (last?.state === 'success') {
      const createdAt = state.timestamp();
      other.statuses.push({ ...last, id: state.newId(), state: 'inactive', createdAt });
    }
  }
}

function createStatus(state: GitHubState, request: ApiRequest): ApiAnswer {
  const { repository, deployment } = findDeployment(state, request);
  if (request.identity === undefined) throw notFound();
  const body = parseBody(statusSchema, request);
  if (body.description.length > 140) {
    const message = 'description is too long (maximum is 140 characters)';
    throw validationFailed('DeploymentStatus', 'description', message);
  }
  const status: DeploymentStatusState = {
    id: state.newId(),
    state: body.state,
    creator: request.identity.login,
    description: body.description,
    environment: body.environment ?? deployment.environment,
    logUrl: body.log_url === '' ? body.target_url : body.log_url, // log_url replaces target_url (spec)
    environmentUrl: body.environment_url,
    createdAt: state.timestamp(),
  };
  deployment.statuses.push(status);
  deployment.updatedAt = status.createdAt;
  if (status.state === 'success' && body.auto_inactive) makeOthersInactive(state, repository, deployment);
  const answer = statusJson(state, repository, deployment, status);
  return { status: 201, body: answer, headers: { location: answer.url } };
}

function listDeployments(state: GitHubState, request: ApiRequest): ApiAnswer {
  const repository = state.repositoryOf(request);
  const is = (field: string, value: string) => (request.query.get(field) ?? value) === value;
  const deployments = [...repository.deployments.values()]
    .filter(({ sha, ref, task, environment }) => {
      return is('sha', sha) && is('ref', ref) && is('task', task) && is('environment', environment);
    })
    .reverse();
  const { items, headers } = paginate(request, deployments, state.urls.api);
  return { status: 200, body: items.map(item => deploymentJson(state, repository, item)), headers };
}

function listStatuses(state: GitHubState, request: ApiRequest): ApiAnswer {
  const { repository, deployment } = findDeployment(state, request);
  const { items, headers } = paginate(request, deployment.statuses.toReversed(), state.urls.api);
  return { status: 200, body: items.map(item => statusJson(state, repository, deployment, item)), headers };
}

function getDeployment(state: GitHubState, request: ApiRequest): ApiAnswer {
  const { repository, deployment } = findDeployment(state, request);
  return { status: 200, body: deploymentJson(state, repository, deployment) };
}

function getStatus(state: GitHubState, request: ApiRequest): ApiAnswer {
  const { repository, deployment } = findDeployment(state, request);
  const status = deployment.statuses.find(known => String(known.id) === request.parameters['status_id']);
  if (status === undefined) throw notFound();
  return { status: 200, body: statusJson(state, repository, deployment, status) };
}

/** Deployments and their statuses. */
export function deploymentRoutes(state: GitHubState): Route[] {
  const all = '/repos/{owner}/{repo}/deployments';
  const one = `${all}/{deployment_id}`;
  const statuses = `${one}/statuses`;
  const read = [{ permission: 'deployments', access: 'read' }] as const;
  const write = [{ permission: 'deployments', access: 'write' }] as const;
  return [
    { method: 'POST', template: all, needs: write, handle: r => createDeployment(state, r) },
    { method: 'GET', template: all, needs: read, handle: r => listDeployments(state, r) },
    { method: 'GET', template: one, needs: read, handle: r => getDeployment(state, r) },
    { method: 'POST', template: statuses, needs: write, handle: r => createStatus(state, r) },
    { method: 'GET', template: statuses, needs: read, handle: r => listStatuses(state, r) },
    { method: 'GET', template: `${statuses}/{status_id}`, needs: read, handle: r => getStatus(state, r) },
  ];
}
