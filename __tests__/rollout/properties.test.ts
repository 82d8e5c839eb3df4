import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { proofOf } from '../../src/report/proof.ts';
import type { ProofLink } from '../../src/report/view.ts';
import type { TargetView } from '../../src/rollout/observation.ts';
import type { Effect, RolloutEvent, RolloutState } from '../../src/rollout/state.ts';
import { startFollowing, transition } from '../../src/rollout/transition.ts';
import { VERDICTS, type Verdict } from '../../src/rollout/verdict.ts';
import { anyEvent, BASE, ID, mostly, OPENED, REVERT } from './any-event.ts';
import { COMMIT, intentOf, seenThrough, TARGET } from './story.ts';

/** Whatever the cluster and GitHub do, in whatever order: what the promise forbids never happens. */

interface Run {
  readonly state: RolloutState;
  readonly effects: readonly Effect[];
  /** Reverts that were asked for and then answered with success. */
  readonly reverted: boolean;
  readonly pullRequest: boolean;
  readonly lastRead: TargetView | undefined;
  /** The chain of proof after each event. */
  readonly chains: readonly (readonly ProofLink[])[];
}

interface Entry {
  readonly event: RolloutEvent;
  readonly passes: number;
  readonly answer: 'reverted' | 'conflict' | 'refused';
}

const entries: fc.Arbitrary<readonly Entry[]> = fc.array(
  fc.record({
    event: anyEvent,
    passes: fc.constantFrom(100, 5_000, 40_000, 400_000),
    answer: mostly<Entry['answer']>('reverted', 'conflict', 'refused'),
  }),
  { minLength: 1, maxLength: 40 },
);

/** Plays events; answers a revert or a pull request as soon as it is asked for, as the loop does. */
function play(kind: 'release' | 'adoption', list: readonly Entry[]): Run {
  const { canary: _canary, ...withoutCanary } = BASE;
  const intent = intentOf(kind === 'adoption' ? withoutCanary : BASE, ID, {
    kind,
    expectations:
      kind === 'adoption'
        ? []
        : [{ kind: 'image', target: TARGET, repository: 'ghcr.io/acme/podinfo', version: '2' }],
  });
  let state = startFollowing(intent, COMMIT, 0).state;
  let now = 0;
  const effects: Effect[] = [];
  const chains: (readonly ProofLink[])[] = [];
  let reverted = false;
  let pullRequest = false;
  let lastRead: TargetView | undefined;
  const feed = (event: RolloutEvent): readonly Effect[] => {
    const next = seenThrough(state, event, now);
    state = next.state;
    chains.push(proofOf(state));
    effects.push(...next.effects);
    return next.effects;
  };
  for (const { event, passes, answer } of list) {
    if (state.phase === 'done') break;
    now += passes;
    if (event.type === 'observed' && event.observation.source === 'read')
      lastRead = event.observation.targets[TARGET];
    for (const effect of feed(event)) {
      if (effect.type === 'openPullRequest') {
        feed({ type: 'pullRequestAnswered', outcome: OPENED });
        pullRequest = true;
      }
      if (effect.type !== 'revert') continue;
      if (answer === 'reverted') {
        feed({ type: 'reverted', revert: REVERT });
        reverted = true;
        continue;
      }
      const refusals =
        answer === 'conflict'
          ? feed({ type: 'revertConflict', paths: ['apps/podinfo.yaml'] })
          : feed({ type: 'revertRefused', reason: 'branch-protected', detail: 'no', remedy: 'ask' });
      if (refusals.some(({ type }) => type === 'openPullRequest')) {
        feed({ type: 'pullRequestAnswered', outcome: OPENED });
        pullRequest = true;
      }
    }
  }
  return { state, effects, reverted, pullRequest, lastRead, chains };
}

/** Verdicts under which our commit may stay in Git without a revert or a pull request. */
const STAYS: readonly Verdict[] = ['promoted', 'initialized', 'superseded', 'unknown', 'pending'];

