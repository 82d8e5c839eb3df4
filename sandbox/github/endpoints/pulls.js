import { z } from 'zod';
import { pullRequestJson, pullRequestSimple } from '../json/pull-requests.js';
import { paginate } from '../pagination.js';
import { findPullRequest, mergePullRequest, openPullRequest, pullRequestsOf } from '../pull-requests.js';
import { ownerOf } from '../repository-state.js';
import { ApiError, notFound, parseBody } from '../router.js';
const newPull = z.object({
  title: z.string(),
  head: z.string(),
  base: z.string(),
  body: z.string().nullable().optional(),
  draft: z.boolean().optional(),
  maintainer_can_modify: z.boolean().optional(),
});
async function createPull(state, request) {
  const repository = state.repositoryOf(request);
  if (request.identity === undefined) throw notFound();
  const { maintainer_can_modify: modify, body, draft, ...wanted } = parseBody(newPull, request);
  const pull = await openPullRequest(state, repository, {
    ...wanted,
    ...(body === undefined ? {} : { body }),
    ...(draft === undefined ? {} : { draft }),
    ...(modify === undefined ? {} : { maintainerCanModify: modify }),
    user: request.identity.login,
  });
  const answer = await pullRequestJson(state, repository, pull, request.identity);
  return { status: 201, body: answer, headers: { location: answer.url } };
}
function listPulls(state, request) {
  const repository = state.repositoryOf(request);
  const wantedState = request.query.get('state') ?? 'open';
  const head = request.query.get('head');
  const base = request.query.get('base');
  const oldestFirst = request.query.get('direction') === 'asc';
  const pulls = [...repository.pulls.values()]
    .filter(pull => wantedState === 'all' || pull.state === wantedState)
    // `head` without an owner is ignored (docs: "in the format of user:ref-name").
    .filter(pull => head?.includes(':') !== true || head === `${ownerOf(repository)}:${pull.headRef}`)
    .filter(pull => base === null || base === pull.baseRef)
    .sort((a, b) => (oldestFirst ? a.number - b.number : b.number - a.number));
  const { items, headers } = paginate(request, pulls, state.urls.api);
  const body = items.map(pull => pullRequestSimple(state, repository, pull, request.identity));
  return { status: 200, body, headers };
}
async function getPull(state, request) {
  const repository = state.repositoryOf(request);
  const pull = findPullRequest(repository, Number(request.parameters['pull_number']));
  return { status: 200, body: await pullRequestJson(state, repository, pull, request.identity) };
}
const pullUpdate = z.object({
  title: z.string().optional(),
  body: z.string().nullable().optional(),
  state: z.enum(['open', 'closed']).optional(),
  base: z.string().optional(),
  maintainer_can_modify: z.boolean().optional(),
});
async function updatePull(state, request) {
  const repository = state.repositoryOf(request);
  const pull = findPullRequest(repository, Number(request.parameters['pull_number']));
  const update = parseBody(pullUpdate, request);
  if (update.state === 'open' && pull.merge !== undefined) {
    const message = 'state cannot be changed. The pull request cannot be reopened.';
    throw new ApiError(422, 'Validation Failed', {
      errors: [{ resource: 'PullRequest', code: 'custom', field: 'state', message }],
    });
  }
  pull.title = update.title ?? pull.title;
  if (update.body !== undefined) pull.body = update.body;
  pull.baseRef = update.base ?? pull.baseRef;
  pull.maintainerCanModify = update.maintainer_can_modify ?? pull.maintainerCanModify;
  pull.updatedAt = state.timestamp();
  if (update.state !== undefined && update.state !== pull.state) {
    pull.state = update.state;
    pull.closedAt = update.state === 'closed' ? state.timestamp() : null;
  }
  return { status: 200, body: await pullRequestJson(state, repository, pull, request.identity) };
}
const mergeRequest = z.object({
  commit_title: z.string().optional(),
  commit_message: z.string().optional(),
  sha: z.string().optional(),
  merge_method: z.enum(['merge', 'squash', 'rebase']).default('merge'),
});
async function mergePull(state, request) {
  const repository = state.repositoryOf(request);
  if (request.identity === undefined) throw notFound();
  const pull = findPullRequest(repository, Number(request.parameters['pull_number']));
  const wanted = parseBody(mergeRequest, request);
  if (wanted.sha !== undefined && wanted.sha !== pull.headSha) {
    throw new ApiError(409, 'Head branch was modified. Review and try the merge again.');
  }
  const sha = await mergePullRequest(state, repository, pull, {
    method: wanted.merge_method,
    by: request.identity.login,
    ...(wanted.commit_title === undefined ? {} : { title: wanted.commit_title }),
    ...(wanted.commit_message === undefined ? {} : { message: wanted.commit_message }),
  });
  return { status: 200, body: { sha, merged: true, message: 'Pull Request successfully merged' } };
}
async function pullsOfCommit(state, request) {
  const repository = state.repositoryOf(request);
  const name = request.parameters['commit_sha'] ?? '';
  const commit = await repository.git.resolveCommit(name);
  if (commit === undefined) throw new ApiError(422, `No commit found for SHA: ${name}`);
  const pulls = await pullRequestsOf(repository, commit.sha);
  const { items, headers } = paginate(request, pulls, state.urls.api);
  const body = items.map(pull => pullRequestSimple(state, repository, pull, request.identity));
  return { status: 200, body, headers };
}
/** Pull requests, and those of a commit. */
export function pullRoutes(state) {
  const repo = '/repos/{owner}/{repo}';
  const one = `${repo}/pulls/{pull_number}`;
  const read = [{ permission: 'pull_requests', access: 'read' }];
  const write = [{ permission: 'pull_requests', access: 'write' }];
  const contents = [{ permission: 'contents', access: 'write' }];
  const association = [...read, { permission: 'contents', access: 'read' }];
  return [
    { method: 'POST', template: `${repo}/pulls`, needs: write, handle: r => createPull(state, r) },
    { method: 'GET', template: `${repo}/pulls`, needs: read, handle: r => listPulls(state, r) },
    { method: 'GET', template: one, needs: read, handle: r => getPull(state, r) },
    { method: 'PATCH', template: one, needs: write, handle: r => updatePull(state, r) },
    { method: 'PUT', template: `${one}/merge`, needs: contents, handle: r => mergePull(state, r) },
    {
      method: 'GET',
      template: `${repo}/commits/{commit_sha}/pulls`,
      needs: association,
      handle: r => pullsOfCommit(state, r),
    },
  ];
}
