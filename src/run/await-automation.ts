import type { FoundValue, ReleasePlan } from '../plan/plan.ts';
import { type CanaryBaseline, baselineOf } from '../rollout/baseline.ts';
import { holdsAll, identifying } from '../rollout/identity.ts';
import type { Observation, TargetView } from '../rollout/observation.ts';
import type { ClusterView } from '../rollout/ports.ts';
import { settlement } from '../rollout/settlement.ts';
import { type TargetKey, targetKey } from '../rollout/target.ts';
import { Refusal } from '../rollout/verdict.ts';
import { CancelledBeforeCommit, type RunGitOps, type RunParts } from './parts.ts';
import { attempted, brokenChain } from './plan-release.ts';
import type { RunReport } from './run-report.ts';

/** What image automation has brought, and who has still to be promoted with it. */
export type Arrival =
  | { readonly kind: 'running'; readonly plan: ReleasePlan }
  | {
      readonly kind: 'arrived';
      readonly plan: ReleasePlan;
      readonly observation: Observation;
      readonly baselines: readonly CanaryBaseline[];
    };

const LOOK_EVERY_MS = 5_000;

type Parts = Pick<RunParts, 'rollout' | 'clock' | 'cancel' | 'inputs' | 'planner'>;

/**
 * Waits until the branch asks for what is released. Baselines are what was seen of each target before it ran that. An
 * analysis of it that is under way already is followed like any other: what tells then is what Flagger promoted last.
 * @throws Refusal `image-automation` when it does not come in time, and what a release is refused for.
 */
export async function awaitAutomation(
  parts: Parts,
  on: {
    readonly view: ClusterView;
    readonly gitops: RunGitOps;
    readonly report: RunReport;
    readonly planAt: (commit: string, observation: Observation) => Promise<ReleasePlan>;
  },
): Promise<Arrival> {
  const { clock, cancel, inputs } = parts;
  const { applyMs, settleMs } = inputs.limits;
  const began = clock.now();
  const targets = parts.rollout.targets.map(targetKey);
  const baselines = new Map<TargetKey, CanaryBaseline>();
  let proven = false;
  while (true) {
    const observation = await on.view.read();
    const plan = await on.planAt(await on.gitops.head(), observation);
    const looks = targets.map(target => lookAt(target, plan, observation));
    for (const look of looks) if (!look.delivered) remember(baselines, look);
    if (plan.unchanged) {
      const open = looks.filter(look => !look.promoted);
      if (open.length > 0)
        return { kind: 'arrived', plan, observation, baselines: open.map(baselineFor(baselines)) };
      if (looks.every(look => look.delivered && look.settled)) return { kind: 'running', plan };
      on.report.note('The primary runs what is asked for already; waiting for what goes on to settle.');
    } else {
      // Once is enough: Flux names a revision a moment before it has applied it.
      if (!proven) proven = isProven(parts, plan, observation);
      on.report.note(waitingWords(plan.found));
    }
    const limitMs = plan.unchanged ? Math.max(applyMs, settleMs) : applyMs;
    if (clock.now() - began >= limitMs) throw tooLate(plan, clock.now() - began);
    await clock.sleep(LOOK_EVERY_MS, cancel);
    if (cancel.aborted) throw new CancelledBeforeCommit();
  }
}

interface Look {
  readonly target: TargetKey;
  readonly view: TargetView;
  /** The target, and the primary, run what is asked for. */
  readonly delivered: boolean;
  readonly promoted: boolean;
  readonly settled: boolean;
}

/** @throws Refusal with what no waiting mends. */
function lookAt(target: TargetKey, plan: ReleasePlan, observation: Observation): Look {
  const view = observation.targets[target];
  if (!view?.target) throw new Refusal('target-not-found', `${target} is not in the cluster any more.`);
  const now = settlement(view);
  if (now.kind === 'refuse') throw new Refusal(now.reason, now.what, { remedy: now.remedy });
  const expectations = identifying(plan.expectations, target);
  const promoted = holdsAll(expectations, view.primary?.template);
  if (promoted && plan.unchanged && now.kind === 'failed') {
    throw new Refusal(
      'baseline-unsettled',
      `The primary of ${target} runs what is asked for, and Flagger rejected another change of it, which is still in Git.`,
      { remedy: 'Take that change back, then run this again.' },
    );
  }
  return {
    target,
    view,
    delivered: holdsAll(expectations, view.target.template),
    promoted,
    settled: now.kind === 'settled',
  };
}

function remember(baselines: Map<TargetKey, CanaryBaseline>, { target, view }: Look): void {
  const baseline = withNewest(baselineOf(target, view), view);
  if (baseline) baselines.set(target, baseline);
}

/** A target that ran it before we saw it otherwise is judged against what Flagger promoted last. */
function baselineFor(seen: ReadonlyMap<TargetKey, CanaryBaseline>): (look: Look) => CanaryBaseline {
  return ({ target, view }) => {
    const known = seen.get(target);
    if (known) return known;
    const now = withNewest(baselineOf(target, view), view);
    if (!now) throw new Refusal('target-not-found', `${target} is not in the cluster any more.`);
    if (now.lastAppliedSpec === now.lastPromotedSpec) return now;
    // The status speaks of the release already: its time is none of before.
    const { promotedAt: _ofTheRelease, ...before } = now;
    return { ...before, lastAppliedSpec: now.lastPromotedSpec };
  };
}

function withNewest(baseline: CanaryBaseline | undefined, view: TargetView): CanaryBaseline | undefined {
  if (!baseline) return undefined;
  const newest = Math.max(0, ...view.replicaSets.map(({ createdAt }) => createdAt));
  return { ...baseline, newestReplicaSetAt: newest };
}

/** Whether what the tree says now was seen to run; a moment of Flux behind the branch is no failure. */
function isProven(parts: Parts, plan: ReleasePlan, observation: Observation): boolean {
  const broken = brokenChain(() => parts.planner.proveChain(plan.found, observation));
  if (broken && attempted(observation, plan.head)) throw broken;
  return broken === undefined;
}

function waitingWords(found: readonly FoundValue[]): string {
  const places = found
    .filter(({ current, requested }) => current !== requested)
    .map(({ path, line, current, requested }) => `${requested} to ${path}:${line} (now ${current})`);
  return `Waiting for image automation to write ${[...new Set(places)].join(', ')}.`;
}

function tooLate(plan: ReleasePlan, waitedMs: number): Refusal {
  const waited = `${Math.round(waitedMs / 1000)} s`;
  if (plan.unchanged) {
    return new Refusal(
      'analysis-running',
      `The branch asks for the release and its primary runs it, but what goes on did not settle within ${waited}.`,
      { remedy: 'Look at the Canary and at Flux, then run this again.' },
    );
  }
  const places = plan.found
    .filter(({ current, requested }) => current !== requested)
    .map(
      ({ path, line, current, requested }) => `${requested} to ${path}:${line}, which still says ${current}`,
    );
  return new Refusal(
    'image-automation',
    `Image automation did not write ${[...new Set(places)].join('; ')}, within ${waited} (input apply-timeout).`,
    {
      remedy:
        'Look at the ImagePolicy and the ImageUpdateAutomation (flux get images all -A). What it writes later Flagger analyses without this run.',
    },
  );
}
