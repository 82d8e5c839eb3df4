import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AutomationHold, heldBy, keptBy, releasedBy } from '../../src/rollout/automation-hold.ts';

const RUNNING: AutomationHold = { suspended: false, heldFor: [], keptFor: [] };
const BY_HAND: AutomationHold = { suspended: true, heldFor: [], keptFor: [] };

describe('an image automation that is held', () => {
  it('goes on as it was when the rollout ends well', () => {
    expect(releasedBy(heldBy(RUNNING, 'a'), 'a')).toEqual(RUNNING);
  });

  it('stays suspended when the rollout is taken back, whatever another rollout does', () => {
    const kept = keptBy(heldBy(RUNNING, 'a'), 'a');
    expect(kept).toEqual({ suspended: true, heldFor: [], keptFor: ['a'] });
    expect(releasedBy(kept, 'a')).toEqual(kept);
    expect(releasedBy(heldBy(kept, 'b'), 'b')).toEqual(kept);
  });

  it('is left alone when a person has suspended it', () => {
    expect(heldBy(BY_HAND, 'a')).toBe(BY_HAND);
    expect(keptBy(BY_HAND, 'a')).toBe(BY_HAND);
    expect(releasedBy(BY_HAND, 'a')).toBe(BY_HAND);
  });

  it('goes on only when the last of several rollouts has ended', () => {
    const both = heldBy(heldBy(RUNNING, 'a'), 'b');
    const one = releasedBy(both, 'a');
    expect(one).toEqual({ suspended: true, heldFor: ['b'], keptFor: [] });
    expect(releasedBy(one, 'b')).toEqual(RUNNING);
  });

  it('forgets its marks when a person has resumed it meanwhile', () => {
    const resumed = { ...keptBy(RUNNING, 'a'), suspended: false };
    expect(heldBy(resumed, 'b')).toEqual({ suspended: true, heldFor: ['b'], keptFor: [] });
    const resumedWhileHeld = { ...heldBy(RUNNING, 'a'), suspended: false };
    expect(releasedBy(resumedWhileHeld, 'a')).toEqual(RUNNING);
  });

  it('is suspended as long as a rollout needs it, in whatever order rollouts come and go', () => {
    const step = fc.record({
      id: fc.constantFrom('a', 'b', 'c'),
      what: fc.constantFrom('hold', 'keep', 'release'),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), steps => {
        const live = new Set<string>();
        const kept = new Set<string>();
        let hold = RUNNING;
        for (const { id, what } of steps) {
          if (what === 'hold') {
            hold = heldBy(hold, id);
            live.add(id);
          } else if (what === 'keep') {
            hold = keptBy(hold, id);
            live.delete(id);
            kept.add(id);
          } else {
            hold = releasedBy(hold, id);
            live.delete(id);
          }
          expect(hold.suspended).toBe(live.size > 0 || kept.size > 0);
          expect(new Set(hold.keptFor)).toEqual(kept);
        }
      }),
    );
  });
});
