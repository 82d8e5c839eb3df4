import type { CanaryBaseline } from '../rollout/baseline.ts';
import type { Settlement } from '../rollout/settlement.ts';
import type { RestorePoint } from '../rollout/state.ts';
import type { TargetKey } from '../rollout/target.ts';

/** The commit of ours whose rollout id a pod template carries, if it is still to be found on the branch. */
export type FindCommitOfId = (id: string) => Promise<string | undefined>;

/**
 * What a failing release is put back to. On a settled baseline that is the parent commit. When the release before was
 * rejected and never reverted, the parent holds rejected code: then it is the commit that the primary runs.
 */
export async function restorePointOf(
  baselines: readonly CanaryBaseline[],
  settlements: Readonly<Record<TargetKey, Settlement>>,
  find: FindCommitOfId,
): Promise<RestorePoint> {
  const failed = baselines.filter(baseline => settlements[baseline.target]?.kind === 'failed');
  if (failed.length === 0) return { kind: 'parent' };
  const names = failed.map(baseline => baseline.target).join(', ');
  if (failed.length < baselines.length) {
    return {
      kind: 'none',
      why: `The release before was rejected for ${names} only and never reverted, so no single commit is what all primaries run.`,
    };
  }
  const ids = new Set(failed.map(baseline => baseline.primaryId));
  const [id] = ids;
  if (ids.size !== 1 || id === undefined) {
    return {
      kind: 'none',
      why: `The release before was rejected and never reverted, and the primary of ${names} carries no single rollout id that would name the commit it runs.`,
    };
  }
  const sha = await find(id);
  return sha === undefined
    ? {
        kind: 'none',
        why: `The primary of ${names} carries the id ${id}, and no commit of ours with it was found.`,
      }
    : { kind: 'commit', sha };
}
