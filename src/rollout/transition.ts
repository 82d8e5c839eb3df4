import { askLinks } from './ask-links.ts';
import { beginRevert, commonOf } from './begin-revert.ts';
import { barrierOpened, stuckCause } from './barrier.ts';
import { identified } from './identity.ts';
import { allPromoted, concludePromoted, followObservation, jobLimitCause } from './following.ts';
import { unknownOutcome } from './outcome-text.ts';
import type { CommitRecord } from './ports.ts';
import type { Seen } from './proven.ts';
import { expire, onPullRequestAnswer, onRevertAnswer, verifyObservation } from './reverting.ts';
import type { Cause, Intent, RolloutEvent, RolloutState, Transition } from './state.ts';
import { newTrack } from './track.ts';

/** The first state: our commit is on the branch. `seen`: what is known of it, where it has been there for a while. */
export function startFollowing(
  intent: Intent,
  commit: CommitRecord,
  now: number,
  seen: Seen = fromTheStart(intent),
): Transition {
  return {
    state: {
      phase: 'following',
      intent,
      commit,
      committedAt: seen.committed ?? now,
      ...(seen.applied === undefined ? {} : { appliedAt: seen.applied }),
      tracks: Object.fromEntries(
        intent.baselines.map(baseline => [
          baseline.target,
          newTrack(baseline, seen.canaries[baseline.target] ?? {}, now),
        ]),
      ),
      known: {},
      notes: [],
      confirming: false,
    },
    effects: [{ type: 'requestReconcile', of: 'source' }, { type: 'read' }],
  };
}

function fromTheStart({ baselines }: Intent): Seen {
  return { canaries: Object.fromEntries(baselines.map(({ target }) => [target, { traffic: 0 }])) };
}

/**
 * The whole of what is decided after a commit. Pure: the same events give the same end. `now` is the runner's time
 * in ms; cluster times inside observations are never compared with it.
 */
export function transition(state: RolloutState, event: RolloutEvent, now: number): Transition {
  if (state.phase === 'done') return { state, effects: [] };
  const next = decide(state, told(event, state.intent), now);
  return event.type === 'observed' ? askLinks(next) : next;
}

function told(event: RolloutEvent, intent: Intent): RolloutEvent {
  if (event.type !== 'observed') return event;
  return { ...event, observation: identified(event.observation, intent) };
}

function decide(state: Live, event: RolloutEvent, now: number): Transition {
  const seen = regainOrLoseSight(state, event, now);
  switch (seen.phase) {
    case 'following':
      return follow(seen, event, now);
    case 'reverting':
      return onRevertAnswer(seen, event, now);
    case 'openingPullRequest':
      return onPullRequestAnswer(seen, event, now);
    case 'verifyingRevert':
      if (event.type === 'observed') return verifyObservation(seen, event.observation, now);
      // A read that failed has confirmed nothing: the next sign of an end asks again.
      return expire(event.type === 'unreadable' ? { ...seen, confirming: false } : seen, now);
  }
}

type Following = Extract<RolloutState, { phase: 'following' }>;
type Live = Exclude<RolloutState, { phase: 'done' }>;

function follow(state: Following, event: RolloutEvent, now: number): Transition {
  if (event.type === 'branchLookedAt') {
    return allPromoted(state) ? concludePromoted(state, event.holds, now) : { state, effects: [] };
  }
  if (event.type === 'cancelled') {
    // What is promoted everywhere cannot be cancelled any more.
    return allPromoted(state) ? concludePromoted(state, undefined, now) : cancel(state, event.by, now);
  }
  if (event.type === 'barrierOpened') return barrierOpened(state, now);
  if (event.type === 'barrierStuck') return beginRevert(state, stuckCause(event.detail), now);
  if (event.type === 'observed') {
    const next = followObservation(state, event.observation, now);
    if (next.state.phase !== 'following') return next;
    const cause = jobLimitCause(next.state, now);
    return cause ? beginRevert(next.state, cause, now) : next;
  }
  const cause = jobLimitCause(state, now);
  if (cause) return beginRevert(state, cause, now);
  const lostSince = state.lostSightSince;
  if (lostSince !== undefined && now - lostSince >= state.intent.limits.lostSightMs) {
    const outcome = unknownOutcome(
      state.lostSightReason ?? 'cluster-unreachable',
      `The cluster has not been readable for ${Math.round((now - lostSince) / 1000)} s: ${state.lostSight ?? ''}.`,
      state,
    );
    return { state: { ...commonOf(state), phase: 'done', outcome, endedAt: now }, effects: [] };
  }
  return { state: event.type === 'unreadable' ? { ...state, confirming: false } : state, effects: [] };
}

function cancel(state: Following, by: string, now: number): Transition {
  if (state.intent.onCancel === 'hand-over') {
    return {
      state: {
        ...commonOf(state),
        phase: 'done',
        endedAt: now,
        outcome: {
          verdict: 'pending',
          reason: 'handed-over',
          detail: `The job was cancelled (${by}); the rollout goes on in the cluster and is not decided.`,
          remedy:
            state.intent.identity === 'values'
              ? 'Nobody follows it any further: Flagger decides, and Git keeps the commit. Look at the Canary.'
              : 'The next run of this rollout, or a run with mode: sweep, follows it to its end.',
        },
      },
      effects: [],
    };
  }
  const cause: Cause = {
    verdict: 'cancelled',
    reason: 'job-cancelled',
    detail: `The job was cancelled (${by}).`,
    errored: false,
  };
  return beginRevert(state, cause, now);
}

function regainOrLoseSight(state: Live, event: RolloutEvent, now: number): Live {
  if (event.type === 'observed') {
    const { lostSightSince: _since, lostSight: _what, lostSightReason: _why, ...rest } = state;
    return { ...rest, known: { ...state.known, ...event.known } };
  }
  if (event.type === 'unreadable') {
    const since = { lostSightSince: state.lostSightSince ?? now, lostSight: event.message };
    return { ...state, ...since, ...(event.reason === undefined ? {} : { lostSightReason: event.reason }) };
  }
  return state;
}
