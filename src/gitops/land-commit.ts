import { httpFailure } from '../github/http-errors.ts';
import { type GitHubRefusal, refusalOf } from '../github/refusal.ts';
import { jitteredDelay } from '../github/retry.ts';
import type { WriteRefusal } from '../rollout/ports.ts';
import { Refusal } from '../rollout/verdict.ts';
import type { GitCommit, GitData, TreeEdit } from './git-data.ts';
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
  readonly git: GitData;
  readonly branch: string;
  readonly message: string;
  readonly mustBeVerified: boolean;
  readonly beforePush: (sha: string) => Promise<void> | void;
  /**
   * Called for each attempt with the branch's head, and with the commits of earlier attempts: one of them may be on
   * the branch although no answer ever said so.
   */
  readonly prepare: (head: string, earlier: readonly GitCommit[]) => Promise<Prepared<T>>;
  /** For all attempts together, ms. */
  readonly budgetMs: number;
  /** Longest wait between attempts that GitHub does not ask for, ms. */
  readonly maxDelayMs: number;
}

export type Landed<T> =
  | { readonly kind: 'landed'; readonly commit: GitCommit; readonly parent: string }
  | { readonly kind: 'stopped'; readonly outcome: T }
  | ({ readonly kind: 'refused' } & GitHubRefusal);

/**
 * Reads the head, builds a commit on it, and moves the branch, again and again until it lands, is refused, or the
 * time is over. Each lost race starts anew from the new head: a tree is never put on a head it was not checked against.
 * @throws errors that are none of GitHub's, those of `beforePush` among them.
 */
export async function landCommit<T>(landing: Landing<T>): Promise<Landed<T>> {
  try {
    return await attempts(landing);
  } catch (error) {
    return asRefused(error, landing);
  }
}

async function attempts<T>(landing: Landing<T>): Promise<Landed<T>> {
  const { git, branch } = landing;
  const { clock, random } = git.client;
  const deadline = clock.now() + landing.budgetMs;
  const earlier: GitCommit[] = [];
  let ambiguous = 0;
  for (let attempt = 0; ; attempt += 1) {
    const parent = await git.head(branch);
    const prepared = await landing.prepare(parent, earlier);
    if (prepared.kind === 'stop') return { kind: 'stopped', outcome: prepared.outcome };
    const commit = await buildCommit(landing, { parent, ...prepared });
    if (landing.mustBeVerified && !commit.verified) return unsigned(commit, landing);
    earlier.push(commit);
    await landing.beforePush(commit.sha);
    const { maxDelayMs } = landing;
    const result = await moveBranch({ git, branch, sha: commit.sha, parent, deadline, maxDelayMs });
    if (result.kind === 'moved') return { kind: 'landed', commit, parent };
    if (result.kind === 'refused') return { kind: 'refused', ...result.refusal };
    ambiguous += result.ambiguous ? 1 : 0;
    if (ambiguous >= MAX_AMBIGUOUS) return { kind: 'refused', ...result.refusal };
    const delay = jitteredDelay(attempt, { random, maxDelayMs });
    if (clock.now() + delay > deadline) return contended(attempt + 1, landing);
    await clock.sleep(delay);
  }
}

async function buildCommit<T>(
  landing: Landing<T>,
  on: { readonly parent: string; readonly baseTree: string; readonly edits: readonly TreeEdit[] },
): Promise<GitCommit> {
  const { git, message } = landing;
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

function asRefused(error: unknown, { git, branch }: Pick<Landing<never>, 'git' | 'branch'>) {
  if (error instanceof Refusal && error.reason === 'unsupported-file') {
    return refused({ reason: error.reason, detail: error.message, remedy: error.remedy ?? '' });
  }
  const refusal = refusalOf(error, { repository: git.repository, doing: `commit to the branch ${branch}` });
  if (refusal === undefined) throw error;
  return refused(refusal);
}

function refused(refusal: GitHubRefusal): { readonly kind: 'refused' } & GitHubRefusal {
  return { kind: 'refused', ...refusal };
}

function unsigned<T>(commit: GitCommit, { git, branch }: Landing<T>) {
  const reason: WriteRefusal = 'unsigned-commit';
  const { owner, repo } = git.repository;
  return refused({
    reason,
    detail: `GitHub did not sign our commit ${commit.sha}, and ${branch} of ${owner}/${repo} (or Flux) takes signed commits only. The branch was not moved.`,
    remedy:
      'Use a GitHub App (app-client-id and app-private-key): GitHub signs its commits, those of personal tokens it does not. On GitHub Enterprise Server an administrator must turn signing on.',
  });
}

function contended<T>(tries: number, { git, branch, budgetMs }: Landing<T>) {
  const reason: WriteRefusal = 'branch-contended';
  const { owner, repo } = git.repository;
  return refused({
    reason,
    detail: `Other commits to ${branch} of ${owner}/${repo} were first ${tries} times in ${Math.round(budgetMs / 60_000)} minutes.`,
    remedy: 'Release several canaries in one commit, or let fewer jobs commit at once (max-parallel).',
  });
}
