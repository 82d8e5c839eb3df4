import { commitJson } from '../json/commits.js';
import { fullRepository, repositoryPage, repositoryUrl } from '../json/repositories.js';
import { workflowRun } from '../json/workflow-runs.js';
import { paginate } from '../pagination.js';
import { readRef } from '../ref-updates.js';
import { bypassOf } from '../repository-state.js';
import { ApiError, notFound } from '../router.js';
const repo = '/repos/{owner}/{repo}';
const metadata = [{ permission: 'metadata', access: 'read' }];
async function getBranch(state, request) {
  const repository = state.repositoryOf(request);
  const name = request.parameters['branch'] ?? '';
  const ref = await readRef(repository, `refs/heads/${name}`, request.staleRefs);
  const commit = ref === undefined ? undefined : await repository.git.commit(ref.sha);
  if (commit === undefined) throw new ApiError(404, 'Branch not found');
  const url = `${repositoryUrl(state, repository)}/branches/${encodeURIComponent(name)}`;
  const isProtected = repository.protection.has(name) || rulesetsOf(repository, name).length > 0;
  return {
    status: 200,
    body: {
      name,
      commit: commitJson(state, repository, commit),
      _links: { self: url, html: `${repositoryPage(state, repository)}/tree/${name}` },
      protected: isProtected,
      protection: {
        enabled: repository.protection.has(name),
        required_status_checks: { enforcement_level: 'off', contexts: [], checks: [] },
      },
      protection_url: `${url}/protection`,
    },
  };
}
function rulesetsOf(repository, branch) {
  return repository.rulesets.filter(ruleset => ruleset.branches.includes(branch));
}
function getBranchRules(state, request) {
  const repository = state.repositoryOf(request);
  const rules = rulesetsOf(repository, request.parameters['branch'] ?? '').flatMap(ruleset =>
    ruleset.rules.map(rule => ({
      ...rule,
      ruleset_source_type: 'Repository',
      ruleset_source: repository.fullName,
      ruleset_id: ruleset.id,
    })),
  );
  const { items, headers } = paginate(request, rules, state.urls.api);
  return { status: 200, body: items, headers };
}
function getRuleset(state, request) {
  const repository = state.repositoryOf(request);
  const ruleset = repository.rulesets.find(known => String(known.id) === request.parameters['ruleset_id']);
  if (ruleset === undefined) throw notFound();
  const include = ruleset.branches.map(branch => `refs/heads/${branch}`);
  return {
    status: 200,
    body: {
      id: ruleset.id,
      name: ruleset.name,
      target: 'branch',
      source_type: 'Repository',
      source: repository.fullName,
      enforcement: 'active',
      current_user_can_bypass: bypassOf(ruleset, request.identity),
      conditions: { ref_name: { include, exclude: [] } },
      rules: ruleset.rules,
      created_at: repository.createdAt,
      updated_at: repository.createdAt,
    },
  };
}
function getProtection(state, request) {
  const repository = state.repositoryOf(request);
  const branch = request.parameters['branch'] ?? '';
  const protection = repository.protection.get(branch);
  if (protection === undefined) throw new ApiError(404, 'Branch not protected');
  const url = `${repositoryUrl(state, repository)}/branches/${encodeURIComponent(branch)}/protection`;
  return { status: 200, body: { url, ...protection } };
}
function getRun(state, request) {
  const repository = state.repositoryOf(request);
  const run = repository.runs.get(Number(request.parameters['run_id']));
  if (run === undefined) throw notFound();
  return { status: 200, body: workflowRun(state, repository, run) };
}
/** Repository, branch and rule endpoints, and the workflow run that a repository was told of. */
export function repositoryRoutes(state) {
  return [
    {
      method: 'GET',
      template: repo,
      needs: metadata,
      handle: request => {
        const repository = state.repositoryOf(request);
        return { status: 200, body: fullRepository(state, repository, request.identity) };
      },
    },
    {
      method: 'GET',
      template: `${repo}/branches/{branch}/protection`,
      needs: [{ permission: 'administration', access: 'read' }],
      handle: request => getProtection(state, request),
    },
    {
      method: 'GET',
      template: `${repo}/branches/{branch}`,
      needs: [{ permission: 'contents', access: 'read' }],
      handle: request => getBranch(state, request),
    },
    {
      method: 'GET',
      template: `${repo}/rules/branches/{branch}`,
      needs: metadata,
      handle: request => getBranchRules(state, request),
    },
    {
      method: 'GET',
      template: `${repo}/rulesets/{ruleset_id}`,
      needs: metadata,
      handle: request => getRuleset(state, request),
    },
    {
      method: 'GET',
      template: `${repo}/actions/runs/{run_id}`,
      needs: [{ permission: 'actions', access: 'read' }],
      handle: request => getRun(state, request),
    },
  ];
}
