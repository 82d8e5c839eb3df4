import type { Observation } from '../rollout/observation.ts';
import { withProvenRestore } from './restore-texts.ts';
import type { RolloutRecord } from './rollout-record.ts';
import { recordFromTrailers } from './rollout-record.ts';
import type { FoundRollout, RunGitOps } from './parts.ts';
import { isIdOf } from './rollout-id.ts';

/** A rollout whose run ended before it did: followed by nobody, reverted by nobody. */
export interface UnfinishedRollout extends FoundRollout {
  readonly record: RolloutRecord;
}

/** What is left of the runs before. */
export type Unfinished =
  | { readonly kind: 'none' }
  | { readonly kind: 'found'; readonly rollout: UnfinishedRollout }
  /** Something is left, and this run cannot follow it. */
  | { readonly kind: 'unseen'; readonly why: string; readonly remedy: string };

/**
 * The newest rollout of this name that nobody has ended. It is unfinished when it was not reverted, not every primary
 * runs it, and it is still what is asked for: live on a target, or, if it never arrived, unchanged at the branch's
 * head. A rollout that was promoted once is finished, whatever anybody did later. The cluster is asked as well as the
 * history: an id that a target carries and its primary does not belongs to a rollout, however long ago it was.
 */
export async function findUnfinished(on: {
  readonly gitops: RunGitOps;
  readonly name: string;
  readonly observation: Observation;
}): Promise<Unfinished> {
  const { gitops, name, observation } = on;
  const newest = await gitops.newestRollout(name);
  const ofNewest = newest ? await judged(newest, on) : NONE;
  if (ofNewest.kind !== 'none') return ofNewest;
  const stray = strayIds(observation, name).find(
    ({ id }) => id !== (newest && recordFromTrailers(newest.trailers)?.id),
  );
  if (stray === undefined) return NONE;
  const sha = await gitops.commitOfId(stray.id);
  const rollout = sha === undefined ? undefined : await gitops.rolloutAt(sha);
  if (rollout !== undefined) return await judged(rollout, on);
  return {
    kind: 'unseen',
    why: `${stray.target} carries the rollout ${stray.id}, which its primary does not run, and no commit of it was found in the newer history of the branch.`,
    remedy: `Look at the Canary of ${stray.target}, and for the commit: git log --grep=${stray.id}. Take it back by hand (git revert), or release again.`,
  };
}

const NONE: Unfinished = { kind: 'none' };

async function judged(
  rollout: FoundRollout,
  { gitops, observation }: { readonly gitops: RunGitOps; readonly observation: Observation },
): Promise<Unfinished> {
  const told = recordFromTrailers(rollout.trailers);
  if (!told || rollout.revert) return NONE;
  const record = await withProvenRestore(gitops, rollout.commit, told);
  const views = record.baselines.map(baseline => observation.targets[baseline.target]);
  if (views.some(view => view === undefined)) {
    if (!(await isAskedFor(gitops, rollout))) return NONE;
    const targets = record.baselines.map(({ target }) => target).join(', ');
    return {
      kind: 'unseen',
      why: `The rollout ${record.id} of ${targets} was not ended in Git, and rollout.yaml names other targets now, so that nobody looks whether it was promoted.`,
      remedy: `Look at the Canary of ${targets}; run a sweep with a rollout.yaml that names them, or release again.`,
    };
  }
  if (isEnded(record, observation)) return NONE;
  const live = views.some(view => view?.target?.rolloutId === record.id);
  return live || (await isAskedFor(gitops, rollout))
    ? { kind: 'found', rollout: { ...rollout, record } }
    : NONE;
}

/** Ids of rollouts of this name that are live on a target, and that its primary does not run. */
function strayIds(
  observation: Observation,
  name: string,
): readonly { readonly target: string; readonly id: string }[] {
  return Object.entries(observation.targets).flatMap(([target, { target: live, primary }]) => {
    const id = live?.rolloutId;
    return id !== undefined && isIdOf(name, id) && primary?.rolloutId !== id ? [{ target, id }] : [];
  });
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
