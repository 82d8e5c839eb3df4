import { z } from 'zod';
import { actingApp, actionsAppId } from '../identities.js';
import { appById, nodeId } from '../json/accounts.js';
import { repositoryPage, repositoryUrl } from '../json/repositories.js';
import { paginate } from '../pagination.js';
import { ApiError, notFound, parseBody } from '../router.js';
import { resolveCommit } from './commits.js';
const annotation = z.object({
  path: z.string(),
  start_line: z.int(),
  end_line: z.int(),
  start_column: z.int().optional(),
  end_column: z.int().optional(),
  annotation_level: z.enum(['notice', 'warning', 'failure']),
  message: z.string(),
  title: z.string().optional(),
  raw_details: z.string().optional(),
});
const action = z.object({
  label: z.string().max(20),
  description: z.string().max(40),
  identifier: z.string().max(20),
});
/** Measured at GitHub: more than 65,535 bytes of summary are refused, of text silently cut (facts/github.md). */
const maxBytes = 65_535;
const output = z.object({
  title: z.string().optional(),
  summary: z.string().refine(text => Buffer.byteLength(text) <= maxBytes, 'summary exceeds 65535 bytes'),
  text: z.string().optional(),
  annotations: z.array(annotation).max(50, 'no more than 50 annotations').default([]),
});
const conclusions = ['action_required', 'cancelled', 'failure', 'neutral', 'success', 'skipped', 'timed_out'];
const common = {
  details_url: z.string().optional(),
  external_id: z.string().optional(),
  status: z.enum(['queued', 'in_progress', 'completed']).optional(),
  started_at: z.iso.datetime({ offset: true }).optional(),
  conclusion: z.enum(conclusions).optional(),
  completed_at: z.iso.datetime({ offset: true }).optional(),
  actions: z.array(action).max(3, 'no more than 3 actions').optional(),
};
const createSchema = z.object({
  ...common,
  name: z.string().min(1),
  head_sha: z.string(),
  output: output.extend({ title: z.string() }).optional(),
});
const updateSchema = z.object({ ...common, name: z.string().min(1).optional(), output: output.optional() });
function checkJson(state, repository, run) {
  const url = `${repositoryUrl(state, repository)}/check-runs/${run.id}`;
  return {
    id: run.id,
    name: run.name,
    node_id: nodeId('CheckRun', run.id),
    head_sha: run.headSha,
    external_id: run.externalId,
    url,
    html_url: `${repositoryPage(state, repository)}/runs/${run.id}`,
    details_url: run.detailsUrl,
    status: run.status,
    conclusion: run.conclusion,
    started_at: run.startedAt,
    completed_at: run.completedAt,
    output: {
      ...run.output,
      annotations_count: run.annotations.length,
      annotations_url: `${url}/annotations`,
    },
    check_suite: { id: run.suite },
    app: appById(state, run.appId),
    pull_requests: pullRequestsAt(state, repository, run.headSha),
  };
}
function pullRequestsAt(state, repository, sha) {
  const url = repositoryUrl(state, repository);
  const repo = { id: repository.id, url, name: repository.fullName.split('/')[1] ?? '' };
  return [...repository.pulls.values()]
    .filter(pull => pull.state === 'open' && pull.headSha === sha)
    .map(pull => ({
      id: pull.id,
      number: pull.number,
      url: `${url}/pulls/${pull.number}`,
      head: { ref: pull.headRef, sha: pull.headSha, repo },
      base: { ref: pull.baseRef, sha: pull.baseSha, repo },
    }));
}
function cutText(text) {
  if (text === undefined) return null;
  // A character that the cut goes through becomes a replacement character: drop it.
  return Buffer.byteLength(text) <= maxBytes
    ? text
    : Buffer.from(text)
        .subarray(0, maxBytes)
        .toString()
        .replace(/\uFFFD$/, '');
}
/** The status fields after a request. A conclusion alone means completed (spec). */
function applyStatus(state, run, body) {
  if (body.status === 'completed' && body.conclusion === undefined) {
    throw new ApiError(422, "Invalid request.\n\nFor 'conclusion', \"conclusion\" wasn't supplied.");
  }
  const status = body.conclusion === undefined ? body.status : 'completed';
  if (status !== undefined) run.status = status;
  if (status === 'completed') {
    run.conclusion = body.conclusion ?? null;
    run.completedAt = body.completed_at ?? state.timestamp();
  } else if (status !== undefined) {
    run.conclusion = null;
    run.completedAt = null;
  }
  run.startedAt = body.started_at ?? run.startedAt;
}
function applyRest(state, repository, run, body) {
  run.name = body.name ?? run.name;
  run.externalId = body.external_id ?? run.externalId;
  run.actions = body.actions ?? run.actions;
  if (run.appId === actionsAppId) {
    // Ignored for a workflow's token, which gets the run's own page (github-script #143).
    run.detailsUrl = `${repositoryPage(state, repository)}/runs/${run.id}`;
  } else run.detailsUrl = body.details_url ?? run.detailsUrl;
  if (body.output !== undefined) {
    // The whole output is replaced: what is left out becomes null. Only annotations add up.
    const { title, summary, text, annotations } = body.output;
    run.output = { title: title ?? null, summary, text: cutText(text) };
    run.annotations = [...run.annotations, ...annotations];
  }
}
/** The App behind the request; people's tokens can't write checks. */
function creatingApp(request) {
  const appId = actingApp(request.identity);
  if (appId === undefined) throw new ApiError(403, 'You must authenticate via a GitHub App.');
  return appId;
}
function suiteOf(state, repository, appId, sha) {
  const key = `${appId === actionsAppId ? 'actions' : appId} ${sha}`;
  const suite = repository.suites.get(key) ?? state.newId();
  repository.suites.set(key, suite);
  return suite;
}
async function createCheck(state, request) {
  const repository = state.repositoryOf(request);
  const appId = creatingApp(request);
  const body = parseBody(createSchema, request);
  if ((await repository.git.commit(body.head_sha)) === undefined) {
    throw new ApiError(422, `No commit found for SHA: ${body.head_sha}`);
  }
  const run = {
    id: state.newId(),
    appId,
    suite: suiteOf(state, repository, appId, body.head_sha),
    headSha: body.head_sha,
    name: body.name,
    status: 'queued',
    conclusion: null,
    externalId: '',
    detailsUrl: `${state.urls.server}/apps/${state.app(appId)?.slug ?? ''}`,
    startedAt: state.timestamp(),
    completedAt: null,
    output: { title: null, summary: null, text: null },
    annotations: [],
    actions: [],
  };
  applyStatus(state, run, body);
  applyRest(state, repository, run, body);
  repository.checkRuns.set(run.id, run);
  const answer = checkJson(state, repository, run);
  return { status: 201, body: answer, headers: { location: answer.url } };
}
function findCheck(state, request) {
  const repository = state.repositoryOf(request);
  const run = repository.checkRuns.get(Number(request.parameters['check_run_id']));
  if (run === undefined) throw notFound();
  return { repository, run };
}
function updateCheck(state, request) {
  const { repository, run } = findCheck(state, request);
  const appId = creatingApp(request);
  if (appId !== run.appId) {
    const who = 'check run can only be modified by the GitHub App that created it';
    throw new ApiError(403, `Invalid app_id \`${appId}\` - ${who}.`);
  }
  const body = parseBody(updateSchema, request);
  applyStatus(state, run, body);
  applyRest(state, repository, run, body);
  return { status: 200, body: checkJson(state, repository, run) };
}
async function listChecks(state, request) {
  const repository = state.repositoryOf(request);
  const name = request.parameters['ref'] ?? '';
  const commit = await resolveCommit(repository, name, false);
  if (commit === undefined) throw new ApiError(422, `No commit found for SHA: ${name}`);
  const is = (field, value) => {
    const wanted = request.query.get(field);
    return wanted === null || wanted === String(value);
  };
  const runs = [...repository.checkRuns.values()]
    .filter(run => run.headSha === commit.sha)
    .filter(run => is('check_name', run.name) && is('status', run.status) && is('app_id', run.appId))
    .reverse();
  const seen = new Set();
  const latest = runs.filter(run => {
    const key = `${run.suite} ${run.name}`;
    return seen.has(key) ? false : seen.add(key);
  });
  const filtered = request.query.get('filter') === 'all' ? runs : latest;
  const { items, headers } = paginate(request, filtered, state.urls.api);
  const checkRuns = items.map(run => checkJson(state, repository, run));
  return { status: 200, body: { total_count: filtered.length, check_runs: checkRuns }, headers };
}
/** Check runs. */
export function checkRoutes(state) {
  const repo = '/repos/{owner}/{repo}';
  const one = `${repo}/check-runs/{check_run_id}`;
  const read = [{ permission: 'checks', access: 'read' }];
  const write = [{ permission: 'checks', access: 'write' }];
  return [
    { method: 'POST', template: `${repo}/check-runs`, needs: write, handle: r => createCheck(state, r) },
    { method: 'PATCH', template: one, needs: write, handle: r => updateCheck(state, r) },
    {
      method: 'GET',
      template: one,
      needs: read,
      handle: r => {
        const { repository, run } = findCheck(state, r);
        return { status: 200, body: checkJson(state, repository, run) };
      },
    },
    {
      method: 'GET',
      template: `${repo}/commits/{ref}/check-runs`,
      needs: read,
      handle: r => listChecks(state, r),
    },
  ];
}
