import type { RolloutView } from '../../src/report/view.ts';
import type { Outcome, Verdict } from '../../src/rollout/verdict.ts';

const START = Date.UTC(2026, 0, 2, 3, 4, 5);
const SHA = 'c0ffee0'.padEnd(40, '0');

/** A rollout at 25 % of traffic. */
export function analysingView(change: Partial<RolloutView> = {}): RolloutView {
  return {
    id: 'shop-1',
    name: 'shop',
    stage: 'analysing',
    startedAt: START,
    updatedAt: START + 95_000,
    source: {
      repository: 'acme/shop',
      sha: 'a'.repeat(40),
      runUrl: 'https://github.com/acme/shop/actions/runs/1',
    },
    gitops: { repository: 'acme/fleet', branch: 'main' },
    changes: [
      {
        what: 'image ghcr.io/acme/shop',
        target: 'prod/shop',
        from: '6.1.0',
        to: '6.2.0',
        path: 'apps/shop.yaml',
        line: 16,
      },
    ],
    commit: { sha: SHA, url: `https://github.com/acme/fleet/commit/${SHA}`, verified: true },
    proof: [
      {
        link: 'committed',
        state: 'proven',
        at: START + 1_000,
        detail: 'c0ffee0 is on the branch, signed by GitHub',
      },
      {
        link: 'applied',
        state: 'proven',
        at: START + 5_000,
        detail: 'Kustomization flux-system/apps attempted c0ffee0',
      },
      { link: 'delivered', state: 'proven', at: START + 5_000, detail: 'the live template carries our id' },
      { link: 'analysed', state: 'waiting', detail: 'Flagger is analysing it' },
    ],
    next: '50 % of traffic comes next; it is promoted in about 40 s if every check passes.',
    canaries: [
      {
        target: 'prod/shop',
        canary: 'prod/shop',
        strategy: 'weighted',
        phase: 'Progressing',
        stage: 'analysing',
        weight: 25,
        maxWeight: 50,
        iteration: 0,
        failedChecks: 1,
        threshold: 5,
        step: 1,
        steps: 2,
        leftMs: 42_000,
        gates: [],
        progress: [
          { at: START + 10_000, weight: 0, iteration: 0, failedChecks: 0 },
          { at: START + 20_000, weight: 25, iteration: 0, failedChecks: 0 },
          { at: START + 60_000, weight: 25, iteration: 0, failedChecks: 1 },
        ],
        metrics: [
          {
            name: 'success',
            min: 99,
            source: 'prod/success',
            points: [
              { at: START + 30_000, value: 99.7 },
              { at: START + 60_000, value: 90 },
            ],
          },
          { name: 'latency', max: 500, source: 'builtin', points: [{ at: START + 30_000 }] },
        ],
        failingSince: START + 60_000,
        events: [
          {
            type: 'Warning',
            message: 'Halt shop.prod advancement success 90.00 < 99',
            count: 2,
            firstSeen: START,
            lastSeen: START,
          },
        ],
      },
    ],
    notes: [],
    ...change,
  };
}

const REVERT = 'beef123'.padEnd(40, '0');
const FAILED: readonly Verdict[] = [
  'rolled-back',
  'not-applied',
  'not-started',
  'promotion-failed',
  'revert-unverified',
  'cancelled',
  'timed-out',
];
const NOTHING_WRITTEN: readonly Verdict[] = ['refused', 'unchanged'];

/** How a rollout looks that ended so. */
export function endedView(verdict: Verdict): RolloutView {
  const outcome: Outcome = {
    verdict,
    reason: 'metric-out-of-range',
    detail: 'prod/shop: what happened, in a sentence.',
    remedy: 'What a person does now.',
  };
  const view = analysingView({ stage: 'done', outcome, updatedAt: START + 150_000 });
  const { next: _next, commit, ...ended } = view;
  if (NOTHING_WRITTEN.includes(verdict)) return { ...ended, proof: [], canaries: [] };
  const canaries = view.canaries.map(({ leftMs: _left, ...canary }) => ({
    ...canary,
    outcome: { kind: verdict === 'promoted' ? 'promoted' : 'failed', detail: 'prod/shop: how it ended' },
  }));
  const common = { ...ended, ...(commit ? { commit } : {}), canaries };
  if (verdict === 'promoted') return { ...common, proof: chain('proven') };
  if (verdict === 'revert-blocked') {
    const pullRequest = { number: 7, url: 'https://github.com/acme/fleet/pull/7' };
    return { ...common, proof: chain('failed'), pullRequest };
  }
  if (!FAILED.includes(verdict)) return common;
  const back = verdict === 'revert-unverified' || verdict === 'promotion-failed' ? 'unknown' : 'proven';
  return {
    ...common,
    revert: {
      sha: REVERT,
      url: `https://github.com/acme/fleet/commit/${REVERT}`,
      verified: true,
      forms: { 'prod/shop': 'plain' },
    },
    proof: [
      ...chain('failed'),
      { link: 'reverted', state: 'proven', at: START + 110_000, detail: 'beef123 is on the branch' },
      {
        link: 'back',
        state: back,
        ...(back === 'proven' ? { at: START + 145_000 } : {}),
        detail: back === 'proven' ? 'the cluster runs what it ran before' : 'not seen',
      },
    ],
  };
}

/** The whole chain, in which the analysis ended so. */
function chain(analysed: 'proven' | 'failed'): RolloutView['proof'] {
  const seen = analysingView().proof.filter(({ state }) => state === 'proven');
  if (analysed === 'failed') {
    return [
      ...seen,
      { link: 'analysed', state: 'failed', detail: 'metric success was 90.00, and must be at least 99' },
      { link: 'promoted', state: 'unknown', detail: 'never seen' },
    ];
  }
  return [
    ...seen,
    {
      link: 'analysed',
      state: 'proven',
      at: START + 100_000,
      detail: 'Flagger promoted revision 5f4dcc3b5a',
    },
    { link: 'promoted', state: 'proven', at: START + 145_000, detail: 'shop-primary runs it' },
  ];
}
