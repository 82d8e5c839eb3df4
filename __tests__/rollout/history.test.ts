import { describe, expect, test } from 'vitest';
import { type History, NO_HISTORY, valueIn, withHistory } from '../../src/rollout/history.ts';
import type { CanaryView, FlaggerEvent } from '../../src/rollout/observation.ts';
import { canaryView } from './story.ts';

const METRICS = [{ name: 'success', min: 99, source: 'prod/success' }];

function canary(fields: Partial<CanaryView>): CanaryView {
  const base = canaryView({ phase: 'Progressing', ...fields });
  return { ...base, analysis: { ...base.analysis, intervalMs: 10_000, metrics: METRICS } };
}

interface Look {
  readonly at: number;
  readonly canary: CanaryView;
  readonly gauge?: number;
  readonly events?: readonly FlaggerEvent[];
}

function told(looks: readonly Look[]): History {
  let history = NO_HISTORY;
  let eventsBefore: readonly FlaggerEvent[] = [];
  for (const { at, canary: now, gauge, events = eventsBefore } of looks) {
    const view = {
      canary: now,
      replicaSets: [],
      events,
      ...(gauge === undefined ? {} : { metricValues: { success: gauge } }),
    };
    history = withHistory(history, {
      view,
      observation: { source: 'read' },
      analysing: true,
      eventsBefore,
      events,
      now: at,
    });
    eventsBefore = events;
  }
  return history;
}

const warning = (message: string, count = 1): FlaggerEvent => ({
  type: 'Warning',
  message,
  count,
  firstSeen: 0,
  lastSeen: 0,
});

describe('the history of an analysis', () => {
  test('notes each step once', () => {
    const { progress } = told([
      { at: 0, canary: canary({ canaryWeight: 0 }) },
      { at: 5_000, canary: canary({ canaryWeight: 0 }) },
      { at: 10_000, canary: canary({ canaryWeight: 25 }) },
      { at: 20_000, canary: canary({ canaryWeight: 25, failedChecks: 1 }) },
    ]);
    expect(progress.map(({ at, weight, failedChecks }) => [at, weight, failedChecks])).toEqual([
      [0, 0, 0],
      [10_000, 25, 0],
      [20_000, 25, 1],
    ]);
  });

  test('believes the gauge only after a check of this analysis, and once for each check', () => {
    const { metrics } = told([
      // Still the value of the release before.
      { at: 0, canary: canary({ canaryWeight: 0 }), gauge: 12 },
      { at: 10_000, canary: canary({ canaryWeight: 25 }), gauge: 12 },
      { at: 20_000, canary: canary({ canaryWeight: 50 }), gauge: 99.5 },
      { at: 25_000, canary: canary({ canaryWeight: 50 }), gauge: 99.5 },
      { at: 30_000, canary: canary({ canaryWeight: 75 }), gauge: 99.7 },
    ]);
    expect(metrics['success']).toEqual([
      { at: 20_000, value: 99.5 },
      { at: 30_000, value: 99.7 },
    ]);
  });

  test('takes values and their absence from Flagger’s words, and not twice from the gauge', () => {
    const low = 'Halt podinfo.test advancement success 90.00 < 99';
    const none = 'Halt advancement no values found for custom metric: success: no values found';
    const { metrics } = told([
      { at: 0, canary: canary({ canaryWeight: 25 }) },
      {
        at: 10_000,
        canary: canary({ canaryWeight: 25, failedChecks: 1 }),
        events: [warning(low)],
        gauge: 90,
      },
      { at: 20_000, canary: canary({ canaryWeight: 25, failedChecks: 2 }), events: [warning(low, 2)] },
      {
        at: 30_000,
        canary: canary({ canaryWeight: 25, failedChecks: 3 }),
        events: [warning(low, 2), warning(none)],
      },
    ]);
    expect(metrics['success']).toEqual([
      { at: 10_000, value: 90 },
      { at: 20_000, value: 90 },
      { at: 30_000 },
    ]);
  });

  test('says the traffic that is there while a promotion waits, not the zeros of the status', () => {
    const { progress } = told([
      { at: 0, canary: canary({ canaryWeight: 50 }) },
      { at: 10_000, canary: canary({ phase: 'WaitingPromotion', canaryWeight: 0, iterations: -1 }) },
    ]);
    expect(progress.at(-1)).toMatchObject({ weight: 50, iteration: 0 });
  });
});

describe('Flagger’s words about metrics', () => {
  test.each([
    ['Halt podinfo.test advancement success rate 98.25% < 99%', ['request-success-rate', 98.25]],
    ['Halt podinfo.test advancement request duration 1.25s > 500ms', ['request-duration', 1250]],
    ['Halt podinfo.test advancement request duration 1m2.5s > 500ms', ['request-duration', 62_500]],
    ['Halt podinfo.test advancement latency 700.00 > 500', ['latency', 700]],
    [
      'Halt advancement no values found for linkerd metric request-success-rate probably podinfo.test is not receiving traffic: no values found',
      ['request-success-rate', undefined],
    ],
    ['Halt advancement no values found for metric: errors', ['errors', undefined]],
    ['Halt podinfo.test advancement external check load failed refused', undefined],
    ['Advance podinfo.test canary weight 25', undefined],
  ])('%s', (message, said) => {
    expect(valueIn(message)).toEqual(said);
  });
});
