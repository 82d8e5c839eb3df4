import { advanceTrack } from './advance-track.ts';
import { allWaitAtBarrier } from './barrier.ts';
import { beginRevert } from './begin-revert.ts';
import type { Observation } from './observation.ts';
import { promotedOutcome, rewrittenOutcome, supersededOutcome, unknownOutcome } from './outcome-text.ts';
import type { Cause, Followed, RolloutState, Transition } from './state.ts';
import type { Track, TrackOutcome } from './track.ts';

type Following = Extract<RolloutState, { phase: 'following' }>;

/** A look at the cluster while the commit is followed. */
export function followObservation(state: Following, observation: Observation, now: number): Transition {
  const advanced = Object.values(state.tracks).map(track => advanceTrack(state, track, observation, now));
  const tracks = Object.fromEntries(advanced.map(({ track }) => [track.target, track]));
  const followed: Following = {
    ...state,
    ...appliedBy(state, tracks, observation, now),
    tracks,
    observation,
    notes: [...state.notes, ...advanced.flatMap(({ note }) => (note === undefined ? [] : [note]))],
  };
  if (observation.source === 'read') return conclude({ ...followed, confirming: false }, now);
  const allWait = state.opening !== true && allWaitAtBarrier(followed, Object.values(tracks));
  if (allWait || advanced.some(({ unconfirmed }) => unconfirmed)) {
    return { state: { ...followed, confirming: true }, effects: state.confirming ? [] : [{ type: 'read' }] };
  }
  return { state: followed, effects: [] };
}

/** Ends or reverts when the tracks say so; only ever called with what a fresh read has shown. */
function conclude(state: Following, now: number): Transition {
  const tracks = Object.values(state.tracks);
  const replaced = tracks.find(track => track.outcome?.kind === 'replaced');
  if (replaced?.outcome?.kind === 'replaced') {
    return done(state, unknownOutcome(replaced.outcome.reason, replaced.outcome.detail, state), now);
  }
  const cause = worstCause(tracks);
  if (cause) return beginRevert(state, cause, now);
  const superseded = tracks.find(track => track.outcome?.kind === 'superseded');
  if (superseded?.outcome?.kind === 'superseded') {
    const { reason, detail } = superseded.outcome;
    return done(state, supersededOutcome(reason, detail, newerThanOurs(state, superseded)), now);
  }
  if (allPromoted(state)) return { state, effects: [{ type: 'lookAtBranch' }] };
  if (state.opening !== true && allWaitAtBarrier(state, tracks)) {
    return { state: { ...state, opening: true }, effects: [{ type: 'openBarrier' }] };
  }
  return { state, effects: [] };
}

/** Our commit and the one that Flux applied over it. */
function newerThanOurs({ observation, commit, known }: Following, { target }: Track) {
  const newer = observation?.targets[target]?.flux?.kustomizations.at(-1)?.lastAttemptedRevision;
  if (newer === undefined || newer === commit.sha || !known[newer]?.containsCommit) return undefined;
  return { ours: commit.sha, newer };
}

/** Nothing is left to happen to any target: what still ends the rollout is whether Git asks for it. */
export function allPromoted({ tracks }: Pick<Followed, 'tracks'>): boolean {
  const outcomes = Object.values(tracks).map(({ outcome }) => outcome?.kind);
  return outcomes.length > 0 && outcomes.every(kind => kind === 'promoted' || kind === 'initialized');
}

/** The first link looked at again before the last is claimed: a branch may have been rewritten meanwhile. */
export function concludePromoted(state: Following, holds: boolean | undefined, now: number): Transition {
  const outcome = promotedOutcome(state, Object.values(state.tracks));
  if (holds === false) return done(state, rewrittenOutcome(state, outcome.detail), now);
  const notes = holds
    ? state.notes
    : [...state.notes, 'GitHub did not say at the end whether the branch still holds the commit.'];
  return done({ ...state, notes }, outcome, now);
}

/** Job time used up: what is unfinished is reverted while there is time for it. */
export function jobLimitCause(followed: Followed, now: number): Cause | undefined {
  const endsAt = followed.intent.limits.jobEndsAt;
  if (endsAt === undefined || now < endsAt) return undefined;
  return {
    verdict: 'timed-out',
    reason: 'job-limit',
    detail: 'The job has no more time than a revert needs (input job-minutes).',
    errored: false,
  };
}

/** Of several failing canaries the one that a person must hear of first. */
const WORST_FIRST: readonly TrackOutcome['kind'][] = [
  'promotion-failed',
  'failed',
  'errored',
  'not-started',
  'not-applied',
  'timed-out',
];

function worstCause(tracks: readonly Track[]): Cause | undefined {
  for (const kind of WORST_FIRST) {
    const outcome = tracks.map(track => track.outcome).find(candidate => candidate?.kind === kind);
    const cause = outcome ? causeOf(outcome) : undefined;
    if (cause) return cause;
  }
  return undefined;
}

function causeOf(outcome: TrackOutcome): Cause | undefined {
  switch (outcome.kind) {
    case 'failed':
    case 'errored':
      return {
        verdict: 'rolled-back',
        reason: outcome.reason,
        detail: outcome.detail,
        errored: outcome.kind === 'errored',
      };
    case 'promotion-failed':
    case 'not-applied':
    case 'not-started':
    case 'timed-out':
      return { verdict: outcome.kind, reason: outcome.reason, detail: outcome.detail, errored: false };
    case 'promoted':
    case 'initialized':
    case 'superseded':
    case 'replaced':
      return undefined;
  }
}

/** "Applied" is what Flux says; a target that carries our id proves it as well. */
function appliedBy(
  state: Following,
  tracks: Readonly<Record<string, Track>>,
  observation: Observation,
  now: number,
): Pick<Followed, 'appliedAt' | 'appliedDetail'> {
  if (state.appliedAt !== undefined) return {};
  for (const view of Object.values(observation.targets)) {
    const applier = view.flux?.kustomizations.at(-1);
    // What was only attempted may have failed before anything was applied (kustomize-controller: BuildFailed).
    const revision = applier?.lastAppliedRevision;
    if (applier && revision !== undefined && state.known[revision]?.containsCommit) {
      return {
        appliedAt: now,
        appliedDetail: `Kustomization ${applier.namespace}/${applier.name} applied ${revision.slice(0, 7)}`,
      };
    }
  }
  const delivered = Object.values(tracks).find(track => track.deliveredAt !== undefined);
  return delivered ? { appliedAt: now, appliedDetail: `${delivered.target} carries the commit's id` } : {};
}

function done(
  state: Following,
  outcome: Extract<RolloutState, { phase: 'done' }>['outcome'],
  now: number,
): Transition {
  const { confirming: _confirming, ...followed } = state;
  return { state: { ...followed, phase: 'done', outcome, endedAt: now }, effects: [] };
}
