import { emptyTree } from '../git/git-repository.js';
import { changedFiles, countHistory, history, isAncestor, mergeBase } from '../git/history.js';
import { commitJson, diffEntry } from '../json/commits.js';
import { repositoryPage, repositoryUrl } from '../json/repositories.js';
import { linkHeader, pageOf } from '../pagination.js';
import { readRef } from '../ref-updates.js';
import { ApiError, notFound } from '../router.js';
/** A branch (perhaps read stale), tag or sha as a commit. */
export async function resolveCommit(repository, name, stale) {
  const branch = stale ? await readRef(repository, `refs/heads/${name}`, true) : undefined;
  return await repository.git.resolveCommit(branch?.sha ?? name);
}
async function listCommits(state, request) {
  const repository = state.repositoryOf(request);
  const from = request.query.get('sha') ?? repository.defaultBranch;
  const commit = await resolveCommit(repository, from, request.staleRefs);
  if (commit === undefined) {
    if ((await repository.git.refs()).length === 0) throw new ApiError(409, 'Git Repository is empty.');
    throw notFound();
  }
  const filter = name => {
    const value = request.query.get(name);
    return value === null ? {} : { [name]: value };
  };
  const query = {
    from: commit.sha,
    ...filter('path'),
    ...filter('since'),
    ...filter('until'),
    ...filter('author'),
  };
  const page = pageOf(request.query);
  const [commits, total] = await Promise.all([
    history(repository.git, { ...query, skip: (page.page - 1) * page.perPage, limit: page.perPage }),
    countHistory(repository.git, query),
  ]);
  return {
    status: 200,
    body: commits.map(listed => commitJson(state, repository, listed)),
    headers: linkHeader(request, page, total, state.urls.api),
  };
}
async function getCommit(state, request) {
  const repository = state.repositoryOf(request);
  const name = request.parameters['ref'] ?? '';
  const commit = await resolveCommit(repository, name, request.staleRefs);
  if (commit === undefined) throw new ApiError(422, `No commit found for SHA: ${name}`);
  if (request.headers['accept']?.includes('.sha') === true) return { status: 200, body: commit.sha };
  const files = await changedFiles(repository.git, commit.parents[0] ?? emptyTree, commit.sha);
  const page = pageOf(request.query, 300);
  const sum = field => files.reduce((total, file) => total + file[field], 0);
  const [additions, deletions] = [sum('additions'), sum('deletions')];
  const start = (page.page - 1) * 300;
  return {
    status: 200,
    body: {
      ...commitJson(state, repository, commit),
      stats: { additions, deletions, total: additions + deletions },
      files: files.slice(start, start + 300).map(file => diffEntry(state, repository, file, commit.sha)),
    },
    headers: linkHeader(request, { ...page, perPage: 300 }, files.length, state.urls.api),
  };
}
async function resolveComparison(repository, request) {
  const [baseName = '', headName = ''] = (request.parameters['basehead'] ?? '').split('...');
  const [base, head] = await Promise.all(
    [baseName, headName].map(name => resolveCommit(repository, name, request.staleRefs)),
  );
  if (base === undefined || head === undefined) throw notFound();
  const forward = await isAncestor(repository.git, base.sha, head.sha);
  const common = forward ? base.sha : await mergeBase(repository.git, base.sha, head.sha);
  const commonCommit = common === undefined ? undefined : await repository.git.commit(common);
  if (commonCommit === undefined) {
    throw new ApiError(404, `No common ancestor between ${baseName} and ${headName}.`);
  }
  return { base, head, mergeBase: commonCommit };
}
function comparisonStatus(ahead, behind) {
  if (ahead > 0 && behind > 0) return 'diverged';
  if (ahead > 0) return 'ahead';
  return behind > 0 ? 'behind' : 'identical';
}
/**
 * Docs "Compare two commits": without paging parameters at most 250 commits, with them pages of commits; files
 * only on the first page and never more than 300.
 */
async function compare(state, request) {
  const repository = state.repositoryOf(request);
  const { base, head, mergeBase: common } = await resolveComparison(repository, request);
  const ahead = await history(repository.git, { from: head.sha, not: base.sha, oldestFirst: true });
  const behind = await countHistory(repository.git, { from: base.sha, not: head.sha });
  const paged = request.query.has('page') || request.query.has('per_page');
  const page = pageOf(request.query);
  const start = (page.page - 1) * page.perPage;
  const commits = paged ? ahead.slice(start, start + page.perPage) : ahead.slice(-250);
  const files = page.page === 1 ? await changedFiles(repository.git, common.sha, head.sha) : undefined;
  const range = `${base.sha}...${head.sha}`;
  const html = `${repositoryPage(state, repository)}/compare/${range}`;
  return {
    status: 200,
    body: {
      url: `${repositoryUrl(state, repository)}/compare/${range}`,
      html_url: html,
      permalink_url: html,
      diff_url: `${html}.diff`,
      patch_url: `${html}.patch`,
      base_commit: commitJson(state, repository, base),
      merge_base_commit: commitJson(state, repository, common),
      status: comparisonStatus(ahead.length, behind),
      ahead_by: ahead.length,
      behind_by: behind,
      total_commits: ahead.length,
      commits: commits.map(commit => commitJson(state, repository, commit)),
      ...(files === undefined
        ? {}
        : { files: files.slice(0, 300).map(file => diffEntry(state, repository, file, head.sha)) }),
    },
    headers: paged ? linkHeader(request, page, ahead.length, state.urls.api) : {},
  };
}
/** Commits as GitHub shows them, and comparisons. */
export function commitRoutes(state) {
  const repo = '/repos/{owner}/{repo}';
  const needs = [{ permission: 'contents', access: 'read' }];
  return [
    { method: 'GET', template: `${repo}/commits`, needs, handle: r => listCommits(state, r) },
    { method: 'GET', template: `${repo}/commits/{ref}`, needs, handle: r => getCommit(state, r) },
    { method: 'GET', template: `${repo}/compare/{basehead}`, needs, handle: r => compare(state, r) },
  ];
}
