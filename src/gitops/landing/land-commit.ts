import { httpFailure } from '../../github/http-errors.ts';
import { type GitHubRefusal, refusalOf } from '../../github/refusal.ts';
import { jitteredDelay, retryDelay } from '../../github/retry.ts';
import type { WriteRefusal } from '../../rollout/ports.ts';
import { Refusal } from '../../rollout/verdict.ts';
import type { GitCommit, GitData, TreeEdit } from '../git-data.ts';
import type { BranchHead, Head } from './branch-head.ts';
import { mayPass } from './may-pass.ts';
import { moveBranch } from './move-branch.ts';

/** A fresh object may be unknown to the replica that is asked next, ms. */
const FRESH_OBJECT_MS = 10_000;
/** How often words that may mean a rule are taken for a race because the head moved as well. */
const MAX_AMBIGUOUS = 3;

/** What to write on a head, or why not to write at all. */
export type Prepared<T> =
  | { readonly kind: 'write'; readonly baseTree: string; readonly edits: readonly TreeEdit[] }
  | { readonly kind: 'stop'; readonly outcome: T };

export interface Landing<T> {
  readonly branch: BranchHead;
  readonly message: string;
  readonly mustBeVerified: boolean;
  readonly beforePush: (sha: string) => Promise<void> | void;
  /** A commit that the head must hold; else the newest that is known to be on the branch. */
  readonly holding?: string;
  /** Called for each attempt with the branch's head. */
  readonly prepare: (head: Head) => Promise<Prepared<T>>;
  /** By the clock, ms: no attempt is begun after it. */
  readonly deadline: number;
  /** How long a "no" that may pass is asked again, ms from the first one; limits and lost answers: to the deadline. */
  readonly patienceMs: number;
  /** Longest wait between attempts that GitHub does not ask for, ms. */
  readonly maxDelayMs: number;
}

export type Landed<T> =
  | { readonly kind: 'landed'; readonly commit: GitCommit }
  | { readonly kind: 'stopped'; readonly outcome: T }
  /** Nothing of it is on the branch, and nothing can come. */
  | ({ readonly kind: 'refused' } & GitHubRefusal)
  /** The branch may hold the commit, or be moved to it still: nobody could say. */
  | { readonly kind: 'unsure'; readonly commit: GitCommit; readonly refusal: GitHubRefusal };

/**
 * Reads the head, builds a commit on it, and moves the branch, again and again until it lands, is refused, or the
 * time is over. Each lost race starts anew from the new head: a tree is never put on a head it was not checked against,
 * and no attempt is begun while another's fate is not known.
 * @throws errors that are none of GitHub's, those of `beforePush` among them.
 */
export async function landCommit<T>(landing: Landing<T>): Promise<Landed<T>> {
  const { clock, random } = landing.branch.git.client;
  const tries: Tries = { races: 0, ambiguous: 0, patientUntil: undefined };
  for (let attempt = 0; ; attempt += 1) {
    try {
      const landed = await tryOnce(landing, tries);
      if (landed !== 'again') return landed;
      const delay = jitteredDelay(tries.races, { random, maxDelayMs: landing.maxDelayMs });
      if (clock.now() + delay > landing.deadline) return contended(tries.races, landing);
      await clock.sleep(delay);
    } catch (error) {
      const delay = delayAfter(error, { attempt, landing, tries });
      if (delay === undefined) return asRefused(error, landing);
      await clock.sleep(delay);
    }
  }
}

interface Tries {
  races: number;
  ambiguous: number;
  /** Set by the first "no" that may pass. */
  patientUntil: number | undefined;
}

async function tryOnce<T>(landing: Landing<T>, tries: Tries): Promise<Landed<T> | 'again'> {
  const { branch } = landing;
  const head = await branch.read(landing.holding);
  const prepared = await landing.prepare(head);
  if (prepared.kind === 'stop') return { kind: 'stopped', outcome: prepared.outcome };
  const commit = await buildCommit(landing, { parent: head.sha, ...prepared });
  if (landing.mustBeVerified && !commit.verified) return unsigned(commit, landing);
  await landing.beforePush(commit.sha);
  const result = await moveBranch({
    branch,
    sha: commit.sha,
    parent: head.sha,
    deadline: landing.deadline,
    patientUntil: patientUntil(landing, tries),
    maxDelayMs: landing.maxDelayMs,
  });
  switch (result.kind) {
    case 'moved':
      branch.known(commit.sha);
      return { kind: 'landed', commit };
    case 'refused':
      return { kind: 'refused', ...result.refusal };
    case 'unsure':
      return { kind: 'unsure', commit, refusal: result.refusal };
    case 'race':
      tries.races += 1;
      tries.ambiguous += result.ambiguous ? 1 : 0;
      return tries.ambiguous >= MAX_AMBIGUOUS ? { kind: 'refused', ...result.refusal } : 'again';
  }
}

