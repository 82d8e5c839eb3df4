import type { Observation } from '../rollout/observation.ts';
import { withProvenRestore } from './restore-texts.ts';
import type { RolloutRecord } from './rollout-record.ts';
import { recordFromTrailers } from './rollout-record.ts';
import type { FoundRollout, RunGitOps } from './parts.ts';

/** A rollout whose run ended before it did: followed by nobody, reverted by nobody. */
export interface UnfinishedRollout extends FoundRollout {
  readonly record: RolloutRecord;
}

/**
 * The newest rollout of this name that nobody has ended. It is unfinished when it was not reverted, not every primary
 * runs it, and it is still what is asked for: live on a target, or, if it never arrived, unchanged at the branch's
 * head. A rollout that was promoted once is finished, whatever anybody did later.
 */
export async function findUnfinished(on: {
  readonly gitops: RunGitOps;
  readonly name: string;
  readonly observation: Observation;
}): Promise<UnfinishedRollout | undefined> {
  const { gitops, observation } = on;
  // Older ones were replaced by the newest, or were ended before it was allowed to begin.
  const newest = await gitops.newestRollout(on.name);
  const told = newest && recordFromTrailers(newest.trailers);
  if (!newest || !told || newest.revert) return undefined;
  const record = await withProvenRestore(gitops, newest.commit, told);
  const views = record.baselines.map(baseline => observation.targets[baseline.target]);
  if (views.some(view => view === undefined)) return undefined;
  if (isEnded(record, observation)) return undefined;
  if (views.some(view => view?.target?.rolloutId === record.id)) return { ...newest, record };
  return (await isAskedFor(gitops, newest)) ? { ...newest, record } : undefined;
}

function isEnded(record: RolloutRecord, observation: Observation): boolean {
  return record.baselines.every(({ target }) => {
    const view = observation.targets[target];
    if (record.kind === 'adoption') return view?.canary?.phase === 'Initialized';
    return view?.primary?.rolloutId === record.id;
  });
}

/** Every file of the commit is at the head as the commit left it. */
async function isAskedFor(gitops: RunGitOps, rollout: FoundRollout): Promise<boolean> {
  const files = await gitops.filesAt(await gitops.head());
  const same = await Promise.all(
    rollout.commit.files.map(async file => (await files.read(file.path))?.sha === file.after.sha),
  );
  return same.every(Boolean);
}
