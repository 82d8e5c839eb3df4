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
  /** The branch that it came from, where the event names one. */
  readonly branch?: string;
  /** Of the repository, where the event names it. */
  readonly defaultBranch?: string;
  /** Commits whose pull requests get a comment. */
  readonly commits: readonly string[];
  /** Pull requests known from the event itself. */
  readonly pullRequests: readonly number[];
  /** From a fork or Dependabot: there are no secrets, so no cluster can be asked and nothing can be reported to GitHub. */
  readonly withoutSecrets?: true;
}

const ZERO_SHA = /^0+$/;
const MAX_COMMITS = 20;

const repositorySchema = z.object({ repository: z.object({ default_branch: z.string() }) });
const pushSchema = z.object({
  deleted: z.boolean().default(false),
  commits: z.array(z.object({ id: z.string() })).default([]),
});
const releaseSchema = z.object({ action: z.string() });
const pullRequestSchema = z.object({
  pull_request: z.object({
    number: z.number(),
    state: z.string().default('open'),
    merged: z.boolean().nullish(),
    merge_commit_sha: z.string().nullish(),
    head: z.object({ sha: z.string(), repo: z.object({ full_name: z.string() }).nullable() }),
    base: z.object({ ref: z.string() }).optional(),
  }),
});
const workflowRunSchema = z.object({
  workflow_run: z.object({
    event: z.string(),
    head_sha: z.string(),
    head_branch: z.string().nullish(),
    conclusion: z.string().nullable(),
    head_repository: z.object({ full_name: z.string() }).nullable(),
  }),
});

/**
 * What a run shall do, from the event that started it: an allowlist, because each event means another commit by
 * GITHUB_SHA (docs "Events that trigger workflows"). Whether a branch that may be released holds the commit is asked
 * later (gitops/allowed-source.ts); what comes from a pull request never writes, whatever is wanted.
 * @throws Refusal `event-not-allowed`, `fork-or-dependabot`.
 */
export function purposeOf(event: WorkflowEvent, wanted: Inputs['mode']): RunPurpose {
  const purpose = byEvent(event, wanted);
  const defaultBranch = repositorySchema.safeParse(event.payload).data?.repository.default_branch;
  const known = defaultBranch === undefined ? purpose : { ...purpose, defaultBranch };
  if (wanted === 'auto' || wanted === known.mode) return known;
  if (known.mode === 'plan') {
    throw refused(
      event,
      `mode: ${wanted} would write to Git, and a pull request holds what nobody has merged yet.`,
    );
  }
  return { ...known, mode: wanted };
}

function byEvent(event: WorkflowEvent, wanted: Inputs['mode']): RunPurpose {
  switch (event.name) {
    case 'push':
      return ofPush(event);
    case 'release':
      return ofRelease(event);
    case 'workflow_dispatch':
    case 'repository_dispatch':
    case 'deployment':
      return ofRef(event, 'release');
    case 'schedule':
      // GITHUB_SHA is the default branch's last commit: released only when the workflow says so.
      return ofRef(event, wanted === 'release' ? 'release' : 'sweep');
    case 'pull_request':
      return ofPullRequest(event);
    case 'workflow_run':
      return ofWorkflowRun(event);
    case 'pull_request_target':
      throw refused(event, 'it runs with secrets for code that nobody has merged.');
    case 'merge_group':
      throw refused(event, 'its commit may never reach the branch.');
    default:
      throw refused(event, 'which commit it would release is not clear.');
  }
}

function ofRef({ sha, ref }: WorkflowEvent, mode: Mode): RunPurpose {
  const branch = /^refs\/heads\/(.+)$/.exec(ref)?.[1];
  return {
    mode,
    sourceSha: sha,
    ...(branch === undefined ? {} : { branch }),
    commits: [sha],
    pullRequests: [],
  };
}

function ofPush(event: WorkflowEvent): RunPurpose {
  const push = pushSchema.safeParse(event.payload);
  if (push.data?.deleted === true || ZERO_SHA.test(event.sha)) {
    throw refused(event, 'it deleted a branch or a tag.');
  }
  // Newest last; a squash or merge commit alone may not be associated with its pull request yet.
  const commits = (push.data?.commits ?? []).map(({ id }) => id);
  const newest = [...new Set([event.sha, ...commits.toReversed()])].slice(0, MAX_COMMITS);
  return { ...ofRef(event, 'release'), commits: newest };
}

/** `released` is a published release that is no prerelease; the other actions publish nothing, or take it away. */
function ofRelease(event: WorkflowEvent): RunPurpose {
  const action = releaseSchema.safeParse(event.payload).data?.action;
  if (action === 'published' || action === 'released') return ofRef(event, 'release');
  throw refused(
    event,
    action === undefined
      ? 'its payload does not say what was done with the release.'
      : `the release was ${action}, and only one that is published is rolled out (on: release: types: [published]).`,
  );
}

function ofPullRequest(event: WorkflowEvent): RunPurpose {
  const parsed = pullRequestSchema.safeParse(event.payload);
  if (!parsed.success) throw refused(event, 'its payload names no pull request.');
  const { number, head, base, merged, state, merge_commit_sha: mergeSha } = parsed.data.pull_request;
  if (merged === true) {
    const into = base === undefined ? '' : ` into ${base.ref}`;
    const as = mergeSha ? `, as ${mergeSha.slice(0, 7)}` : '';
    throw refused(
      event,
      `pull request ${number} has been merged${into}${as}; that push starts the release (on: push: branches: [${base?.ref ?? 'main'}]), and the pull request's own event only ever plans.`,
    );
  }
  if (state === 'closed') {
    throw refused(event, `pull request ${number} was closed without being merged; there is nothing to plan.`);
  }
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
  // GITHUB_REF is the default branch, whichever branch the run was of.
  return {
    mode: 'release',
    sourceSha: run.head_sha,
    ...(run.head_branch ? { branch: run.head_branch } : {}),
    commits: [run.head_sha],
    pullRequests: [],
  };
}

function refused(event: WorkflowEvent, why: string): Refusal {
  return new Refusal('event-not-allowed', `A rollout does not start from ${event.name}: ${why}`, {
    remedy:
      'Start it from push, workflow_dispatch, a release that is published, or workflow_run after a push; from pull_request it plans.',
  });
}
