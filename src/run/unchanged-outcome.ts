import type { ReleasePlan } from '../plan/plan.ts';
import type { Outcome } from '../rollout/verdict.ts';

/** Nothing to commit, and proven to run. */
export function unchangedOutcome(plan: ReleasePlan): Outcome {
  const values = [...new Set(plan.found.map(({ change, requested }) => `${change} ${requested}`))];
  return {
    verdict: 'unchanged',
    reason: 'already-running',
    detail: `The target and its primary run ${values.join(', ')} already, and nothing is going on. Nothing was written.`,
  };
}
