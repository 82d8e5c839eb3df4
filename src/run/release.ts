import type { ReleasePlan } from '../plan/plan.ts';
import type { RolloutView } from '../report/view.ts';
import type { FluxChain, Observation } from '../rollout/observation.ts';
import { objectsOf } from './observed-objects.ts';
import { targetKey } from '../rollout/target.ts';
import { startFollowing } from '../rollout/transition.ts';
import { type Outcome, Refusal } from '../rollout/verdict.ts';
import { alreadyRuns } from './already-running.ts';
import { Automations } from './automations.ts';
import { baselinesOf, type CommittedRollout, commitRollout, type RolloutToCommit } from './commit-rollout.ts';
import { adoptionText, releaseText } from './commit-text.ts';
import { settleEarlierHolds } from './earlier-holds.ts';
import { type FollowingOn, followAutomation } from './follow-automation.ts';
import { type FollowedRollout, followRollout } from './follow-rollout.ts';
import { metricCheck } from './metric-check.ts';
import { newerSource } from './newer-source.ts';
import { CancelledBeforeCommit, type RunParts } from './parts.ts';
import { planRelease } from './plan-release.ts';
import { restorePointOf } from './restore-point.ts';
import { readRestoreTexts } from './restore-texts.ts';
import { adoptionId } from './rollout-id.ts';
import type { RunReport } from './run-report.ts';
import { type Settled, settle } from './settle.ts';
import { takeUp } from './take-up.ts';
import { checkTime } from './time-left.ts';
import { unchangedOutcome } from './unchanged-outcome.ts';

/** Someone else's commits to the same files may outrun the plan; after so many times a person should look. */
const MAX_PLANS = 5;

/**
 * One release from nothing to its verdict: preflight, commit, follow, revert where needed. The order matters: nothing
 * is written before everything that can be known has said yes.
 * @throws Refusal, ClusterForbidden, ClusterUnavailable while nothing is written; CancelledBeforeCommit; LostCommit;
 * TakenOver.
 */
export async function release(parts: RunParts, report: RunReport): Promise<RolloutView> {
  report.stage('preparing');
  const chains = await parts.cluster.trace();
  const repository = await parts.openRepository(branchOf(chains));
  report.opened(repository.name);
  const view = parts.cluster.view({ chains, objects: objectsOf(parts.rollout) });
  try {
    // Before anything may refuse: what was left behind may be the very thing that would make us refuse.
    const automations = new Automations(parts, chains);
    const observation = await view.read();
    const taken = await takeUp(parts, { repository, view, observation, automations });
    refuseWhenCancelled(parts);
    const except = [report.frame.id, ...(taken.kind === 'ended' ? [taken.id] : [])];
    if (taken.kind === 'unseen') report.note(taken.why);
    const { gitops } = repository;
    const left = await settleEarlierHolds(parts, { automations, gitops, observation, except });
    for (const note of left) report.note(note);
    return await new ReleaseInRepository(parts, { chains, repository, view, report, automations }).run();
  } finally {
    await view.close();
  }
}

/** The branch that Flux tracks: the only one on which a commit is ever applied. */
export function branchOf(chains: Readonly<Record<string, FluxChain>>): string {
  const branches = new Set(Object.values(chains).map(chain => chain.source.branch));
  const [branch] = branches;
  if (branches.size === 1 && branch !== undefined) return branch;
  throw new Refusal(
    'wrong-source',
    branches.size > 1
      ? `The targets come from different branches (${[...branches].join(', ')}); one rollout is one commit.`
      : 'Flux follows no branch for the targets (a tag, a semver range or a fixed commit).',
    {
      remedy:
        'Release targets of one branch together, and let the GitRepository follow a branch (spec.ref.branch).',
    },
  );
}

interface Putting {
  readonly mustBeVerified: boolean;
  /** Files that image automation writes to. */
  readonly automated: readonly string[];
}

class ReleaseInRepository {
  private readonly parts: RunParts;
  private readonly on: FollowingOn;
  /** Image automation is suspended for this release. */
  private held = false;

  constructor(parts: RunParts, on: FollowingOn) {
    this.parts = parts;
    this.on = on;
  }

  async run(): Promise<RolloutView> {
    const { parts } = this;
    const { repository, report, chains } = this.on;
    const verifies = Object.values(chains).some(chain => chain.source.verifies);
    const { mustBeVerified, warnings } = await repository.check({ verifies });
    for (const warning of warnings) report.note(warning);
    const preflight = await parts.cluster.preflight(chains);
    for (const warning of preflight.warnings) report.note(warning.message);

    let adoption: Outcome | undefined;
    for (let round = 0; round < MAX_PLANS; round += 1) {
      const followed = await followAutomation(parts, this.on);
      if (followed) return followed;
      const settled = await this.settle();
      const newer = await newerSource(parts, settled.observation);
      if (newer) return await report.end(newer);
      const plan = await this.plan(settled.observation);
      if (plan.adoption.length > 0) {
        const ended = await this.adopt(plan, settled, mustBeVerified);
        if (ended === 'stale') continue;
        if (ended.state.phase !== 'done' || ended.state.outcome.verdict !== 'initialized') {
          return await report.finish(ended.view);
        }
        adoption = ended.state.outcome;
        report.adopted(ended.state.commit);
        continue;
      }
      if (!parts.inputs.evenIfUnchanged && alreadyRuns(plan, settled)) {
        return await report.end(adoption ?? unchangedOutcome(plan));
      }
      const ended = await this.commitAndFollow(plan, settled, mustBeVerified);
      if (ended !== 'stale') return await report.finish(ended.view);
      report.note('The files of this release changed on the branch meanwhile; it was planned anew.');
    }
    throw new Refusal(
      'branch-contended',
      `The files of this release changed on the branch ${MAX_PLANS} times while it was planned.`,
      { remedy: 'Find who writes them all the time, then run this again.' },
    );
  }

