import type { RolloutView } from '../report/view.ts';
import { beginRevert } from '../rollout/begin-revert.ts';
import { driveOnce } from '../rollout/drive.ts';
import type { ClusterView } from '../rollout/ports.ts';
import type { Intent, Transition } from '../rollout/state.ts';
import { startFollowing, transition } from '../rollout/transition.ts';
import { withOpened } from './barrier-files.ts';
import { blindView } from './blind-view.ts';
import { intentOf } from './commit-rollout.ts';
import { cancelledBeforeCommit } from './end-of-run.ts';
import { followRollout } from './follow-rollout.ts';
import type { Memory } from './memory.ts';
import { objectsOf } from './observed-objects.ts';
import type { FoundRollout, OpenedRepository, RunParts } from './parts.ts';
import { readRestoreTexts } from './restore-texts.ts';
import { recordFromTrailers, type RolloutRecord } from './rollout-record.ts';
import { RunReport } from './run-report.ts';
import { reportOf } from './take-up.ts';

/** A cancelled job is ended by force some five minutes later; the last report needs some of them (ms). */
const LONGEST_LOOK_MS = 4 * 60_000;
/** A push whose process was killed may still be on its way at GitHub (ms). */
const LATE_PUSH_MS = 5_000;

/**
 * What main could not end, ended: a rollout that is on the branch is looked at once more, and taken back unless it
 * turns out to have been promoted. `leaveMarker` keeps a main that is still alive from writing.
 */
export async function postStep(
  parts: RunParts,
  memory: Memory,
  leaveMarker: () => Promise<void>,
): Promise<RolloutView> {
  await leaveMarker();
  const repository = await parts.openRepository(memory.branch);
  const found = await findOnBranch(parts, repository, memory.commit);
  const record = found && recordFromTrailers(found.trailers);
  if (!found || !record) return await reportNeverPushed(parts, repository, memory);

  const report = reportOf(parts, repository, {
    record,
    note: 'The step ended before the rollout did; its post step ends it.',
  });
  const view = await openView(parts, record);
  try {
    const intent = intentInPost(parts, record);
    const restoreTexts = await readRestoreTexts(repository.gitops, found.commit, record.restore);
    const first = await takeOver(parts, { intent, found, memory, view, repository });
    const ended = await followRollout(parts, { first, view, repository, restoreTexts, report });
    return await report.finish(ended.view);
  } finally {
    await view.close();
  }
}

async function findOnBranch(
  parts: Pick<RunParts, 'clock'>,
  { gitops }: OpenedRepository,
  commit: string,
): Promise<FoundRollout | undefined> {
  if (!(await gitops.holds(commit))) {
    await parts.clock.sleep(LATE_PUSH_MS);
    if (!(await gitops.holds(commit))) return undefined;
  }
  return await gitops.rolloutAt(commit);
}

/** One look, so that a rollout that was promoted while nobody watched is not taken back; then the cancel. */
async function takeOver(
  parts: Pick<RunParts, 'clock'>,
  on: {
    readonly intent: Intent;
    readonly found: FoundRollout;
    readonly memory: Memory;
    readonly view: ClusterView;
    readonly repository: OpenedRepository;
  },
): Promise<Transition> {
  const { memory, view, repository } = on;
  const started = startFollowing(on.intent, withOpened(on.found.commit), parts.clock.now());
  const seen = await driveOnce(started.state, {
    cluster: view,
    gitops: repository.gitops,
    clock: parts.clock,
  });
  if (memory.cause) {
    // It was decided already: what is seen now (our own revert, perhaps) only tells in which form.
    const { observation, known, tracks } = seen.state;
    const looked = { ...started.state, known, tracks, ...(observation ? { observation } : {}) };
    return beginRevert(looked, memory.cause, parts.clock.now());
  }
  if (seen.state.phase !== 'following') return seen;
  return transition(seen.state, { type: 'cancelled', by: 'main stopped before it ended' }, parts.clock.now());
}

function intentInPost(parts: RunParts, record: RolloutRecord): Intent {
  const intent = intentOf(parts, record);
  const backMs = Math.min(intent.limits.backMs, LONGEST_LOOK_MS);
  return { ...intent, limits: { ...intent.limits, backMs, jobEndsAt: undefined } };
}

/** Without the cluster Git is put right all the same. */
async function openView(parts: RunParts, record: RolloutRecord): Promise<ClusterView> {
  try {
    const chains = await parts.cluster.trace();
    return parts.cluster.view({ chains, objects: objectsOf(parts.rollout) });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    parts.say(`The cluster cannot be seen (${why}); Git is put right without it for ${record.id}.`);
    return blindView(parts.clock, why);
  }
}

async function reportNeverPushed(
  parts: RunParts,
  repository: OpenedRepository,
  memory: Memory,
): Promise<RolloutView> {
  const { run, rollout } = parts;
  const report = new RunReport({
    clock: parts.clock,
    reporter: parts.reporterFor({ id: memory.id, sourceSha: run.sha }),
    frame: {
      id: memory.id,
      name: rollout.name,
      startedAt: parts.startedAt,
      source: { repository: run.repository, sha: run.sha, runUrl: run.url },
      gitops: repository.name,
      changes: [],
      notes: [],
    },
  });
  return await report.end(cancelledBeforeCommit('main stopped before its commit was on the branch'));
}
