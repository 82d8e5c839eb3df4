import { httpFailure, isUncertain, limitHit, statusOf } from '../github/http-errors.ts';
import { type GitHubRefusal, isNotFastForward, refusalOf } from '../github/refusal.ts';
import { jitteredDelay, retryDelay } from '../github/retry.ts';
import type { GitData } from './git-data.ts';

/** How long a stale replica may hide a commit that has landed (docs/github-review: reads lag behind writes), ms. */
const LOOK_FOR_LOST_ANSWER_MS = 10_000;
/** A ref update right after the commit was created may meet a replica that lacks it. */
const FRESH_OBJECT_MS = 10_000;

export interface BranchMove {
  readonly git: GitData;
  readonly branch: string;
  readonly sha: string;
  /** The commit that the branch was at when ours was built. */
  readonly parent: string;
  /** By the clock, ms: no try is begun after it. */
  readonly deadline: number;
  readonly maxDelayMs: number;
}

export type MoveResult =
  | { readonly kind: 'moved' }
  /** Someone else was first. `ambiguous`: GitHub's words could as well mean a rule; only the moved head says race. */
  | { readonly kind: 'race'; readonly ambiguous: boolean; readonly refusal: GitHubRefusal }
  | { readonly kind: 'refused'; readonly refusal: GitHubRefusal };

/**
 * Moves a branch to our commit, and finds out what happened when no answer came: the same sha is sent again first
 * (harmless if it has landed), then the branch's history is searched for it, and only then is it a lost race.
 * @throws errors that are none of GitHub's.
 */
export async function moveBranch(move: BranchMove): Promise<MoveResult> {
  const { clock } = move.git.client;
  const started = clock.now();
  let answerLost = false;
  for (let attempt = 0; ; attempt += 1) {
    try {
      await move.git.moveBranch(move.branch, move.sha);
      return { kind: 'moved' };
    } catch (error) {
      const delay = delayBeforeResend(error, { attempt, move, started });
      if (delay === undefined) return settle(error, { move, answerLost });
      answerLost ||= isUncertain(error);
      if (clock.now() + delay > move.deadline) {
        if (answerLost && (await hasLanded(move))) return { kind: 'moved' };
        return { kind: 'refused', refusal: refusalFor(error, move) };
      }
      await clock.sleep(delay);
    }
  }
}

/** Undefined when sending the same sha again cannot help. */
function delayBeforeResend(
  error: unknown,
  options: { readonly attempt: number; readonly move: BranchMove; readonly started: number },
): number | undefined {
  const { attempt, move, started } = options;
  const { clock, random } = move.git.client;
  const policy = { clock, random, budgetMs: 0, maxDelayMs: move.maxDelayMs };
  const delay = retryDelay(error, attempt, policy);
  if (delay !== undefined) return delay;
  // "Object does not exist": the commit is too fresh for the replica that was asked (seen by peter-evans).
  const failure = httpFailure(error);
  const unseen = statusOf(error) === 422 && /object does not exist/i.test(failure?.message ?? '');
  return unseen && clock.now() - started < FRESH_OBJECT_MS
    ? 200 + jitteredDelay(attempt, { random, maxDelayMs: 2_000 })
    : undefined;
}

/** The branch was not moved by this last try; by an earlier one, perhaps, or by someone else. */
async function settle(
  error: unknown,
  { move, answerLost }: { readonly move: BranchMove; readonly answerLost: boolean },
): Promise<MoveResult> {
  if (answerLost && (await hasLanded(move))) return { kind: 'moved' };
  const refusal = refusalFor(error, move);
  if (isNotFastForward(error)) return { kind: 'race', ambiguous: false, refusal };
  const status = statusOf(error);
  if (status !== 409 && status !== 422) return { kind: 'refused', refusal };
  const head = await move.git.head(move.branch);
  if (head === move.sha) return { kind: 'moved' };
  return head === move.parent ? { kind: 'refused', refusal } : { kind: 'race', ambiguous: true, refusal };
}

function refusalFor(error: unknown, move: BranchMove): GitHubRefusal {
  const refusal = refusalOf(error, {
    repository: move.git.repository,
    doing: `move the branch ${move.branch}`,
    branch: move.branch,
  });
  if (refusal === undefined) throw error;
  return refusal;
}

/** Whether our commit is in the branch's history, asked for a while because reads may lag behind. */
async function hasLanded(move: BranchMove): Promise<boolean> {
  const { clock, random } = move.git.client;
  const end = clock.now() + LOOK_FOR_LOST_ANSWER_MS;
  for (let attempt = 0; ; attempt += 1) {
    const status = await relation(move);
    if (status === 'identical' || status === 'ahead') return true;
    const delay = 500 + jitteredDelay(attempt, { random, maxDelayMs: 2_000 });
    if (clock.now() + delay > end) return false;
    await clock.sleep(delay);
  }
}

async function relation(move: BranchMove) {
  try {
    const comparison = await move.git.compare(move.sha, move.branch, { budgetMs: LOOK_FOR_LOST_ANSWER_MS });
    return comparison.status;
  } catch (error) {
    // 404: the replica does not know our commit yet. No answer at all is not "it has not landed" either.
    if (statusOf(error) === 404 || isUncertain(error)) return undefined;
    const failure = httpFailure(error);
    if (failure !== undefined && limitHit(failure, 0) !== undefined) return undefined;
    throw error;
  }
}
