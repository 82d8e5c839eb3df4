import type { Observation } from '../rollout/observation.ts';
import type { Clock, ClusterView } from '../rollout/ports.ts';
import { type Settlement, settlement } from '../rollout/settlement.ts';
import type { TargetKey } from '../rollout/target.ts';
import { Refusal } from '../rollout/verdict.ts';

export interface Settled {
  /** A fresh read in which nothing is going on. */
  readonly observation: Observation;
  readonly settlements: Readonly<Record<TargetKey, Settlement>>;
}

/** Flagger ticks every 10 s at the soonest; a plain read in between sees what a watch has missed (ms). */
const LOOK_EVERY_MS = 10_000;

/**
 * Waits until every canary may be released upon, then says what it found.
 * @throws Refusal `analysis-running` when the limit is over, or at once with what no waiting mends.
 */
export async function settle(parts: {
  readonly cluster: ClusterView;
  readonly clock: Clock;
  readonly limitMs: number;
  readonly cancel: AbortSignal;
  /** Told what is waited for, when it changes. */
  readonly onWait: (what: string) => void;
}): Promise<Settled | 'cancelled'> {
  const { cluster, clock, cancel } = parts;
  const began = clock.now();
  let told: string | undefined;
  while (!cancel.aborted) {
    const observation = await cluster.read();
    const settlements = Object.fromEntries(
      Object.entries(observation.targets).map(([target, view]) => [target, settlement(view)]),
    );
    const waiting = firstToWaitFor(settlements);
    if (waiting === undefined) return { observation, settlements };
    const waited = clock.now() - began;
    if (waited >= parts.limitMs) throw stillRunning(waiting, waited);
    if (waiting !== told) parts.onWait(waiting);
    told = waiting;
    await cluster.next({ timeoutMs: Math.min(LOOK_EVERY_MS, parts.limitMs - waited), signal: cancel });
  }
  return 'cancelled';
}

function firstToWaitFor(settlements: Readonly<Record<TargetKey, Settlement>>): string | undefined {
  const all = Object.values(settlements);
  const refused = all.find(each => each.kind === 'refuse');
  if (refused?.kind === 'refuse') {
    throw new Refusal(refused.reason, refused.what, { remedy: refused.remedy });
  }
  const waiting = all.find(each => each.kind === 'wait');
  return waiting?.kind === 'wait' ? waiting.what : undefined;
}

function stillRunning(what: string, waitedMs: number): Refusal {
  return new Refusal(
    'analysis-running',
    `Something else is going on and did not end within ${Math.round(waitedMs / 1000)} s: ${what}.`,
    { remedy: 'Let it end, then run this again; or give it more time with the input settle-timeout.' },
  );
}
