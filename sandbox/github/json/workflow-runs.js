import { nodeId, simpleUser } from './accounts.js';
import { minimalRepository, repositoryPage, repositoryUrl } from './repositories.js';
/** The schema `workflow-run`. */
export function workflowRun(state, repository, run) {
  const url = `${repositoryUrl(state, repository)}/actions/runs/${run.id}`;
  const createdAt = run.createdAt ?? repository.createdAt;
  const actor = simpleUser(state, run.actor ?? 'octocat');
  const suite = repository.suites.get(`actions ${run.headSha}`) ?? run.id;
  return {
    id: run.id,
    name: run.name ?? 'release',
    node_id: nodeId('WorkflowRun', run.id),
    check_suite_id: suite,
    head_branch: run.headBranch ?? repository.defaultBranch,
    head_sha: run.headSha,
    path: run.path ?? '.github/workflows/release.yaml',
    run_number: run.runNumber ?? 1,
    run_attempt: run.runAttempt ?? 1,
    event: run.event ?? 'push',
    status: run.status ?? 'in_progress',
    conclusion: run.conclusion ?? null,
    workflow_id: repository.id + 1,
    url,
    html_url: `${repositoryPage(state, repository)}/actions/runs/${run.id}`,
    pull_requests: [],
    created_at: createdAt,
    updated_at: createdAt,
    run_started_at: createdAt,
    actor,
    triggering_actor: actor,
    jobs_url: `${url}/jobs`,
    logs_url: `${url}/logs`,
    check_suite_url: `${repositoryUrl(state, repository)}/check-suites/${suite}`,
    artifacts_url: `${url}/artifacts`,
    cancel_url: `${url}/cancel`,
    rerun_url: `${url}/rerun`,
    previous_attempt_url: null,
    workflow_url: `${repositoryUrl(state, repository)}/actions/workflows/${repository.id + 1}`,
    head_commit: null,
    repository: minimalRepository(state, repository),
    head_repository: minimalRepository(state, repository),
    display_title: run.name ?? 'release',
  };
}
