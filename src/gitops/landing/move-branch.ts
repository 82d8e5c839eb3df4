import { httpFailure, isUncertain, statusOf } from '../../github/http-errors.ts';
import { type GitHubRefusal, isNotFastForward, refusalOf } from '../../github/refusal.ts';
import { jitteredDelay, retryDelay } from '../../github/retry.ts';
import type { BranchHead } from './branch-head.ts';
import { mayPass } from './may-pass.ts';
import { whereIs } from './where-is.ts';

export interface BranchMove {
  readonly branch: BranchHead;
  readonly sha: string;
  /** The commit that the branch was at when ours was built. */
  readonly parent: string;
  /** By the clock, ms: until then lost answers, 5xx and limits are waited out. */
  readonly deadline: number;
  /** By the clock, ms: until then a "no" that may pass is asked again. */
  readonly patientUntil: number;
  readonly maxDelayMs: number;
}

export type MoveResult =
  | { readonly kind: 'moved' }
  /** Someone else was first. `ambiguous`: GitHub's words could as well mean a rule; only the moved head says race. */
  | { readonly kind: 'race'; readonly ambiguous: boolean; readonly refusal: GitHubRefusal }
  /** The branch was surely not moved. */
  | { readonly kind: 'refused'; readonly refusal: GitHubRefusal }
  /** An answer was lost, and nothing that came afterwards could tell what became of it. */
  | { readonly kind: 'unsure'; readonly refusal: GitHubRefusal };

/**
 * Moves a branch to our commit, and finds out what happened when no answer came: the same sha is sent again (harmless
 * if it has landed), then the branch's history is searched for it. From the first lost answer on no "no" is believed:
 * it may speak of the second update only.
 * @throws errors that are none of GitHub's.
 */
export async function moveBranch(move: BranchMove): Promise<MoveResult> {
  const { git, branch } = move.branch;
  const { clock } = git.client;
  let answerLost = false;
  for (let attempt = 0; ; attempt += 1) {
    try {
      await git.moveBranch(branch, move.sha);
      return { kind: 'moved' };
    } catch (error) {
      if (httpFailure(error) === undefined) throw error;
      answerLost ||= isUncertain(error);
      const race = await raceBehind(error, move);
      if (race === 'landed') return { kind: 'moved' };
      const delay = race === undefined ? delayBeforeResend(error, { attempt, move }) : undefined;
      if (delay !== undefined) {
        await clock.sleep(delay);
        continue;
      }
      const refusal = refusalFor(error, move);
      if (answerLost) {
        const where = await whereIs({ git, branch, sha: move.sha });
        if (where === 'on') return { kind: 'moved' };
        if (where === 'unknown') return { kind: 'unsure', refusal };
      }
      return race === undefined ? { kind: 'refused', refusal } : { kind: 'race', ...race, refusal };
    }
  }
}

/** Undefined when sending the same sha again cannot help, or there is no time left to wait. */
function delayBeforeResend(
  error: unknown,
  { attempt, move }: { readonly attempt: number; readonly move: BranchMove },
): number | undefined {
  const { clock, random } = move.branch.git.client;
  const { maxDelayMs, deadline, patientUntil } = move;
  const byItself = retryDelay(error, attempt, { clock, random, budgetMs: 0, maxDelayMs });
  if (byItself !== undefined) return clock.now() + byItself > deadline ? undefined : byItself;
  if (!mayPass(error)) return undefined;
  const delay = 200 + jitteredDelay(attempt, { random, maxDelayMs: Math.max(maxDelayMs, 2_000) });
  return clock.now() + delay > patientUntil ? undefined : delay;
}

/**
 * Whether a refusal is a lost race: GitHub says so, or the head is no longer what ours was built on. `landed`: the head
 * is ours; an earlier update had its effect.
 */
async function raceBehind(
  error: unknown,
  move: BranchMove,
): Promise<{ readonly ambiguous: boolean } | 'landed' | undefined> {
  if (isNotFastForward(error)) return { ambiguous: false };
  const status = statusOf(error);
  if (status !== 409 && status !== 422) return undefined;
  try {
    const head = await move.branch.read(move.parent);
    if (head.sha === move.sha) return 'landed';
    return head.sha === move.parent ? undefined : { ambiguous: true };
  } catch (failed) {
    if (httpFailure(failed) === undefined) throw failed;
    return undefined;
  }
}

function refusalFor(error: unknown, move: BranchMove): GitHubRefusal {
  const refusal = refusalOf(error, {
    repository: move.branch.git.repository,
    doing: `move the branch ${move.branch.branch}`,
    branch: move.branch.branch,
  });
  if (refusal === undefined) throw error;
  return refusal;
}
