import { describe, expect, it } from 'vitest';
import { Cadence } from '../../src/report/cadence.ts';
import { ComeBackLater, Reporter, type ReportSink, type Writing } from '../../src/report/reporter.ts';
import type { RolloutView } from '../../src/report/view.ts';
import { analysingView, endedView } from './views.ts';
import { VirtualClock } from './virtual-clock.ts';

interface Written {
  readonly at: number;
  readonly sink: string;
  readonly stage: string;
}

/** Sinks that are written as the check run and the comment are, and whose writes can fail. */
function reporting(fail: (on: Written) => Error | undefined = () => undefined) {
  const clock = new VirtualClock(1_000_000);
  const written: Written[] = [];
  const lines: string[] = [];
  const sink = (name: string, progress: boolean): ReportSink => {
    const cadence = new Cadence(() => ({ kind: 'unlimited' }));
    return {
      name,
      wants: (view, now) => cadence.isDue(view, { now, progress }),
      write: async (view: RolloutView, { turn }: Writing) => {
        cadence.wrote(view, clock.now());
        await turn();
        const write = { at: clock.now(), sink: name, stage: view.stage };
        const error = fail(write);
        if (error instanceof ComeBackLater) cadence.forget();
        if (error) throw error;
        written.push(write);
      },
    };
  };
  const say = (line: string) => void lines.push(line);
  const reporter = new Reporter({
    sinks: [sink('The check run', true), sink('The comment', false)],
    log: { info: say, warning: line => say(`warning: ${line}`), error: say },
    clock,
  });
  return { clock, reporter, written, lines };
}

const weights = (weight: number): RolloutView => {
  const view = analysingView();
  return { ...view, canaries: view.canaries.map(canary => ({ ...canary, weight })) };
};

describe('a reporter', () => {
  it('writes the check on change, at most every 15 s, and the comment when the stage changes', async () => {
    const { clock, reporter, written } = reporting();
    for (let second = 0; second < 59; second += 1) {
      reporter.update(weights(second));
      await clock.run(1_000);
    }
    const times = written.filter(({ sink }) => sink === 'The check run').map(({ at }) => at);
    expect(times).toHaveLength(4);
    const gaps = times.slice(1).map((at, index) => at - (times[index] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(15_000);
    expect(written.filter(({ sink }) => sink === 'The comment')).toHaveLength(1);
    reporter.update({ ...weights(60), stage: 'promoting' });
    await clock.run(20_000);
    expect(written.filter(({ sink }) => sink === 'The comment')).toHaveLength(2);
  });

  it('writes nothing when nothing has changed', async () => {
    const { clock, reporter, written } = reporting();
    for (let second = 0; second < 600; second += 10) {
      reporter.update(weights(25));
      await clock.run(10_000);
    }
    expect(written).toHaveLength(2);
  });

  it('keeps a second between any two writes', async () => {
    const { clock, reporter, written } = reporting();
    const stages = ['committing', 'applying', 'delivering', 'analysing', 'promoting', 'finalising'] as const;
    for (const stage of stages) {
      reporter.update(analysingView({ stage }));
      await clock.run(700);
    }
    await clock.run(60_000, reporter.finish(endedView('promoted')));
    const gaps = written.slice(1).map(({ at }, index) => at - (written[index]?.at ?? 0));
    expect(written.length).toBeGreaterThan(4);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(1_000);
  });

  it('pauses all writes for as long as a limit asks, says so once, and goes on', async () => {
    const { clock, reporter, written, lines } = reporting(({ at }) =>
      at < 1_300_000 ? new ComeBackLater('limit', { waitMs: 300_000 }) : undefined,
    );
    for (let second = 0; second < 400; second += 1) {
      reporter.update(weights(second));
      await clock.run(1_000);
    }
    expect(written[0]?.at).toBeGreaterThanOrEqual(1_300_000);
    expect(written.map(({ sink }) => sink)).toContain('The comment');
    expect(lines.filter(line => line.includes('pause'))).toEqual(['Reports pause for about 5 min: limit']);
  });

  it('waits at the end for a limit that passes soon, so that the end is shown', async () => {
    const { clock, reporter, written, lines } = reporting(({ at }) =>
      at < 1_060_000 ? new ComeBackLater('limit', { waitMs: 60_000 }) : undefined,
    );
    await clock.run(200_000, reporter.finish(endedView('rolled-back')));
    expect(written.map(({ sink }) => sink)).toEqual(['The check run', 'The comment']);
    expect(lines.join('\n')).not.toContain('does not show');
  });

  it('does not wait for one that lasts, and says what does not show the end', async () => {
    const { clock, reporter, lines } = reporting(() => new ComeBackLater('limit', { waitMs: 3_000_000 }));
    const began = clock.now();
    const finished = reporter.finish(endedView('rolled-back'));
    await clock.run(200_000, finished);
    await finished;
    expect(clock.now() - began).toBeLessThan(10_000);
    expect(lines.filter(line => line.startsWith('warning:'))).toEqual([
      'warning: The check run does not show how this ended: shop 6.2.0: rolled back.',
      'warning: The comment does not show how this ended: shop 6.2.0: rolled back.',
    ]);
  });

  it('gives up on a place that never answers', async () => {
    const clock = new VirtualClock();
    const lines: string[] = [];
    const reporter = new Reporter({
      sinks: [{ name: 'The check run', wants: () => true, write: () => new Promise(() => {}) }],
      log: { info: () => {}, warning: line => void lines.push(line), error: () => {} },
      clock,
    });
    const finished = reporter.finish(endedView('promoted'));
    await clock.run(120_000, finished);
    await finished;
    expect(lines).toEqual(['The check run does not show how this ended: shop 6.2.0: promoted.']);
  });

  it('says each thing once in the log: links, steps, Flagger’s words, not the time left', () => {
    const { reporter, lines } = reporting();
    const view = analysingView();
    const later = view.canaries.map(canary => ({ ...canary, leftMs: 20_000 }));
    reporter.update(view);
    reporter.update({ ...view, canaries: later });
    reporter.update({ ...view, next: 'something else' });
    expect(lines.filter(line => line.includes('25 % of traffic'))).toHaveLength(1);
    expect(lines.filter(line => line.includes('Halt shop.prod'))).toHaveLength(1);
    expect(new Set(lines).size).toBe(lines.length);
  });
});

describe('a cadence that shares requests', () => {
  const cadence = (remaining: number) => {
    const made = new Cadence(() => ({ kind: 'limited', limit: 1_000, remaining, resetAt: 0 }));
    made.wrote(weights(10), 0);
    return made;
  };
  const on = { now: 60_000, progress: true };

  it('shows progress, then stages only, then the end only', () => {
    expect(cadence(600).isDue(weights(20), on)).toBe(true);
    expect(cadence(400).isDue(weights(20), on)).toBe(false);
    expect(cadence(400).isDue(analysingView({ stage: 'promoting' }), on)).toBe(true);
    expect(cadence(100).isDue(analysingView({ stage: 'promoting' }), on)).toBe(false);
    expect(cadence(0).isDue(endedView('promoted'), on)).toBe(true);
  });
});
