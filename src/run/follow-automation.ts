import type { FoundValue, ReleasePlan } from '../plan/plan.ts';
import type { RolloutView } from '../report/view.ts';
import { holdsAll, isOfTemplate } from '../rollout/identity.ts';
import type { FluxChain, Observation } from '../rollout/observation.ts';
import type { ClusterView } from '../rollout/ports.ts';
import type { RestorePoint } from '../rollout/state.ts';
import type { TargetKey } from '../rollout/target.ts';
import { NOTHING_SEEN } from '../rollout/proven.ts';
import { startFollowing } from '../rollout/transition.ts';
import type { Automations } from './automations.ts';
import { type Arrival, awaitAutomation } from './await-automation.ts';
import { type Brought, findBringingCommit } from './bringing-commit.ts';
import { intentOf } from './commit-rollout.ts';
import { followRollout } from './follow-rollout.ts';
import { newerSource } from './newer-source.ts';
import { CancelledBeforeCommit, type OpenedRepository, type RunParts } from './parts.ts';
import { stamperOf } from './restored-stamps.ts';
import { revertId } from './rollout-id.ts';
import { type RolloutRecord, trailersOf } from './rollout-record.ts';
import type { RunReport } from './run-report.ts';
import { checkTime } from './time-left.ts';
import { unchangedOutcome } from './unchanged-outcome.ts';

export interface FollowingOn {
  readonly chains: Readonly<Record<TargetKey, FluxChain>>;
  readonly repository: OpenedRepository;
  readonly view: ClusterView;
  readonly report: RunReport;
  readonly automations: Automations;
}

/**
 * A release that image automation commits: waited for, followed, and taken back like one of ours. Nothing is written
 * as long as it goes well. Undefined when none of the lines is its own, or a Canary has to be added first.
 * @throws as release does.
 */
export async function followAutomation(parts: RunParts, on: FollowingOn): Promise<RolloutView | undefined> {
  if (parts.rollout.imageAutomation !== 'follow') return undefined;
  const { view, report, repository } = on;
  const { gitops } = repository;
  const planAt = plansOf(parts, on);
  const observation = await view.read();
  const first = await planAt(await gitops.head(), observation);
  if (!first.follows || first.adoption.length > 0) return undefined;
  const newer = await newerSource(parts, observation);
  if (newer) return await report.end(newer);
  report.planned(first.found);
  checkTime(parts, first);
  const paths = [...new Set(first.found.map(({ path }) => path))];
  await on.automations.mayFollow(paths, { arrived: first.unchanged });
  report.stage('applying');
  const arrival = await awaitAutomation(parts, { view, gitops, report, planAt });
  if (arrival.kind === 'running') return await report.end(unchangedOutcome(arrival.plan));
  const brought = await findBringingCommit({
    gitops,
    plan: arrival.plan,
    isConcerned: ({ target }) => arrival.baselines.some(baseline => baseline.target === target),
    planAt: commit => planAt(commit, arrival.observation),
  });
  return await followBrought(parts, on, { arrival, brought });
}

/** Plans by commit: the branch is looked at every few seconds, and a tree never changes. */
function plansOf(parts: RunParts, { repository, chains, report }: FollowingOn) {
  const plans = new Map<string, Promise<ReleasePlan>>();
  return (commit: string, observation: Observation): Promise<ReleasePlan> => {
    const known = plans.get(commit);
    if (known) return known;
    const planned = repository.gitops
      .filesAt(commit)
      .then(files => parts.planner.plan({ files, chains, observation, rolloutId: report.frame.id }));
    plans.set(commit, planned);
    return planned;
  };
}

async function followBrought(
  parts: RunParts,
  on: FollowingOn,
  {
    arrival,
    brought,
  }: { readonly arrival: Extract<Arrival, { kind: 'arrived' }>; readonly brought: Brought },
): Promise<RolloutView> {
  const { report, repository, automations, view } = on;
  const { gitops, name } = repository;
  const { commit, followed: files } = brought;
  const record = recordOf(parts, { arrival, brought, id: report.frame.id });
  const stamp = stamperOf(parts, {
    gitops,
    chains: on.chains,
    observation: arrival.observation,
    commit,
    id: revertId(record.id),
  });
  // Asked now, so that nothing has to be read for it when a cancelled job has seconds.
  await stamp(record.baselines.map(({ target }) => target));
  if (parts.cancel.aborted) throw new CancelledBeforeCommit();
  const followed = { trailers: trailersOf(record), files: files.files };
  parts.remember({ id: record.id, branch: name.branch, commit: commit.sha, ended: false, followed });
  report.planned(brought.before);
  report.note(`The commit ${commit.sha.slice(0, 7)} brought the release; it is not ours, and is followed.`);
  const ended = await followRollout(parts, {
    first: startFollowing(intentOf(parts, record), commit, parts.clock.now(), NOTHING_SEEN),
    view,
    repository,
    restoreTexts: new Map(),
    report,
    automations,
    stamp,
    followed,
  });
  return await report.finish(ended.view);
}

function recordOf(
  parts: Pick<RunParts, 'run' | 'rollout'>,
  on: {
    readonly arrival: Extract<Arrival, { kind: 'arrived' }>;
    readonly brought: Brought;
    readonly id: string;
  },
): RolloutRecord {
  const { plan, baselines, observation } = on.arrival;
  const targets = new Set(baselines.map(({ target }) => target));
  const { repository, sha, url } = parts.run;
  return {
    id: on.id,
    name: parts.rollout.name,
    kind: 'release',
    identity: 'values',
    source: { repository, sha },
    runUrl: url,
    baselines,
    expectations: plan.expectations.filter(({ target }) => targets.has(target)),
    restore: restorePoint(on.brought.before, observation),
    barrier: false,
  };
}

/** What stood there before is what is put back, if that is what the primaries run. */
function restorePoint(before: readonly FoundValue[], observation: Observation): RestorePoint {
  const other = before.find(({ target, currentExpectation }) => {
    if (currentExpectation === undefined || !isOfTemplate(currentExpectation)) return false;
    return !holdsAll([currentExpectation], observation.targets[target]?.primary?.template);
  });
  if (!other) return { kind: 'parent' };
  return {
    kind: 'none',
    why: `Before it ${other.path} said ${other.current} for ${other.change}, and the primary of ${other.target} does not run that.`,
  };
}
