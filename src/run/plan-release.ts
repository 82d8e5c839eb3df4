import type { ReleasePlan } from '../plan/plan.ts';
import type { FluxChain, Observation } from '../rollout/observation.ts';
import type { ClusterView } from '../rollout/ports.ts';
import { Refusal } from '../rollout/verdict.ts';
import { CancelledBeforeCommit, type RunGitOps, type RunParts } from './parts.ts';
import type { RunReport } from './run-report.ts';

export interface PlanningOn {
  readonly chains: Readonly<Record<string, FluxChain>>;
  readonly gitops: RunGitOps;
  readonly view: ClusterView;
  readonly observation: Observation;
  readonly rolloutId: string;
  readonly report: RunReport;
}

/** Flux may be a moment behind the branch; then the tree and the cluster differ and nothing is wrong (ms). */
const LOOK_EVERY_MS = 5_000;

/**
 * The plan at the branch's head, made only when what the tree says now is what runs now.
 * @throws Refusal `chain-broken` and those of the planner.
 */
export async function planRelease(
  parts: Pick<RunParts, 'planner' | 'clock' | 'cancel' | 'inputs'>,
  on: PlanningOn,
): Promise<ReleasePlan> {
  const { planner, clock, cancel } = parts;
  const until = clock.now() + parts.inputs.limits.applyMs;
  let { observation } = on;
  let asked = false;
  while (true) {
    const files = await on.gitops.filesAt(await on.gitops.head());
    const plan = await planner.plan({ files, chains: on.chains, observation, rolloutId: on.rolloutId });
    const broken = brokenChain(() => planner.proveChain(plan.found, observation));
    if (broken === undefined) return plan;
    if (attempted(observation, plan.head) || clock.now() >= until) throw broken;
    on.report.note(
      `Flux has not applied ${plan.head.slice(0, 7)} yet, which the branch is at; waiting for it.`,
    );
    if (!asked) await on.view.requestReconcile('source');
    asked = true;
    await on.view.next({ timeoutMs: LOOK_EVERY_MS, signal: cancel });
    if (cancel.aborted) throw new CancelledBeforeCommit();
    observation = await on.view.read();
  }
}

export function brokenChain(prove: () => void): Refusal | undefined {
  try {
    prove();
    return undefined;
  } catch (error) {
    if (error instanceof Refusal && error.reason === 'chain-broken') return error;
    throw error;
  }
}

/** Everything that brings a target to life has attempted the head, so that waiting would change nothing. */
export function attempted(observation: Observation, head: string): boolean {
  return Object.values(observation.targets).every(
    ({ flux }) =>
      flux?.kustomizations.at(-1)?.lastAttemptedRevision === head &&
      flux.links.every(
        ({ view }) => view.observedGeneration >= view.generation && view.ready?.status !== 'Unknown',
      ),
  );
}
