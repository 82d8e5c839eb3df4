import { z } from 'zod';
import { Refusal } from '../rollout/verdict.ts';
import type { Inputs, Mode } from './settings.ts';

/** What started the workflow, as the runner tells it. */
export interface WorkflowEvent {
  readonly name: string;
  /** The parsed file of GITHUB_EVENT_PATH. */
  readonly payload: unknown;
  /** GITHUB_SHA, GITHUB_REF and `owner/repo`. */
  readonly sha: string;
  readonly ref: string;
  readonly repository: string;
  readonly actor: string;
}

export interface RunPurpose {
  readonly mode: Mode;
  /** The commit that checks and pull requests are looked up by, and that is recorded as released. */
  readonly sourceSha: string;
  /** Commits whose pull requests get a comment. */
  readonly commits: readonly string[];
  /** Pull requests known from the event itself. */
  readonly pullRequests: readonly number[];
  /** From a fork or Dependabot: there are no secrets, so no cluster can be asked and nothing can be reported to GitHub. */
  readonly withoutSecrets?: true;
}

const ZERO_SHA = /^0+$/;
const MAX_COMMITS = 20;

const pushSchema = z.object({
  deleted: z.boolean().default(false),
  commits: z.array(z.object({ id: z.string() })).default([]),
});
const pullRequestSchema = z.object({
  pull_request: z.object({
    number: z.number(),
    head: z.object({ sha: z.string(), repo: z.object({ full_name: z.string() }).nullable() }),
  }),
});
const workflowRunSchema = z.object({
  workflow_run: z.object({
    event: z.string(),
    head_sha: z.string(),
    conclusion: z.string().nullable(),
    head_repository: z.object({ full_name: z.string() }).nullable(),
  }),
});

/**
 * What a run shall do, from the event that started it: an allowlist, because each event means another commit by
 * GITHUB_SHA (docs "Events that trigger workflows").
 * @throws Refusal `event-not-allowed`, `fork-or-dependabot`.
 */
export function purposeOf(event: WorkflowEvent, wanted: Inputs['mode']): RunPurpose {
  const purpose = byEvent(event, wanted);
  if (wanted === 'auto' || wanted === purpose.mode) return purpose;
  if (purpose.mode === 'plan' && wanted === 'release') {
    throw refused(event, 'mode: release is not possible here: what a pull request holds is not merged yet.');
  }
  return { ...purpose, mode: wanted };
}

function byEvent(event: WorkflowEvent, wanted: Inputs['mode']): RunPurpose {
  const plain = (mode: Mode): RunPurpose => ({
    mode,
    sourceSha: event.sha,
    commits: [event.sha],
    pullRequests: [],
  });
  switch (event.name) {
    case 'push':
      return ofPush(event);
    case 'workflow_dispatch':
    case 'repository_dispatch':
    case 'release':
    case 'deployment':
      return plain('release');
    case 'schedule':
      // GITHUB_SHA is the default branch's last commit: released only when the workflow says so.
      return plain(wanted === 'release' ? 'release' : 'sweep');
    case 'pull_request':
      return ofPullRequest(event);
    case 'workflow_run':
      return ofWorkflowRun(event);
    case 'pull_request_target':
      throw refused(event, 'it would run with secrets on code that nobody has merged.');
    case 'merge_group':
      throw refused(event, 'its commit may never reach the branch.');
    default:
      throw refused(event, 'which commit it would release is not clear.');
  }
}

function ofPush(event: WorkflowEvent): RunPurpose {
  const push = pushSchema.safeParse(event.payload);
  if (push.data?.deleted === true || ZERO_SHA.test(event.sha)) {
    throw refused(event, 'it deleted a branch or a tag.');
  }
  // Newest last; a squash or merge commit alone may not be associated with its pull request yet.
  const commits = (push.data?.commits ?? []).map(({ id }) => id);
  const newest = [...new Set([event.sha, ...commits.toReversed()])].slice(0, MAX_COMMITS);
  return { mode: 'release', sourceSha: event.sha, commits: newest, pullRequests: [] };
}

function ofPullRequest(event: WorkflowEvent): RunPurpose {
  const parsed = pullRequestSchema.safeParse(event.payload);
  if (!parsed.success) throw refused(event, 'its payload names no pull request.');
  const { number, head } = parsed.data.pull_request;
  // GITHUB_SHA is the test merge, which exists nowhere else.
  const own = head.repo?.full_name.toLowerCase() === event.repository.toLowerCase();
  const withoutSecrets = !own || event.actor === 'dependabot[bot]';
  const purpose = { mode: 'plan', sourceSha: head.sha, commits: [], pullRequests: [number] } as const;
  return withoutSecrets ? { ...purpose, withoutSecrets } : purpose;
}

function ofWorkflowRun(event: WorkflowEvent): RunPurpose {
  const parsed = workflowRunSchema.safeParse(event.payload);
  if (!parsed.success) throw refused(event, 'its payload names no run.');
  const run = parsed.data.workflow_run;
  if (run.head_repository?.full_name.toLowerCase() !== event.repository.toLowerCase()) {
    throw new Refusal('fork-or-dependabot', 'The workflow run that started this one comes from a fork.', {
      remedy: 'Release from runs of this repository only.',
    });
  }
  if (run.event !== 'push') throw refused(event, `the run was started by ${run.event}, not by a push.`);
  if (run.conclusion !== 'success')
    throw refused(event, `the run ended with ${run.conclusion ?? 'nothing yet'}.`);
  return { mode: 'release', sourceSha: run.head_sha, commits: [run.head_sha], pullRequests: [] };
}

function refused(event: WorkflowEvent, why: string): Refusal {
  return new Refusal('event-not-allowed', `A rollout does not start from ${event.name}: ${why}`, {
    remedy:
      'Start it from push, workflow_dispatch, release, or workflow_run after a push; from pull_request it plans.',
  });
}
