import type { Cause, RolloutState, Transition } from './state.ts';
import type { Track, TrackStage } from './track.ts';

type Following = Extract<RolloutState, { phase: 'following' }>;

/** Whether the canaries of this rollout still wait for each other. */
export function barrierIsClosed(state: Pick<Following, 'intent' | 'barrierOpenedAt'>): boolean {
  return state.intent.barrier && state.barrierOpenedAt === undefined;
}

/** Stages behind the analysis: at the gate, or past it because somebody took it away by hand. */
const ANALYSED: readonly TrackStage[] = ['waitingPromotion', 'promoting', 'finalising', 'ended'];

/** Every canary has passed its analysis: now those at the gate may be promoted together. */
export function allWaitAtBarrier(state: Following, tracks: readonly Track[]): boolean {
  return (
    barrierIsClosed(state) &&
    tracks.some(({ stage }) => stage === 'waitingPromotion') &&
    tracks.every(({ stage, analysedFrom }) => ANALYSED.includes(stage) && analysedFrom !== undefined)
  );
}

/** The gates are out of Git; what still waits now waits for somebody else, and its clock begins anew. */
export function barrierOpened(state: Following, now: number): Transition {
  const { opening: _opening, ...rest } = state;
  const tracks = Object.fromEntries(
    Object.entries(state.tracks).map(([target, track]) => [target, { ...track, stageSince: now }]),
  );
  return {
    state: {
      ...rest,
      tracks,
      barrierOpenedAt: now,
      notes: [...state.notes, 'All canaries passed their analysis; the barrier was taken out of Git.'],
    },
    effects: [{ type: 'requestReconcile', of: 'source' }, { type: 'read' }],
  };
}

export function stuckCause(detail: string): Cause {
  return {
    verdict: 'rolled-back',
    reason: 'barrier-stuck',
    detail: `All canaries passed their analysis, but the barrier could not be taken out of Git: ${detail}`,
    errored: true,
  };
}
