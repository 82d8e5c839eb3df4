import { sentence } from '../config/problem-text.ts';
import type { RolloutState } from '../rollout/state.ts';
import { takenBack } from '../rollout/outcome-text.ts';
import type { Outcome, Refusal } from '../rollout/verdict.ts';
import { withoutUrlSecrets } from '../secrets/public-urls.ts';

/** The words in which a run ends that has no rollout to follow to its end. */

export function refusedOutcome(refusal: Refusal): Outcome {
  return {
    verdict: 'refused',
    reason: refusal.reason,
    detail: `${sentence(refusal.message)} Nothing was written.`,
    ...(refusal.remedy === undefined ? {} : { remedy: refusal.remedy }),
  };
}

export function cancelledBeforeCommit(by: string): Outcome {
  return {
    verdict: 'cancelled',
    reason: 'job-cancelled',
    detail: `The job was cancelled (${by}) before anything was committed. Nothing was written.`,
  };
}

/** Main was cancelled and has pushed the revert; the post step, or a later run, proves the cluster back. */
export function revertPushedOutcome(state: Extract<RolloutState, { phase: 'verifyingRevert' }>): Outcome {
  return {
    verdict: 'revert-unverified',
    reason: state.cause.reason,
    detail: `${state.cause.detail} ${takenBack(state.revert)}; the cluster has not been seen to be back yet.`,
    remedy:
      'The post step of this job goes on looking. If it cannot, look at Flux and the Canary; Git is right.',
  };
}

/** Something of ours broke while a commit of ours was on its way. */
export function brokenOutcome(error: unknown, commit: string | undefined): Outcome {
  const what = withoutUrlSecrets(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
  if (commit === undefined) {
    return {
      verdict: 'refused',
      reason: 'unexpected-error',
      detail: `Something of ours broke before anything was committed (${what}). Nothing was written.`,
      remedy: 'Run the job again with debug logging, and open an issue with its log if it stays.',
    };
  }
  return {
    verdict: 'unknown',
    reason: 'unexpected-error',
    detail: `Something of ours broke while the rollout was followed (${what}).`,
    remedy: `The post step of this job takes the commit back. If it says otherwise: git revert ${commit}`,
  };
}