function patientUntil<T>({ branch, patienceMs, deadline }: Landing<T>, tries: Tries): number {
  tries.patientUntil ??= Math.min(deadline, branch.git.client.clock.now() + patienceMs);
  return tries.patientUntil;
}

/** How long to wait after a failure before the branch was touched; undefined when waiting would not help. */
function delayAfter<T>(
  error: unknown,
  {
    attempt,
    landing,
    tries,
  }: { readonly attempt: number; readonly landing: Landing<T>; readonly tries: Tries },
): number | undefined {
  if (!mayPass(error)) return undefined;
  const { clock, random } = landing.branch.git.client;
  const { maxDelayMs } = landing;
  const asked = retryDelay(error, attempt, { clock, random, budgetMs: 0, maxDelayMs });
  const delay = asked ?? 200 + jitteredDelay(attempt, { random, maxDelayMs: Math.max(maxDelayMs, 2_000) });
  // Limits, lost answers and 5xx pass for certain; any other "no" only perhaps.
  const until = asked === undefined ? patientUntil(landing, tries) : landing.deadline;
  return clock.now() + delay > until ? undefined : delay;
}

async function buildCommit<T>(
  landing: Landing<T>,
  on: { readonly parent: string; readonly baseTree: string; readonly edits: readonly TreeEdit[] },
): Promise<GitCommit> {
  const { git } = landing.branch;
  const { message } = landing;
  const tree =
    on.edits.length === 0 ? on.baseTree : await untilSeen(git, () => git.createTree(on.baseTree, on.edits));
  return await untilSeen(git, () => git.createCommit({ tree, parent: on.parent, message }));
}

/** Repeats a call for as long as GitHub may not have seen yet what it told us a moment ago. */
async function untilSeen<T>(git: GitData, call: () => Promise<T>): Promise<T> {
  const { clock, random } = git.client;
  const end = clock.now() + FRESH_OBJECT_MS;
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      const failure = httpFailure(error);
      // "Tree SHA does not exist", "base_tree is not a valid tree oid", "Parent SHA does not exist".
      const unseen =
        failure?.kind === 'answer' &&
        failure.status === 422 &&
        /does not exist|not a valid tree oid/i.test(failure.message);
      const delay = 200 + jitteredDelay(attempt, { random, maxDelayMs: 2_000 });
      if (!unseen || clock.now() + delay > end) throw error;
      await clock.sleep(delay);
    }
  }
}

type Where = Pick<Landing<never>, 'branch'>;

function asRefused(error: unknown, { branch }: Where) {
  if (error instanceof Refusal && error.reason === 'unsupported-file') {
    return refused({ reason: error.reason, detail: error.message, remedy: error.remedy ?? '' });
  }
  const doing = `commit to the branch ${branch.branch}`;
  const refusal = refusalOf(error, { repository: branch.git.repository, doing, branch: branch.branch });
  if (refusal === undefined) throw error;
  return refused(refusal);
}

function refused(refusal: GitHubRefusal): { readonly kind: 'refused' } & GitHubRefusal {
  return { kind: 'refused', ...refusal };
}

function unsigned(commit: GitCommit, { branch }: Where) {
  const reason: WriteRefusal = 'unsigned-commit';
  const { owner, repo } = branch.git.repository;
  return refused({
    reason,
    detail: `GitHub did not sign our commit ${commit.sha}, and ${branch.branch} of ${owner}/${repo} (or Flux) takes signed commits only. The branch was not moved.`,
    remedy:
      'Use a GitHub App (app-client-id and app-private-key): GitHub signs its commits, those of personal tokens it does not. On GitHub Enterprise Server an administrator must turn signing on.',
  });
}

function contended(tries: number, { branch }: Where) {
  const reason: WriteRefusal = 'branch-contended';
  const { owner, repo } = branch.git.repository;
  return refused({
    reason,
    detail: `Other commits to ${branch.branch} of ${owner}/${repo} were first ${tries} times, until the time for it was used up.`,
    remedy: 'Release several canaries in one commit, or let fewer jobs commit at once (max-parallel).',
  });
}
