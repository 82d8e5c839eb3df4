import { describe, expect, it } from 'vitest';
import { proofOf } from '../../src/report/proof.ts';
import { viewOfState } from '../../src/report/view-of-state.ts';
import { canaryWords, stepWords } from '../../src/report/words.ts';
import type { Proven } from '../../src/rollout/proven.ts';
import type { RolloutState } from '../../src/rollout/state.ts';
import { startFollowing } from '../../src/rollout/transition.ts';
import { BASE, ID, REVERT } from '../rollout/any-event.ts';
import { COMMIT, intentOf, TARGET } from '../rollout/story.ts';
import { analysingView } from './views.ts';

/** Taken back because a canary failed, with what was proven of this one. */
function takenBack(proven: Proven): RolloutState {
  const { state } = startFollowing(intentOf(BASE, ID), COMMIT, 0, { canaries: { [TARGET]: proven } });
  const cause = {
    verdict: 'rolled-back',
    reason: 'metric-out-of-range',
    detail: 'prod/cart failed',
    errored: false,
  } as const;
  return {
    ...{ intent: state.intent, commit: state.commit, committedAt: 0, tracks: state.tracks },
    ...{ known: {}, notes: [], phase: 'verifyingRevert', cause, forms: {}, revert: REVERT },
    ...{ revertedAt: 9_000, deadline: 99_000, backSince: {}, confirming: false },
  };
}

function shown(proven: Proven) {
  const state = takenBack(proven);
  const [canary] = viewOfState(analysingView(), state, 10_000).canaries;
  if (!canary) throw new Error('The view has a canary.');
  const promoted = proofOf(state).find(({ link }) => link === 'promoted');
  return { state: canaryWords(canary), step: stepWords(canary), promoted };
}

describe('a canary that is taken back because another one failed', () => {
  it('had all traffic', () => {
    expect(shown({ delivered: 1_000, analysed: 2_000, traffic: 100 })).toEqual({
      state: 'promoted, then taken back',
      step: 'reached all traffic',
      promoted: {
        link: 'promoted',
        state: 'failed',
        detail: `all traffic of ${TARGET} was on it, then it was taken back`,
      },
    });
  });

  it('had some of it, none, or nobody knows', () => {
    expect(shown({ traffic: 50 })).toMatchObject({ state: 'taken back', step: 'reached 50 % of traffic' });
    expect(shown({ traffic: 0 })).toMatchObject({ state: 'taken back', step: 'got no traffic' });
    expect(shown({})).toMatchObject({ state: 'taken back', step: 'how far it got is not known' });
  });
});
