import { describe, expect, it } from 'vitest';
import type { Observation } from '../../src/rollout/observation.ts';
import type { RolloutState } from '../../src/rollout/state.ts';
import { startFollowing, transition } from '../../src/rollout/transition.ts';
import { COMMIT, intentOf, knownRevisions, observation, type StoryStep, story, TARGET } from './story.ts';

/** A promoted run up to the look that shows the promotion, fed to the state machine. */
function untilPromoted(): { readonly state: RolloutState; readonly last: StoryStep; readonly now: number } {
  const [first, ...rest] = story('promoted');
  if (!first) throw new Error('empty story');
  const before = first.view.flux?.kustomizations[0]?.lastAttemptedRevision;
  let { state } = startFollowing(intentOf(first.view, '1'), COMMIT, 0);
  for (const step of rest) {
    const now = step.t * 1000;
    const known = knownRevisions(step.view, before, false);
    const next = transition(
      state,
      { type: 'observed', observation: observation(step.view, 'read', now), known },
      now,
    );
    state = next.state;
    if (next.effects.some(({ type }) => type === 'lookAtBranch')) return { state, last: step, now };
  }
  throw new Error('never promoted');
}

describe('the last look before promoted is said', () => {
  it('finds the commit on the branch', () => {
    const { state, now } = untilPromoted();
    const next = transition(state, { type: 'branchLookedAt', holds: true }, now);
    expect(next.state).toMatchObject({ phase: 'done', outcome: { verdict: 'promoted' } });
  });

  it('finds a branch that was rewritten: not promoted, for Flux takes it back', () => {
    const { state, now } = untilPromoted();
    const next = transition(state, { type: 'branchLookedAt', holds: false }, now);
    expect(next.state).toMatchObject({
      phase: 'done',
      outcome: { verdict: 'superseded', reason: 'branch-rewritten' },
    });
  });

  it('says that GitHub could not be asked', () => {
    const { state, now } = untilPromoted();
    const next = transition(state, { type: 'branchLookedAt', holds: undefined }, now);
    expect(next.state).toMatchObject({ phase: 'done', outcome: { verdict: 'promoted' } });
    expect(next.state.notes.at(-1)).toContain('GitHub did not say');
  });

  it('a cancel at that moment takes nothing back', () => {
    const { state, now } = untilPromoted();
    const next = transition(state, { type: 'cancelled', by: 'SIGINT' }, now);
    expect(next.state).toMatchObject({ phase: 'done', outcome: { verdict: 'promoted' } });
    expect(next.effects).toEqual([]);
  });
});

describe('an object that is missing', () => {
  const without = (seen: Observation, what: 'canary' | 'target'): Observation => {
    const view = seen.targets[TARGET];
    if (!view) throw new Error('no target');
    const { [what]: _gone, ...rest } = view;
    return { ...seen, targets: { [TARGET]: rest } };
  };

  it.each(['canary', 'target'] as const)('%s: once is not gone; gone is what stays gone', what => {
    const [first, second] = story('promoted');
    if (!first || !second) throw new Error('empty story');
    const seen = observation(second.view, 'read', 1000);
    let { state } = startFollowing(intentOf(first.view, '1'), COMMIT, 0);
    const look = (at: Observation, now: number) => {
      state = transition(state, { type: 'observed', observation: at, known: {} }, now).state;
    };
    look(without(seen, what), 1_000);
    expect(state.phase).toBe('following');
    look(seen, 5_000);
    look(without(seen, what), 12_000);
    expect(state.phase).toBe('following');
    look(without(seen, what), 22_000);
    expect(state).toMatchObject({
      phase: 'done',
      outcome: { verdict: 'unknown', reason: `${what}-replaced` },
    });
  });
});
