import type { Mode } from '../config/settings.ts';
import type { RolloutView } from '../report/view.ts';
import { Refusal } from '../rollout/verdict.ts';
import { refusedOutcome } from './end-of-run.ts';
import type { RunParts, SourceOrigin } from './parts.ts';
import { beginReport } from './run-step.ts';

/**
 * Ends a run that was started by a commit of our own, first of all: releasing it would start the next one, for ever.
 * Where it may be our own and nobody can tell, a person is asked: to pass a release over in silence would be as wrong.
 * Undefined when it was not ours.
 */
export async function endOwnCommit(
  parts: RunParts,
  on: { readonly originOfSource: () => Promise<SourceOrigin>; readonly mode: Mode },
): Promise<RolloutView | undefined> {
  if (on.mode !== 'release') return undefined;
  const sha = parts.run.sha.slice(0, 7);
  try {
    switch (await on.originOfSource()) {
      case 'foreign':
        return undefined;
      case 'ours':
        return await beginReport(parts, 'release').end({
          verdict: 'unchanged',
          reason: 'own-commit',
          detail: `The commit ${sha}, which started this run, was made by Gated Rollout itself. Nothing was written.`,
        });
      case 'unknown':
        throw new Refusal(
          'own-commit-unproven',
          `The commit ${sha}, which started this run, says in its trailers that Gated Rollout made it, and GitHub neither confirms nor denies it: released, it could start itself for ever.`,
          {
            remedy:
              'If a person wrote it, start the release from a commit without the trailers Gated-Rollout…. If it is ours, keep its pushes from starting this workflow (paths-ignore), or use a GitHub App, whose commits GitHub signs.',
          },
        );
    }
  } catch (error) {
    if (error instanceof Refusal) return await beginReport(parts, 'release').end(refusedOutcome(error));
    throw error;
  }
}