describe('a release, whatever happens', () => {
  it('is promoted only when a fresh read shows every link', () => {
    let promoted = 0;
    fc.assert(
      fc.property(entries, list => {
        const { state, lastRead } = play('release', list);
        if (state.phase !== 'done' || state.outcome.verdict !== 'promoted') return;
        promoted++;
        expect(lastRead?.canary).toMatchObject({ uid: 'canary-1', phase: 'Succeeded', suspended: false });
        expect(lastRead?.canary?.lastAppliedSpec).toBe('B');
        expect(lastRead?.canary?.lastPromotedSpec).toBe('B');
        expect(lastRead?.target?.rolloutId).toBe(ID);
        expect(lastRead?.primary).toMatchObject({ rolloutId: ID, complete: true });
        expect(JSON.stringify(lastRead?.target?.template)).toContain('podinfo:2');
      }),
      { numRuns: 3_000 },
    );
    expect(promoted).toBeGreaterThan(10);
  });

  it('never leaves a bad commit in Git unless the verdict says so', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(entries, list => {
        const { state, reverted, pullRequest } = play('release', list);
        if (state.phase !== 'done') return;
        const { verdict } = state.outcome;
        seen.add(verdict);
        if (STAYS.includes(verdict)) expect(reverted).toBe(false);
        else if (verdict === 'revert-blocked') expect(pullRequest).toBe(true);
        else expect(reverted || pullRequest).toBe(true);
        expect(VERDICTS[verdict]).toBeDefined();
      }),
      { numRuns: 3_000 },
    );
    expect([...seen].length).toBeGreaterThan(7);
  });

  it('calls the cluster back only when neither target nor primary carries the release', () => {
    let proven = 0;
    fc.assert(
      fc.property(entries, list => {
        const { state, lastRead } = play('release', list);
        if (state.phase !== 'done' || state.backAt === undefined) return;
        proven++;
        expect(lastRead?.target?.rolloutId).not.toBe(ID);
        expect(lastRead?.primary?.rolloutId).not.toBe(ID);
        expect(lastRead?.primary?.complete).toBe(true);
      }),
      { numRuns: 3_000 },
    );
    expect(proven).toBeGreaterThan(10);
  });

  it('keeps what was proven, with its time', () => {
    let kept = 0;
    fc.assert(
      fc.property(entries, list => {
        const { chains } = play('release', list);
        const proven = new Map<string, number | undefined>();
        for (const chain of chains) {
          for (const { link, state, at } of chain) {
            if (proven.has(link)) {
              expect({ link, state, at }).toEqual({ link, state: 'proven', at: proven.get(link) });
              kept++;
            }
            if (state === 'proven') proven.set(link, at);
          }
          for (const link of proven.keys()) expect(chain.map(each => each.link)).toContain(link);
        }
      }),
      { numRuns: 3_000 },
    );
    expect(kept).toBeGreaterThan(1_000);
  });

  it('asks for at most one revert and one pull request', () => {
    fc.assert(
      fc.property(entries, list => {
        const { effects } = play('release', list);
        expect(effects.filter(({ type }) => type === 'revert').length).toBeLessThanOrEqual(1);
        expect(effects.filter(({ type }) => type === 'openPullRequest').length).toBeLessThanOrEqual(1);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('an adoption, whatever happens', () => {
  it('is never reverted while the Canary exists', () => {
    let reverts = 0;
    fc.assert(
      fc.property(entries, list => {
        const { canary: _canary, ...withoutCanary } = BASE;
        let state = startFollowing(intentOf(withoutCanary, ID, { kind: 'adoption' }), COMMIT, 0).state;
        let now = 0;
        let last: TargetView | undefined;
        for (const { event, passes } of list) {
          now += passes;
          if (event.type === 'observed') last = event.observation.targets[TARGET];
          const next = transition(state, event, now);
          state = next.state;
          if (!next.effects.some(({ type }) => type === 'revert')) continue;
          reverts++;
          expect(last).toBeDefined();
          expect(last?.canary).toBeUndefined();
        }
      }),
      { numRuns: 3_000 },
    );
    expect(reverts).toBeGreaterThan(10);
  });
});
