import { changedFiles, mergeBase, mergedTree } from '../git/history.js';
import { pullRequestCommits } from '../pull-requests.js';
import { ownerOf } from '../repository-state.js';
import { nodeId, simpleUser } from './accounts.js';
import { repositoryJson, repositoryPage, repositoryUrl } from './repositories.js';
/** The schema `pull-request-simple`, as in lists. */
export function pullRequestSimple(state, repository, pull, identity) {
  const api = repositoryUrl(state, repository);
  const url = `${api}/pulls/${pull.number}`;
  const issue = `${api}/issues/${pull.number}`;
  const html = `${repositoryPage(state, repository)}/pull/${pull.number}`;
  const addresses = {
    commits: `${url}/commits`,
    review_comments: `${url}/comments`,
    review_comment: `${api}/pulls/comments{/number}`,
    comments: `${issue}/comments`,
    statuses: `${api}/statuses/${pull.headSha}`,
  };
  const owner = ownerOf(repository);
  const side = (ref, sha) => ({
    label: `${owner}:${ref}`,
    ref,
    sha,
    user: simpleUser(state, owner),
    repo: repositoryJson(state, repository, identity),
  });
  const links = { self: url, html, issue, ...addresses };
  return {
    url,
    id: pull.id,
    node_id: nodeId('PullRequest', pull.id),
    html_url: html,
    diff_url: `${html}.diff`,
    patch_url: `${html}.patch`,
    issue_url: issue,
    commits_url: addresses.commits,
    review_comments_url: addresses.review_comments,
    review_comment_url: addresses.review_comment,
    comments_url: addresses.comments,
    statuses_url: addresses.statuses,
    number: pull.number,
    state: pull.state,
    locked: false,
    title: pull.title,
    user: simpleUser(state, pull.user),
    body: pull.body,
    labels: [],
    milestone: null,
    created_at: pull.createdAt,
    updated_at: pull.updatedAt,
    closed_at: pull.closedAt,
    merged_at: pull.merge?.at ?? null,
    merge_commit_sha: pull.merge?.sha ?? null,
    assignee: null,
    assignees: [],
    requested_reviewers: [],
    requested_teams: [],
    head: side(pull.headRef, pull.headSha),
    base: side(pull.baseRef, pull.baseSha),
    _links: Object.fromEntries(Object.entries(links).map(([name, href]) => [name, { href }])),
    author_association: 'CONTRIBUTOR',
    auto_merge: null,
    active_lock_reason: null,
    draft: pull.draft,
  };
}
/** The schema `pull-request`, of one. */
export async function pullRequestJson(state, repository, pull, identity) {
  const base = (await repository.git.ref(`refs/heads/${pull.baseRef}`))?.sha ?? pull.baseSha;
  const commits = await pullRequestCommits(repository, pull);
  const from = await mergeBase(repository.git, pull.baseSha, pull.headSha);
  const files = await changedFiles(repository.git, from ?? pull.baseSha, pull.headSha);
  const open = pull.state === 'open';
  const mergeable = open ? (await mergedTree(repository.git, base, pull.headSha)) !== undefined : null;
  const openState = pull.draft ? 'draft' : mergeable === true ? 'clean' : 'dirty';
  const comments = [...repository.comments.values()].filter(comment => comment.issue === pull.number);
  return {
    ...pullRequestSimple(state, repository, pull, identity),
    merged: pull.merge !== undefined,
    mergeable,
    rebaseable: mergeable,
    mergeable_state: open ? openState : 'unknown',
    merged_by: pull.merge === undefined ? null : simpleUser(state, pull.merge.by),
    comments: comments.length,
    review_comments: 0,
    maintainer_can_modify: pull.maintainerCanModify,
    commits: commits.length,
    additions: files.reduce((total, file) => total + file.additions, 0),
    deletions: files.reduce((total, file) => total + file.deletions, 0),
    changed_files: files.length,
  };
}
