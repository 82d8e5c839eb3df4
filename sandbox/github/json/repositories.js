import { holds } from '../identities.js';
import { nameOf, ownerOf } from '../repository-state.js';
import { nodeId, simpleUser } from './accounts.js';
/** Address templates below a repository's own, as GitHub lists them. */
const resources = {
  archive: '/{archive_format}{/ref}',
  assignees: '/assignees{/user}',
  blobs: '/git/blobs{/sha}',
  branches: '/branches{/branch}',
  collaborators: '/collaborators{/collaborator}',
  comments: '/comments{/number}',
  commits: '/commits{/sha}',
  compare: '/compare/{base}...{head}',
  contents: '/contents/{+path}',
  contributors: '/contributors',
  deployments: '/deployments',
  downloads: '/downloads',
  events: '/events',
  forks: '/forks',
  git_commits: '/git/commits{/sha}',
  git_refs: '/git/refs{/sha}',
  git_tags: '/git/tags{/sha}',
  hooks: '/hooks',
  issue_comment: '/issues/comments{/number}',
  issue_events: '/issues/events{/number}',
  issues: '/issues{/number}',
  keys: '/keys{/key_id}',
  labels: '/labels{/name}',
  languages: '/languages',
  merges: '/merges',
  milestones: '/milestones{/number}',
  notifications: '/notifications{?since,all,participating}',
  pulls: '/pulls{/number}',
  releases: '/releases{/id}',
  stargazers: '/stargazers',
  statuses: '/statuses/{sha}',
  subscribers: '/subscribers',
  subscription: '/subscription',
  tags: '/tags',
  teams: '/teams',
  trees: '/git/trees{/sha}',
};
export function repositoryUrl(state, repository) {
  return `${state.urls.api}/repos/${repository.fullName}`;
}
export function repositoryPage(state, repository) {
  return `${state.urls.server}/${repository.fullName}`;
}
/** The schema `minimal-repository`. */
export function minimalRepository(state, repository) {
  const url = repositoryUrl(state, repository);
  const page = repositoryPage(state, repository);
  const addresses = Object.entries(resources).map(([name, path]) => [`${name}_url`, `${url}${path}`]);
  return {
    id: repository.id,
    node_id: nodeId('Repository', repository.id),
    name: nameOf(repository),
    full_name: repository.fullName,
    owner: simpleUser(state, ownerOf(repository)),
    private: repository.visibility === 'private',
    html_url: page,
    description: null,
    fork: false,
    url,
    ...Object.fromEntries(addresses),
    git_url: `${page.replace(/^https?/, 'git')}.git`,
    ssh_url: `git@${new URL(page).hostname}:${repository.fullName}.git`,
  };
}
/** The schema `repository`, with what the asking identity may do. */
export function repositoryJson(state, repository, identity) {
  const page = repositoryPage(state, repository);
  const open = [...repository.pulls.values()].filter(pull => pull.state === 'open').length;
  const push = state.canWrite(identity, repository);
  const admin = identity !== undefined && push && holds(identity, 'administration', 'write');
  return {
    ...minimalRepository(state, repository),
    clone_url: `${page}.git`,
    svn_url: page,
    mirror_url: null,
    homepage: null,
    language: null,
    license: null,
    forks: 0,
    forks_count: 0,
    stargazers_count: 0,
    watchers: 0,
    watchers_count: 0,
    size: 0,
    default_branch: repository.defaultBranch,
    open_issues: open,
    open_issues_count: open,
    is_template: false,
    topics: [],
    has_issues: true,
    has_projects: false,
    has_wiki: false,
    has_pages: false,
    has_downloads: false,
    has_discussions: false,
    archived: false,
    disabled: false,
    visibility: repository.visibility,
    pushed_at: repository.pushedAt,
    created_at: repository.createdAt,
    updated_at: repository.pushedAt,
    ...(identity === undefined
      ? {}
      : { permissions: { admin, maintain: admin, push, triage: push, pull: true } }),
  };
}
/** The schema `full-repository`. */
export function fullRepository(state, repository, identity) {
  return {
    ...repositoryJson(state, repository, identity),
    allow_rebase_merge: true,
    allow_squash_merge: true,
    allow_merge_commit: true,
    allow_auto_merge: true,
    delete_branch_on_merge: false,
    squash_merge_commit_title: 'COMMIT_OR_PR_TITLE',
    squash_merge_commit_message: 'COMMIT_MESSAGES',
    network_count: 0,
    subscribers_count: 0,
  };
}
