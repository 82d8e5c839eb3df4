import type { Mode } from '../config/settings.ts';
import type { RolloutView } from '../report/view.ts';
import { Refusal } from '../rollout/verdict.ts';
import { refusedOutcome } from './end-of-run.ts';
import type { RunParts } from './parts.ts';
import { beginReport } from './run-step.ts';

/**
 * Ends a run that was started by a commit of our own, first of all: releasing it would start the next one, for ever.
 * Undefined when it was not.
 */
export async function endOwnCommit(
  parts: RunParts,
  on: { readonly isOwnCommit: () => Promise<boolean>; readonly mode: Mode },
): Promise<RolloutView | undefined> {
  if (on.mode !== 'release') return undefined;
  try {
    if (!(await on.isOwnCommit())) return undefined;
  } catch (error) {
    if (error instanceof Refusal) return await beginReport(parts).end(refusedOutcome(error));
    throw error;
  }
  return await beginReport(parts).end({
    verdict: 'unchanged',
    reason: 'own-commit',
    detail: `The commit ${parts.run.sha.slice(0, 7)}, which started this run, was made by Gated Rollout itself. Nothing was written.`,
  });
}
