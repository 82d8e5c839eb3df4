import { judgeAdoption } from './adoption.ts';
import { withHistory } from './history.ts';
import { barrierIsClosed } from './barrier.ts';
import { judge } from './judge.ts';
import type { JudgeContext, Judgement } from './judgement.ts';
import type { ClusterTime, FlaggerEvent, Observation, TargetView } from './observation.ts';
import { withProven } from './proven.ts';
import type { Followed, Intent } from './state.ts';
import type { Track, TrackOutcome } from './track.ts';

/** One track after one look at the cluster. `unconfirmed`: it would end, but only a watch has shown it. */
export interface AdvancedTrack {
  readonly track: Track;
  readonly unconfirmed: boolean;
  readonly note?: string;
}

export function advanceTrack(
  followed: Followed,
  track: Track,
  observation: Observation,
  now: number,
): AdvancedTrack {
  const view: TargetView = observation.targets[track.target] ?? { replicaSets: [], events: [] };
  const context = judgeContext(followed, track, observation, now);
  const judgement = followed.intent.kind === 'adoption' ? judgeAdoption(view, context) : judge(view, context);
  const moved = remember(track, { view, observation, judgement, now });
  const end = endOf(moved, judgement, followed.intent, now);
  const outcome = observation.source === 'read' ? end : undefined;
  const proven = withProven(track.proven, {
    ...{ judgement, outcome, view, now },
    rolloutId: followed.intent.id,
    adoption: followed.intent.kind === 'adoption',
  });
  const note = !track.amended && moved.amended ? amendedNote(moved) : undefined;
  const withNote = note === undefined ? {} : { note };
  if (!outcome) return { track: { ...without(moved), proven }, unconfirmed: end !== undefined, ...withNote };
  return { track: { ...moved, proven, stage: 'ended', outcome }, unconfirmed: false, ...withNote };
}

function judgeContext(followed: Followed, track: Track, observation: Observation, now: number): JudgeContext {
  const { intent, known } = followed;
  return {
    rolloutId: intent.id,
    identity: intent.identity,
    track,
    expectations: intent.expectations.filter(expectation => expectation.target === track.target),
    objects: observation.objects,
    known,
    limits: intent.limits,
    barrierClosed: barrierIsClosed(followed),
    now,
  };
}

function remember(
  track: Track,
  on: {
    readonly view: TargetView;
    readonly observation: Observation;
    readonly judgement: Judgement;
    readonly now: number;
  },
): Track {
  const { view, observation, judgement, now } = on;
  const canary = view.canary;
  const since = judgement.deliveredClusterTime ?? track.deliveredClusterTime;
  const held = judgement.held === true;
  const sameStage = judgement.stage === track.stage;
  // A stage's clock stands still while the Canary is suspended.
  const resumed = !held && track.heldSince !== undefined && sameStage ? now - track.heldSince : 0;
  // Events are counted over many releases; those last seen before the delivery are another's.
  const delivered = track.deliveredAt !== undefined || judgement.delivered === true;
  const saidBefore = delivered
    ? track.saidBefore
    : Object.fromEntries(view.events.map(({ message, count }) => [message, count]));
  const events = since === undefined ? track.events : eventsOfRollout(view.events, { since, saidBefore });
  const { waitingFor: _waiting, heldSince: _held, terminalSince: _terminal, ...kept } = track;
  return {
    ...kept,
    stage: judgement.stage,
    stageSince: sameStage ? track.stageSince + resumed : now,
    phase: canary?.phase ?? track.phase,
    ...(judgement.delivered ? { deliveredAt: track.deliveredAt ?? now } : {}),
    ...(since === undefined ? {} : { deliveredClusterTime: since }),
    ...(judgement.analysing ? { analysedFrom: track.analysedFrom ?? now } : {}),
    ...(judgement.waitingFor === undefined ? {} : { waitingFor: judgement.waitingFor }),
    ...(held ? { heldSince: track.heldSince ?? now } : {}),
    ...(judgement.holding ? { terminalSince: track.terminalSince ?? now } : {}),
    amended: track.amended || judgement.amended === true,
    peak: peakOf(track, view, judgement),
    events,
    saidBefore,
    history: withHistory(track.history, {
      view,
      observation,
      analysing: judgement.analysing === true || track.analysedFrom !== undefined,
      eventsBefore: track.events,
      events,
      now,
    }),
  };
}

/** Those since the delivery, each counted from there on. */
export function eventsOfRollout(
  events: readonly FlaggerEvent[],
  on: { readonly since: ClusterTime; readonly saidBefore: Track['saidBefore'] },
): readonly FlaggerEvent[] {
  return events
    .filter(event => event.lastSeen >= on.since)
    .map(event => ({ ...event, count: Math.max(1, event.count - (on.saidBefore[event.message] ?? 0)) }));
}

/** Flagger zeroes weight, iterations and failed checks on Failed, and shows 0 and −1 in WaitingPromotion. */
function peakOf(track: Track, view: TargetView, judgement: Judgement): Track['peak'] {
  const canary = view.canary;
  if (!canary || !judgement.analysing || canary.phase !== 'Progressing') return track.peak;
  return {
    weight: canary.canaryWeight,
    iteration: Math.max(canary.iterations, 0),
    failedChecks: canary.failedChecks,
  };
}

function endOf(track: Track, judgement: Judgement, intent: Intent, now: number): TrackOutcome | undefined {
  const own = judgement.outcome ?? limitReached(track, judgement, intent, now);
  if (!own || !track.amended || own.kind === 'superseded' || own.kind === 'replaced') return own;
  return {
    kind: 'superseded',
    reason: 'amended',
    detail: `${amendedNote(track)} It was followed to its end: ${describeEnd(own)}`,
  };
}

function limitReached(
  track: Track,
  judgement: Judgement,
  intent: Intent,
  now: number,
): TrackOutcome | undefined {
  if (track.heldSince !== undefined) {
    if (now - track.heldSince < intent.limits.approvalMs) return undefined;
    return {
      kind: 'timed-out',
      reason: 'canary-suspended',
      detail: `The Canary of ${track.target} stayed suspended.`,
    };
  }
  if (!judgement.limit || now - track.stageSince < judgement.limit.ms) return undefined;
  return judgement.limit.outcome;
}

function amendedNote(track: Track): string {
  return `Another commit changed the template of ${track.target} during the rollout and kept our id.`;
}

function describeEnd(outcome: TrackOutcome): string {
  return `${outcome.kind}. ${outcome.detail}`;
}

function without(track: Track): Track {
  const { outcome: _outcome, ...rest } = track;
  return rest;
}
