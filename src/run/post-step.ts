import type { RolloutView } from '../report/view.ts';
import { beginRevert } from '../rollout/begin-revert.ts';
import { allPromoted } from '../rollout/following.ts';
import { driveOnce } from '../rollout/drive.ts';
import type { ClusterView } from '../rollout/ports.ts';
import type { FluxChain, Observation } from '../rollout/observation.ts';
import { NOTHING_SEEN } from '../rollout/proven.ts';
import type { Intent, Transition } from '../rollout/state.ts';
import type { TargetKey } from '../rollout/target.ts';
import { startFollowing, transition } from '../rollout/transition.ts';
import { Automations } from './automations.ts';
import { withOpened } from './barrier-files.ts';
import { blindView } from './blind-view.ts';
import { intentOf } from './commit-rollout.ts';
import { cancelledBeforeCommit } from './end-of-run.ts';
import type { FollowParts } from './follow.ts';
import { followRollout } from './follow-rollout.ts';
import type { Memory } from './memory.ts';
import { objectsOf } from './observed-objects.ts';
import type { FoundRollout, OpenedRepository, RunGitOps, RunParts } from './parts.ts';
import { stamperOf } from './restored-stamps.ts';
import { readRestoreTexts, withProvenRestore } from './restore-texts.ts';
import { revertId } from './rollout-id.ts';
import { recordFromTrailers, type RolloutRecord } from './rollout-record.ts';
import { RunReport } from './run-report.ts';
import { reportOf } from './take-up.ts';

/** A cancelled job is ended by force some five minutes later; the last report needs some of them (ms). */
const LONGEST_LOOK_MS = 4 * 60_000;

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
  const found = await findOnBranch(repository, memory);
  const told = found && recordFromTrailers(found.trailers);
  if (!found || !told) return await reportNeverPushed(parts, repository, memory);
  const record = await withProvenRestore(repository.gitops, found.commit, told);
  const sight = await lookAtCluster(parts, memory.id);
  const { chains } = sight;
  const automations = new Automations(parts, chains);

  const report = reportOf(parts, repository, {
    record,
    note: 'The step ended before the rollout did; its post step ended it.',
    seen: memory.seen,
  });
  const view = openView(parts, sight);
  try {
    const intent = intentInPost(parts, record);
    const restoreTexts = await readRestoreTexts(repository.gitops, found.commit, record.restore);
    const first = await takeOver(parts, { intent, found, memory, view, repository });
    const ended = await followRollout(parts, {
      first,
      view,
      repository,
      restoreTexts,
      report,
      automations,
      ...followedOf(parts, {
        memory,
        chains,
        found,
        gitops: repository.gitops,
        seen: first.state.observation,
      }),
    });
    return await report.finish(ended.view);
  } finally {
    await view.close();
  }
}

async function findOnBranch(
  { gitops }: OpenedRepository,
  { commit, followed }: Memory,
): Promise<FoundRollout | undefined> {
  if (commit === undefined) return undefined;
  // Looks for longer than replicas lag, and than a push takes whose process was killed.
  if (!(await gitops.holds(commit))) return undefined;
  if (!followed) return await gitops.rolloutAt(commit);
  const { trailers, files } = followed;
  return { commit: await gitops.followed({ sha: commit, files }), trailers, revert: undefined };
}

/** What a commit of somebody else needs beside. */
function followedOf(
  parts: RunParts,
  on: {
    readonly memory: Memory;
    readonly chains: Chains | undefined;
    readonly found: FoundRollout;
    readonly gitops: RunGitOps;
    readonly seen: Observation | undefined;
  },
): Pick<FollowParts, 'stamp' | 'followed'> {
  const { memory, chains, found, gitops, seen: observation } = on;
  const { followed } = memory;
  if (!followed) return {};
  // What cannot be seen is put back plainly: nobody could tell where an id belongs.
  if (!chains || !observation) return { followed };
  const id = revertId(memory.id);
  const { commit } = found;
  return { followed, stamp: stamperOf(parts, { gitops, chains, observation, commit, id }) };
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
  const started = startFollowing(
    on.intent,
    withOpened(on.found.commit),
    parts.clock.now(),
    memory.seen ?? NOTHING_SEEN,
  );
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
  if (seen.state.phase !== 'following' || allPromoted(seen.state)) return seen;
  return transition(seen.state, { type: 'cancelled', by: 'main stopped before it ended' }, parts.clock.now());
}

function intentInPost(parts: RunParts, record: RolloutRecord): Intent {
  const intent = intentOf(parts, record);
  const backMs = Math.min(intent.limits.backMs, LONGEST_LOOK_MS);
  const revertBy = parts.clock.now() + LONGEST_LOOK_MS;
  return { ...intent, limits: { ...intent.limits, backMs, revertBy, jobEndsAt: undefined } };
}

type Chains = Readonly<Record<TargetKey, FluxChain>>;
type Sight = { readonly chains: Chains } | { readonly chains: undefined; readonly why: string };

/** Without the cluster Git is put right all the same. */
async function lookAtCluster(parts: RunParts, id: string): Promise<Sight> {
  try {
    return { chains: await parts.cluster.trace() };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    parts.say(`The cluster cannot be seen (${why}); Git is put right without it for ${id}.`);
    return { chains: undefined, why };
  }
}

function openView(parts: RunParts, sight: Sight): ClusterView {
  const { chains } = sight;
  if (chains === undefined) return blindView(parts.clock, sight.why);
  return parts.cluster.view({ chains, objects: objectsOf(parts.rollout) });
}

/** What was suspended for a commit that never came. */
async function resumeAutomation(parts: RunParts, id: string): Promise<readonly string[]> {
  if (parts.rollout.imageAutomation === 'refuse') return [];
  const { chains } = await lookAtCluster(parts, id);
  return (await new Automations(parts, chains).end(id, 'refused')).notes;
}

async function reportNeverPushed(
  parts: RunParts,
  repository: OpenedRepository,
  memory: Memory,
): Promise<RolloutView> {
  const { run, rollout } = parts;
  const notes = await resumeAutomation(parts, memory.id);
  const report = new RunReport({
    clock: parts.clock,
    reporter: parts.reporterFor({ id: memory.id, sourceSha: run.sha }),
    frame: {
      id: memory.id,
      name: rollout.name,
      purpose: 'release',
      startedAt: parts.startedAt,
      source: { repository: run.repository, sha: run.sha, runUrl: run.url },
      gitops: repository.name,
      changes: [],
      notes,
    },
  });
  return await report.end(cancelledBeforeCommit('main stopped before its commit was on the branch'));
}