  private async settle(): Promise<Settled> {
    const { clock, cancel, inputs } = this.parts;
    const { view, report } = this.on;
    const settled = await settle({
      cluster: view,
      clock,
      cancel,
      limitMs: inputs.limits.settleMs,
      onWait: what => {
        report.stage('settling');
        report.note(`Waiting for what goes on already: ${what}.`);
      },
    });
    if (settled === 'cancelled') throw new CancelledBeforeCommit();
    return settled;
  }

  private async plan(observation: Observation): Promise<ReleasePlan> {
    const { chains, repository, view, report } = this.on;
    report.stage('preparing');
    const plan = await planRelease(this.parts, {
      chains,
      gitops: repository.gitops,
      view,
      observation,
      rolloutId: report.frame.id,
      report,
    });
    for (const warning of plan.warnings) report.note(warning.message);
    report.planned(plan.found);
    for (const secret of await this.parts.cluster.missingSecrets(plan.rendered)) {
      report.note(`The Secret ${secret} does not exist; what names it will fail.`);
    }
    for (const now of await this.parts.cluster.metricsNow(plan)) {
      const { what, state, detail } = metricCheck(now);
      if (state === 'warning') report.note(`${what} ${detail}`);
    }
    await this.parts.cluster.dryRun(plan.rendered);
    return plan;
  }

  private async adopt(plan: ReleasePlan, settled: Settled, mustBeVerified: boolean) {
    const { name } = this.parts.rollout;
    this.on.report.stage('adopting');
    return await this.put(
      {
        id: adoptionId(this.on.report.frame.id),
        kind: 'adoption',
        files: plan.adoption,
        text: adoptionText({ name, adopted: plan.adopted }),
        baselines: baselinesOf(settled.observation, plan.adopted),
        expectations: [],
        restore: { kind: 'parent' },
        barrier: false,
      },
      { mustBeVerified, automated: [] },
    );
  }

  private async commitAndFollow(plan: ReleasePlan, settled: Settled, mustBeVerified: boolean) {
    const { parts } = this;
    const { repository, report } = this.on;
    checkTime(parts, plan);
    const targets = parts.rollout.targets.map(targetKey);
    const baselines = baselinesOf(settled.observation, targets);
    const restore = await restorePointOf(baselines, settled.settlements, id =>
      repository.gitops.commitOfId(id),
    );
    report.stage('committing');
    return await this.put(
      {
        id: report.frame.id,
        kind: 'release',
        files: plan.files,
        text: releaseText({
          name: parts.rollout.name,
          targets,
          found: plan.found,
          source: { repository: parts.run.repository, sha: parts.run.sha },
        }),
        baselines,
        expectations: plan.expectations,
        restore,
        barrier: parts.rollout.barrier,
      },
      { mustBeVerified, automated: plan.automated },
    );
  }

  private async put(rollout: RolloutToCommit, on: Putting): Promise<FollowedRollout | 'stale'> {
    const { parts } = this;
    const { repository, view, report, automations } = this.on;
    // Read before the commit: afterwards a cancel leaves seconds.
    const restoreTexts = await readRestoreTexts(repository.gitops, rollout, rollout.restore);
    const committed = await this.commit(rollout, on);
    if (committed.kind === 'stale') return 'stale';
    return await followRollout(parts, {
      first: startFollowing(committed.intent, committed.commit, parts.clock.now()),
      view,
      repository,
      restoreTexts,
      report,
      automations,
    });
  }

  /** Image automation is suspended for our commit; where none came, it goes on. */
  private async commit(
    rollout: RolloutToCommit,
    { mustBeVerified, automated }: Putting,
  ): Promise<CommittedRollout> {
    const { parts } = this;
    const { repository } = this.on;
    try {
      refuseWhenCancelled(parts);
      await this.hold(automated);
      const committed = await commitRollout(parts, { repository, mustBeVerified }, rollout);
      if (committed.kind === 'stale') await this.letGo();
      return committed;
    } catch (error) {
      // Else the commit may be on the branch, and the post step sees to it.
      if (error instanceof Refusal || error instanceof CancelledBeforeCommit) await this.letGo();
      throw error;
    }
  }

  /** @throws Refusal, ClusterForbidden, ClusterUnavailable. */
  private async hold(paths: readonly string[]): Promise<void> {
    if (paths.length === 0) return;
    const { automations, report, repository } = this.on;
    const { id } = report.frame;
    this.held = true;
    this.parts.remember({ id, branch: repository.name.branch, ended: false });
    try {
      for (const note of await automations.hold(id, paths)) report.note(note);
    } catch (error) {
      this.parts.remember({ id, branch: repository.name.branch, ended: true });
      throw error;
    }
  }

  private async letGo(): Promise<void> {
    if (!this.held) return;
    this.held = false;
    const { automations, report, repository } = this.on;
    const { id } = report.frame;
    for (const note of (await automations.end(id, 'refused')).notes) report.note(note);
    this.parts.remember({ id, branch: repository.name.branch, ended: true });
  }
}

function refuseWhenCancelled({ cancel }: Pick<RunParts, 'cancel'>): void {
  if (cancel.aborted) throw new CancelledBeforeCommit();
}
