import { describe, expect, it } from 'vitest';
import { mayStillBeTold, withLateCause } from '../../src/rollout/late-cause.ts';
import type { FlaggerEvent, Observation } from '../../src/rollout/observation.ts';
import type { Cause, Followed } from '../../src/rollout/state.ts';
import { startFollowing } from '../../src/rollout/transition.ts';
import { COMMIT, canaryView, intentOf, observation, TARGET, workloadView } from './story.ts';

const VIEW = {
  target: workloadView({ rolloutId: 'old' }),
  canary: canaryView({ phase: 'Failed' }),
  replicaSets: [],
  events: [],
};

function reverting(tainted: boolean): Followed & { readonly cause: Cause } {
  const { state } = startFollowing(intentOf(VIEW, 'ours'), COMMIT, 0);
  const track = state.tracks[TARGET];
  if (!track) throw new Error('no track');
  const outcome = { kind: 'failed', reason: 'threshold-reached', detail: 'unsaid', tainted } as const;
  const failed = { ...track, deliveredClusterTime: 1_000, outcome };
  const cause = {
    verdict: 'rolled-back',
    reason: 'threshold-reached',
    detail: 'unsaid',
    errored: false,
  } as const;
  return { ...state, tracks: { [TARGET]: failed }, cause };
}

function said(message: string, lastSeen: number): FlaggerEvent {
  return { type: 'Warning', message, count: 1, firstSeen: lastSeen, lastSeen };
}

function telling(...events: readonly FlaggerEvent[]): Observation {
  return observation({ ...VIEW, events }, 'watch', 0);
}

const BAD_METRIC = 'Halt podinfo.test advancement success 90.00 < 99';

describe('a cause that Flagger tells late', () => {
  it('is taken over while the revert is proven', () => {
    const heard = withLateCause(reverting(false), telling(said(BAD_METRIC, 2_000)));
    expect(heard.cause).toMatchObject({ reason: 'metric-out-of-range', errored: false });
    expect(heard.cause.detail).toContain('metric success was 90.00, and must be at least 99');
    expect(heard.tracks[TARGET]?.outcome).toMatchObject({ reason: 'metric-out-of-range' });
    expect(heard.tracks[TARGET]?.events).toHaveLength(1);
  });

  it('says that it could not be told, where Flagger could not', () => {
    const down = said('Prometheus query failed: connection refused', 2_000);
    const heard = withLateCause(reverting(false), telling(down));
    expect(heard.cause).toMatchObject({ reason: 'metrics-unavailable', errored: true });
  });

  it('is not made of words about the release before', () => {
    const heard = withLateCause(reverting(false), telling(said(BAD_METRIC, 500)));
    expect(heard.cause.reason).toBe('threshold-reached');
  });

  it('is not made of words about the restored version, which is analysed after a stamped revert', () => {
    const heard = withLateCause(reverting(true), telling(said(BAD_METRIC, 2_000)));
    expect(heard.cause.reason).toBe('threshold-reached');
  });

  it('is waited for a moment, where Flagger has spoken of the canary at all', () => {
    const state = { ...reverting(false), revertedAt: 0 };
    const spoken = telling(said('Canary failed! Scaling down podinfo.test', 2_000));
    expect(mayStillBeTold(state, spoken, 30_000)).toBe(true);
    expect(mayStillBeTold(state, spoken, 60_000)).toBe(false);
    expect(mayStillBeTold(state, telling(), 30_000)).toBe(false);
    expect(mayStillBeTold({ ...reverting(true), revertedAt: 0 }, spoken, 30_000)).toBe(false);
  });
});
