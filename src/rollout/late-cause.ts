import { eventsOfRollout } from './advance-track.ts';
import { failedOutcome } from './failure-cause.ts';
import type { ClusterTime, Observation, TargetView } from './observation.ts';
import type { Cause, Followed } from './state.ts';
import type { Track } from './track.ts';

/**
 * Flagger's events come late where it has many canaries (seen: 30 s behind its status), and a release is reverted as soon
 * as its status says Failed. What they say afterwards of the cause is taken over while the revert is being proven.
 */
export function withLateCause<T extends Followed & { readonly cause: Cause }>(
  state: T,
  observation: Observation,
): T {
  const heard = Object.values(state.tracks).map(track => hear(track, observation.targets[track.target]));
  const tracks = Object.fromEntries(heard.map(track => [track.target, track]));
  if (state.cause.reason !== 'threshold-reached') return { ...state, tracks };
  for (const { outcome } of heard) {
    if (outcome?.kind !== 'failed' && outcome?.kind !== 'errored') continue;
    if (outcome.reason === 'threshold-reached') continue;
    const { reason, detail } = outcome;
    return {
      ...state,
      tracks,
      cause: { ...state.cause, reason, detail, errored: outcome.kind === 'errored' },
    };
  }
  return { ...state, tracks };
}

/** From the revert on, so long do words of Flagger get to come (ms). */
const LATE_MS = 60_000;

/** Flagger failed a canary, has spoken of it, and has not said why yet: worth a moment, since people will ask. */
export function mayStillBeTold(
  state: Followed & { readonly revertedAt: number },
  observation: Observation,
  now: number,
): boolean {
  if (now - state.revertedAt >= LATE_MS) return false;
  return Object.values(state.tracks).some(
    ({ target, outcome }) =>
      outcome?.kind === 'failed' &&
      outcome.reason === 'threshold-reached' &&
      !outcome.tainted &&
      (observation.targets[target]?.events.length ?? 0) > 0,
  );
}

function hear(track: Track, view: TargetView | undefined): Track {
  const { outcome, deliveredClusterTime: since } = track;
  if (outcome?.kind !== 'failed' || outcome.reason !== 'threshold-reached') return track;
  // A stamped revert starts an analysis of its own, whose events are about the restored version.
  if (outcome.tainted || since === undefined || !view?.canary) return track;
  const until = restoredAt(view, since);
  const events = eventsOfRollout(
    view.events.filter(({ lastSeen }) => lastSeen < until),
    { since, saidBefore: track.saidBefore },
  );
  return {
    ...track,
    events,
    outcome: failedOutcome({ canary: view.canary, track, events, since, tainted: false }),
  };
}

/** From when on the events are about the restored version: every revert of a Knative Service is a new Revision. */
function restoredAt({ target, replicaSets }: TargetView, since: ClusterTime): ClusterTime {
  const [latest] = replicaSets;
  if (target?.kind !== 'Service' || !latest || latest.rolloutId !== target.rolloutId) return Infinity;
  return latest.createdAt > since ? latest.createdAt : Infinity;
}
