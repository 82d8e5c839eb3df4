import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { startFollowing, transition } from '../../src/rollout/transition.js';
import { VERDICTS } from '../../src/rollout/verdict.js';
import { COMMIT, canaryView, fluxChain, intentOf, observation, TARGET, workloadView } from './story.js';
/** Whatever the cluster and GitHub do, in whatever order: what the promise forbids never happens. */
const ID = 'ours';
const PHASES = [
  '',
  'Initializing',
  'Initialized',
  'Waiting',
  'Progressing',
  'WaitingPromotion',
  'Promoting',
  'Finalising',
  'Succeeded',
  'Failed',
];
const BASE = {
  target: workloadView({ rolloutId: 'old' }),
  primary: workloadView({ uid: 'primary-1', name: 'podinfo-primary', rolloutId: 'old' }),
  canary: canaryView({
    promoted: { status: 'True', reason: 'Succeeded', message: '', lastTransitionTime: 0, lastUpdateTime: 0 },
  }),
  replicaSets: [{ name: 'podinfo-a', createdAt: 0, podTemplateHash: 'A', rolloutId: 'old', replicas: 0 }],
  events: [],
  flux: fluxChain({ lastAttemptedRevision: 'before' }),
};
/** Biased towards ours and towards agreement, so that ends are reached often. */
const mostly = (usual, ...others) =>
  fc.oneof(
    { weight: 5, arbitrary: fc.constant(usual) },
    { weight: 1, arbitrary: fc.constantFrom(usual, ...others) },
  );
/** `ours`: how things look while our release is live; `old`: after a revert. */
const viewsAround = (id, attempted) =>
  fc
    .record({
      phase: fc.constantFrom(...PHASES),
      weight: fc.constantFrom(0, 25, 100),
      applied: mostly('B', 'A', 'C'),
      promoted: mostly('B', 'A', 'C'),
      updated: fc.constantFrom(0, 1_000, 20_000),
      targetId: mostly(id, ID, 'old', 'newer', undefined),
      primaryId: mostly(id, ID, 'old', 'newer', undefined),
      image: mostly('2', '1'),
      complete: mostly(true, false),
      suspended: mostly(false, true),
      uid: mostly('canary-1', 'canary-2'),
      attempted: mostly(attempted, 'ours', 'before', 'reverted', 'newer'),
      ready: mostly('ReconciliationSucceeded', 'BuildFailed', 'HealthCheckFailed'),
      gone: mostly(false, false, false, true),
      twice: mostly(false, true),
    })
    .map(fields => {
      const ours = { name: 'podinfo-b', createdAt: 2_000, podTemplateHash: 'B', rolloutId: ID, replicas: 1 };
      const id = fields.targetId === undefined ? {} : { rolloutId: fields.targetId };
      const primaryId = fields.primaryId === undefined ? {} : { rolloutId: fields.primaryId };
      const { canary: _canary, ...withoutCanary } = BASE;
      return {
        ...withoutCanary,
        target: workloadView({
          ...id,
          template: {
            spec: { containers: [{ name: 'podinfod', image: `ghcr.io/acme/podinfo:${fields.image}` }] },
          },
        }),
        primary: workloadView({
          uid: 'primary-1',
          name: 'podinfo-primary',
          complete: fields.complete,
          ...primaryId,
        }),
        ...(fields.gone
          ? {}
          : {
              canary: canaryView({
                uid: fields.uid,
                phase: fields.phase,
                canaryWeight: fields.weight,
                lastAppliedSpec: fields.applied,
                lastPromotedSpec: fields.promoted,
                suspended: fields.suspended,
                promoted: {
                  status: 'Unknown',
                  reason: fields.phase,
                  message: '',
                  lastTransitionTime: fields.updated,
                  lastUpdateTime: fields.updated,
                },
              }),
            }),
        replicaSets: [
          ...(fields.targetId === ID ? [ours] : []),
          ...(fields.twice ? [{ ...ours, name: 'podinfo-c', podTemplateHash: 'C' }] : []),
          ...BASE.replicaSets,
        ],
        flux: fluxChain({
          lastAttemptedRevision: fields.attempted,
          ready: {
            status: fields.ready === 'ReconciliationSucceeded' ? 'True' : 'False',
            reason: fields.ready,
            message: 'scripted',
          },
        }),
      };
    });
const anyView = fc.oneof(
  { weight: 2, arbitrary: viewsAround(ID, 'ours') },
  { weight: 3, arbitrary: viewsAround('old', 'reverted') },
);
const KNOWN = {
  before: { containsCommit: false, containsRevert: false, changesOurPaths: false },
  ours: { containsCommit: true, containsRevert: false, changesOurPaths: false },
  reverted: { containsCommit: true, containsRevert: true, changesOurPaths: false },
  newer: { containsCommit: true, containsRevert: false, changesOurPaths: true },
};
const REVERT = { sha: 'd'.repeat(40), url: '' };
const anyEvent = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.tuple(anyView, fc.constantFrom('read', 'read', 'watch')).map(([view, source]) => ({
      type: 'observed',
      observation: observation(view, source, 0),
      known: KNOWN,
    })),
  },
  { weight: 1, arbitrary: fc.constant({ type: 'unreadable', message: 'connection refused' }) },
  { weight: 1, arbitrary: fc.constant({ type: 'tick' }) },
  { weight: 1, arbitrary: fc.constant({ type: 'cancelled', by: 'SIGINT' }) },
  // Answers nobody asked for must not matter.
  { weight: 1, arbitrary: fc.constant({ type: 'reverted', revert: REVERT }) },
  {
    weight: 1,
    arbitrary: fc.constant({ type: 'pullRequestOpened', url: 'https://pr', number: 1 }),
  },
);
const entries = fc.array(
  fc.record({
    event: anyEvent,
    passes: fc.constantFrom(100, 5_000, 40_000, 400_000),
    answer: mostly('reverted', 'conflict', 'refused'),
  }),
  { minLength: 1, maxLength: 40 },
);
/** Plays events; answers a revert or a pull request as soon as it is asked for, as the loop does. */
function play(kind, list) {
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
  const effects = [];
  let reverted = false;
  let pullRequest = false;
  let lastRead;
  const feed = event => {
    const next = transition(state, event, now);
    state = next.state;
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
        feed({ type: 'pullRequestOpened', url: 'https://pr', number: 7 });
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
        feed({ type: 'pullRequestOpened', url: 'https://pr', number: 7 });
        pullRequest = true;
      }
    }
  }
  return { state, effects, reverted, pullRequest, lastRead };
}
/** Verdicts under which our commit may stay in Git without a revert or a pull request. */
const STAYS = ['promoted', 'initialized', 'superseded', 'unknown', 'pending'];
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
    const seen = new Set();
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
        let last;
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
