import { z } from 'zod';
import { actingApp } from '../identities.js';
import { appById, nodeId, simpleUser } from '../json/accounts.js';
import { repositoryPage, repositoryUrl } from '../json/repositories.js';
import { paginate } from '../pagination.js';
import { ApiError, notFound, parseBody, validationFailed } from '../router.js';
function commentJson(state, repository, comment) {
  const api = repositoryUrl(state, repository);
  const kind = repository.pulls.has(comment.issue) ? 'pull' : 'issues';
  const url = `${api}/issues/comments/${comment.id}`;
  const names = ['+1', '-1', 'laugh', 'hooray', 'confused', 'heart', 'rocket', 'eyes'];
  return {
    id: comment.id,
    node_id: nodeId('IssueComment', comment.id),
    url,
    html_url: `${repositoryPage(state, repository)}/${kind}/${comment.issue}#issuecomment-${comment.id}`,
    issue_url: `${api}/issues/${comment.issue}`,
    user: simpleUser(state, comment.user),
    body: comment.body,
    created_at: comment.createdAt,
    updated_at: comment.updatedAt,
    author_association: 'CONTRIBUTOR',
    performed_via_github_app: appById(state, comment.appId),
    reactions: {
      url: `${url}/reactions`,
      total_count: 0,
      ...Object.fromEntries(names.map(name => [name, 0])),
    },
  };
}
function issueNumber(repository, request) {
  const number = Number(request.parameters['issue_number']);
  if (!repository.pulls.has(number) && !repository.issues.has(number)) throw notFound();
  return number;
}
/** GitHub counts characters, and refuses more than 65,536 (changesets, release-please; facts). */
const maxBody = 65_536;
const bodySchema = z.object({ body: z.string() });
function parseComment(request) {
  const { body } = parseBody(bodySchema, request);
  if (body.trim() === '') throw validationFailed('IssueComment', 'body', "Body can't be blank");
  if (body.length > maxBody) {
    throw validationFailed('IssueComment', 'body', `body is too long (maximum is ${maxBody} characters)`);
  }
  return body;
}
function createComment(state, request) {
  const repository = state.repositoryOf(request);
  if (request.identity === undefined) throw notFound();
  const issue = issueNumber(repository, request);
  const now = state.timestamp();
  const appId = actingApp(request.identity);
  const comment = {
    id: state.newId(),
    issue,
    user: request.identity.login,
    ...(appId === undefined ? {} : { appId }),
    body: parseComment(request),
    createdAt: now,
    updatedAt: now,
  };
  repository.comments.set(comment.id, comment);
  const answer = commentJson(state, repository, comment);
  return { status: 201, body: answer, headers: { location: answer.url } };
}
function listComments(state, request) {
  const repository = state.repositoryOf(request);
  const issue = issueNumber(repository, request);
  const since = request.query.get('since');
  const comments = [...repository.comments.values()]
    .filter(comment => comment.issue === issue)
    .filter(comment => since === null || comment.updatedAt >= since);
  const { items, headers } = paginate(request, comments, state.urls.api);
  return { status: 200, body: items.map(comment => commentJson(state, repository, comment)), headers };
}
function findComment(state, request) {
  const repository = state.repositoryOf(request);
  const comment = repository.comments.get(Number(request.parameters['comment_id']));
  if (comment === undefined) throw notFound();
  return { repository, comment };
}
/** One's own comments may be changed; others' only with write access to the repository. */
function changeable(state, request) {
  const found = findComment(state, request);
  const own = found.comment.user === request.identity?.login;
  if (!own && !state.canWrite(request.identity, found.repository)) {
    throw new ApiError(403, 'Resource not accessible by integration');
  }
  return found;
}
function getComment(state, request) {
  const { repository, comment } = findComment(state, request);
  return { status: 200, body: commentJson(state, repository, comment) };
}
function updateComment(state, request) {
  const { repository, comment } = changeable(state, request);
  comment.body = parseComment(request);
  comment.updatedAt = state.timestamp();
  return { status: 200, body: commentJson(state, repository, comment) };
}
function deleteComment(state, request) {
  const { repository, comment } = changeable(state, request);
  repository.comments.delete(comment.id);
  return { status: 204 };
}
/** Comments of issues and pull requests. */
export function commentRoutes(state) {
  const issues = '/repos/{owner}/{repo}/issues';
  const all = `${issues}/{issue_number}/comments`;
  const one = `${issues}/comments/{comment_id}`;
  const either = access => [
    { permission: 'issues', access },
    { permission: 'pull_requests', access },
  ];
  return [
    { method: 'GET', template: all, needs: either('read'), handle: r => listComments(state, r) },
    { method: 'POST', template: all, needs: either('write'), handle: r => createComment(state, r) },
    { method: 'GET', template: one, needs: either('read'), handle: r => getComment(state, r) },
    { method: 'PATCH', template: one, needs: either('write'), handle: r => updateComment(state, r) },
    { method: 'DELETE', template: one, needs: either('write'), handle: r => deleteComment(state, r) },
  ];
}
