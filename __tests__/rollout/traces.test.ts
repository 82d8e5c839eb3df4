import { describe, expect, it } from 'vitest';
import type { RolloutState, Transition } from '../../src/rollout/state.ts';
import { startFollowing, transition } from '../../src/rollout/transition.ts';
import {
  COMMIT,
  intentOf,
  knownRevisions,
  observation,
  seenThrough,
  type StoryStep,
  story,
  TARGET,
} from './story.ts';

/** The state machine fed with what watches of real runs showed (Flagger 1.44.0, interval 10 s). */

interface Replay {
  readonly last: Transition;
  /** Every phase and verdict passed, with its second. */
  readonly ends: readonly { readonly t: number; readonly phase: string; readonly detail: string }[];
}

/** Feeds the steps as confirmed reads, a tick of 5 s after each, until the machine leaves `following`. */
function replay(steps: readonly StoryStep[], id: string): Replay {
  const [first, ...rest] = steps;
  if (!first) throw new Error('empty story');
  const before = first.view.flux?.kustomizations[0]?.lastAttemptedRevision;
  let last = startFollowing(intentOf(first.view, id), COMMIT, 0);
  const ends: { t: number; phase: string; detail: string }[] = [];
  for (const { t, view } of rest) {
    const known = knownRevisions(view, before, false);
    last = seenThrough(
      last.state,
      { type: 'observed', observation: observation(view, 'read', t * 1000), known },
      t * 1000,
    );
    if (last.state.phase !== 'following') {
      ends.push({ t, phase: last.state.phase, detail: detailOf(last.state) });
      return { last, ends };
    }
  }
  return { last, ends };
}

function detailOf(state: RolloutState): string {
  if (state.phase === 'done') return `${state.outcome.verdict}/${state.outcome.reason}`;
  if (state.phase === 'reverting') return `${state.cause.reason}/${Object.values(state.forms).join(',')}`;
  return '';
}

describe('what real runs end in', () => {
  it.each([
    ['promoted', '1', 'done', 'promoted/analysed', 57],
    ['metric-failure', '2', 'reverting', 'metric-out-of-range/plain', 48],
    ['failure-after-failure', '11', 'reverting', 'metric-out-of-range/plain', 46],
    ['canary-pods-never-ready', '23', 'reverting', 'canary-not-ready/plain', 28],
    ['superseded', '4', 'done', 'superseded/newer-release', 20],
  ] as const)('%s', (name, id, phase, detail, second) => {
    const { ends } = replay(story(name), id);
    expect(ends.map(end => ({ ...end, t: Math.floor(end.t) }))).toEqual([{ t: second, phase, detail }]);
  });

  it('believes no earlier look than the promotion itself', () => {
    const steps = story('promoted');
    const promotedAt = steps.findIndex(step => step.view.canary?.phase === 'Succeeded');
    const { last } = replay(steps.slice(0, promotedAt), '1');
    expect(last.state.phase).toBe('following');
  });

  it('does not take the Failed of the release before for ours', () => {
    const steps = story('failure-after-failure');
    const stale = steps.filter(step => step.t > 0 && step.t < 10 && step.view.canary?.phase === 'Failed');
    expect(stale.length).toBeGreaterThan(0);
    const { last } = replay([steps[0] as StoryStep, ...stale], '11');
    expect(last.state.phase).toBe('following');
  });

  it('remembers failed checks that Flagger zeroes on Failed', () => {
    const { last } = replay(story('metric-failure'), '2');
    expect(last.state.tracks[TARGET]?.peak).toEqual({ weight: 25, iteration: 0, failedChecks: 2 });
  });

  it('waits while a primary cannot start', () => {
    const { last } = replay(
      story('primary-cannot-start').filter(step => step.t < 280),
      '15',
    );
    expect(last.state.phase).toBe('following');
    expect(last.state.tracks[TARGET]?.stage).toBe('promoting');
  });
});

/** Follows a story, cancels at its step, and goes on as if the recorded revert were ours. */
function cancelAt(
  name: string,
  id: string,
  step: string,
): { forms: unknown; doneAt: number | undefined; state: RolloutState } {
  const [first, ...rest] = story(name);
  if (!first) throw new Error('empty story');
  const before = first.view.flux?.kustomizations[0]?.lastAttemptedRevision;
  let { state } = startFollowing(intentOf(first.view, id), COMMIT, 0);
  let reverted = false;
  let revertFrom: string | undefined;
  let forms: unknown;
  const end = rest.at(-1) ?? first;
  // A recording ends when nothing moves any more; what it showed last goes on.
  const still = [10, 20, 30, 40].map(seconds => ({ t: end.t + seconds, view: end.view }) satisfies StoryStep);
  for (const entry of [...rest, ...still] as readonly StoryStep[]) {
    const now = entry.t * 1000;
    if (entry.step === step) {
      state = transition(state, { type: 'cancelled', by: 'SIGINT' }, now).state;
      if (state.phase === 'reverting') forms = state.forms;
      state = transition(
        state,
        { type: 'reverted', revert: { sha: 'r'.repeat(40), url: '', how: 'made' } },
        now,
      ).state;
      reverted = true;
      revertFrom = entry.view.flux?.kustomizations[0]?.lastAttemptedRevision;
    }
    const known = knownRevisions(entry.view, reverted ? revertFrom : before, reverted);
    state = transition(
      state,
      { type: 'observed', observation: observation(entry.view, 'read', now), known },
      now,
    ).state;
    if (state.phase === 'done') return { forms, doneAt: entry.t, state };
  }
  return { forms, doneAt: undefined, state };
}

describe('a cancel during real runs', () => {
  it('stamps while Progressing, and sees the cluster back although Flagger analyses the old version', () => {
    const { forms, state } = cancelAt(
      'stamped-revert-while-progressing',
      '30',
      'stamped revert: old content, new id',
    );
    expect(forms).toEqual({ [TARGET]: 'stamped' });
    expect(state).toMatchObject({
      phase: 'done',
      outcome: { verdict: 'cancelled', reason: 'job-cancelled' },
    });
  });

  it('is plain while Promoting, and back only when the primary lost our id again', () => {
    const { forms, doneAt, state } = cancelAt('plain-revert-while-promoting', '31', 'reverted in Promoting');
    expect(forms).toEqual({ [TARGET]: 'plain' });
    expect(state).toMatchObject({ phase: 'done', outcome: { verdict: 'cancelled' } });
    // Flagger first promotes the reverted release (56 s), then analyses and promotes the old one (96 s).
    expect(doneAt).toBeGreaterThan(96);
  });
});
