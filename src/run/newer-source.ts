import type { Observation } from '../rollout/observation.ts';
import type { Outcome } from '../rollout/verdict.ts';
import type { RunParts } from './parts.ts';

/**
 * An old release never overtakes a newer one: a re-run, or an approval given late, would put back what others have
 * replaced since. Undefined when nothing newer runs, or when going back is wanted.
 */
export async function newerSource(
  parts: Pick<RunParts, 'inputs' | 'run' | 'sourceRelation'>,
  observation: Observation,
): Promise<Outcome | undefined> {
  if (parts.inputs.allowDowngrade) return undefined;
  const delivered = new Map(
    Object.entries(observation.targets).flatMap(([target, { target: workload }]) =>
      workload?.sourceSha === undefined ? [] : [[workload.sourceSha, target] as const],
    ),
  );
  for (const [sha, target] of delivered) {
    if ((await parts.sourceRelation(sha)) !== 'behind') continue;
    return {
      verdict: 'superseded',
      reason: 'source-is-older',
      detail: `${target} runs a release of ${sha.slice(0, 7)}, which is newer than ours (${parts.run.sha.slice(0, 7)}) in ${parts.run.repository}. Nothing was written.`,
      remedy:
        'To go back on purpose, give the input allow-downgrade, or release a commit that reverts the newer one.',
    };
  }
  return undefined;
}
