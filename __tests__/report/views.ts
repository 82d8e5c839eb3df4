import type { RolloutView } from '../../src/report/view.ts';
import {
  blockedOutcome,
  promotionFailedOutcome,
  provenOutcome,
  supersededOutcome,
  unverifiedOutcome,
} from '../../src/rollout/outcome-text.ts';
import type { RevertRecord } from '../../src/rollout/ports.ts';
import type { Cause } from '../../src/rollout/state.ts';
import type { Outcome, Reason, Verdict } from '../../src/rollout/verdict.ts';

const START = Date.UTC(2026, 0, 2, 3, 4, 5);
const SHA = 'c0ffee0'.padEnd(40, '0');

/** A rollout at 25 % of traffic. */
export function analysingView(change: Partial<RolloutView> = {}): RolloutView {
  return {
    id: 'shop-1',
    name: 'shop',
    purpose: 'release',
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
    serving: [],
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
        detail: 'Kustomization flux-system/apps applied c0ffee0',
      },
      {
        link: 'delivered',
        state: 'proven',
        at: START + 5_000,
        detail: 'the object in the cluster has the values asked for, and this release’s id',
      },
      { link: 'analysed', state: 'waiting', detail: 'Flagger is analysing it' },
    ],
    next: '50 % of traffic comes next; it is promoted in about 40 s if every check passes. After 4 more failed checks Flagger rolls back, and the commit is reverted.',
    onCancel: 'revert',
    canaries: [
      {
        target: 'prod/shop',
        canary: 'prod/shop',
        strategy: 'weighted',
        phase: 'Progressing',
        stage: 'analysing',
        weight: 25,
        highest: 25,
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
          {
            name: 'request-duration',
            max: 500,
            source: 'builtin',
            points: [{ at: START + 30_000, value: 213.4 }, { at: START + 60_000 }],
          },
        ],
        failingSince: START + 60_000,
        events: [
          {
            type: 'Warning',
            message: 'Halt shop.prod advancement success 90.00 < 99',
            count: 2,
            firstSeen: START + 60_000,
            lastSeen: START + 85_000,
          },
        ],
      },
    ],
    notes: [],
    ...change,
  };
}

const REVERT_SHA = 'beef123'.padEnd(40, '0');
const REVERT: RevertRecord = { sha: REVERT_SHA, url: '', how: 'made' };
const FAILURE = 'prod/shop (5 of 5 failed checks): metric success was 90.00, and must be at least 99';
const PULL = { number: 7, url: 'https://github.com/acme/fleet/pull/7' };
const BACK = 'shop-primary runs what it ran before';

const cause = (verdict: Cause['verdict'], reason: Reason, detail: string): Cause => ({
  verdict,
  reason,
  detail,
  errored: false,
});

/** In the words of rollout/outcome-text.ts, where it has words for it. */
const OUTCOMES: Readonly<Record<Verdict, Outcome>> = {
  promoted: {
    verdict: 'promoted',
    reason: 'analysed',
    detail: 'prod/shop: Flagger analysed and promoted it; shop-primary runs it.',
  },
  initialized: {
    verdict: 'initialized',
    reason: 'adopted',
    detail: 'prod/shop is guarded by a Canary now. This first version was not analysed.',
  },
  unchanged: {
    verdict: 'unchanged',
    reason: 'already-running',
    detail: 'acme/fleet holds 6.2.0 already, and prod/shop was seen to run it. Nothing was written.',
  },
  pending: {
    verdict: 'pending',
    reason: 'handed-over',
    detail: 'The job ended while the rollout was healthy. Nothing was reverted.',
    remedy: 'A later run, or a run with mode: sweep, takes it up and ends it.',
  },
  'rolled-back': provenOutcome(cause('rolled-back', 'metric-out-of-range', FAILURE), REVERT, BACK),
  'not-applied': provenOutcome(
    cause(
      'not-applied',
      'build-failed',
      'Kustomization flux-system/apps: kustomize build failed: no such file: shop.yaml',
    ),
    REVERT,
    '',
  ),
  'not-started': provenOutcome(
    cause('not-started', 'no-new-revision', 'prod/shop: Flagger saw no new revision for 2 m 00 s'),
    REVERT,
    BACK,
  ),
  'promotion-failed': promotionFailedOutcome(
    cause(
      'promotion-failed',
      'primary-not-ready',
      'prod/shop: the primary did not become ready in 10 m 00 s',
    ),
    REVERT,
    ['prod/shop'],
  ),
  'revert-blocked': blockedOutcome({
    cause: cause('rolled-back', 'metric-out-of-range', FAILURE),
    reason: 'changed-since',
    why: 'apps/shop.yaml:16 was changed after our commit.',
    commit: SHA,
    pullRequest: { kind: 'opened', ...PULL, left: ['apps/shop.yaml:16'] },
  }),
  'revert-unverified': unverifiedOutcome({
    cause: cause('rolled-back', 'metric-out-of-range', FAILURE),
    reason: 'not-seen-back',
    waitingFor: 'Kustomization flux-system/apps is suspended.',
    revert: REVERT,
    commands: ['flux resume kustomization apps -n flux-system'],
  }),
  unknown: {
    verdict: 'unknown',
    reason: 'cluster-unreachable',
    detail: 'The cluster has not been readable for 600 s: connection refused. Nothing more was written.',
    remedy: `Look at the Canary (prod/shop). If the release must go, revert commit c0ffee0 in the GitOps repository: git revert ${SHA}`,
  },
  refused: {
    verdict: 'refused',
    reason: 'kustomization-suspended',
    detail: 'Kustomization flux-system/apps is suspended since yesterday. Nothing was written.',
    remedy: 'Resume it: flux resume kustomization apps',
  },
  cancelled: provenOutcome(
    cause('cancelled', 'job-cancelled', 'The job was cancelled (SIGINT)'),
    REVERT,
    BACK,
  ),
  superseded: supersededOutcome(
    'newer-release',
    'prod/shop now carries a template without a rollout id (ghcr.io/acme/shop:6.3.0): commit facade1 replaced ours.',
    { ours: SHA, newer: 'facade1'.padEnd(40, '0') },
  ),
  'timed-out': provenOutcome(
    cause('timed-out', 'analysis-timeout', 'prod/shop: the analysis took longer than 12 m 00 s'),
    REVERT,
    BACK,
  ),
};

const HEALTHY = {
  weight: 50,
  highest: 100,
  step: 2,
  failedChecks: 0,
  events: [],
  progress: [0, 25, 50, 100].map((weight, index) => ({
    at: START + 10_000 + index * 30_000,
    weight,
    iteration: 0,
    failedChecks: 0,
  })),
} as const;

function inRange(metric: RolloutView['canaries'][number]['metrics'][number]) {
  const good = metric.name === 'success' ? [99.7, 99.4, 99.9] : [213.4, 198, 240.2];
  return { ...metric, points: good.map((value, index) => ({ at: START + 40_000 + index * 30_000, value })) };
}

type Link = RolloutView['proof'][number];
/** How far each rollout got: what is proven, and why the next link is not. */
const REACHED: Readonly<
  Partial<Record<Verdict, readonly [links: number, state: Link['state'], why: string]>>
> = {
  'not-applied': [1, 'failed', OUTCOMES['not-applied'].detail],
  'not-started': [3, 'failed', OUTCOMES['not-started'].detail],
  'promotion-failed': [4, 'failed', OUTCOMES['promotion-failed'].detail],
  pending: [3, 'waiting', 'Flagger is analysing it'],
  unknown: [3, 'unknown', 'not known'],
  superseded: [3, 'unknown', 'not reached'],
  cancelled: [3, 'unknown', 'not reached: the job was cancelled'],
};
const REVERTED: readonly Verdict[] = [
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
  const outcome = OUTCOMES[verdict];
  const view = analysingView({ stage: 'done', outcome, updatedAt: START + 150_000 });
  const { next: _next, onCancel: _onCancel, commit, ...ended } = view;
  if (NOTHING_WRITTEN.includes(verdict)) return { ...ended, proof: [], canaries: [] };
  const canaries = view.canaries.map(canary => endedCanary(canary, verdict));
  const proof = [...chain(verdict), ...revertLinks(verdict)];
  if (verdict === 'initialized' && commit) {
    return { ...ended, adoption: commit, changes: [], canaries, proof: proof.slice(0, 3) };
  }
  return {
    ...ended,
    ...(commit ? { commit } : {}),
    canaries,
    proof,
    serving: SERVING[verdict] ?? [],
    ...(verdict === 'revert-blocked' ? { pullRequest: PULL } : {}),
    ...(REVERTED.includes(verdict) ? { revert: revertOf(commit?.verified ?? false) } : {}),
  };
}

const FALLEN_BACK = 'shop-primary serves 6.1.0; no traffic is on 6.2.0 since 03:05:50 UTC.';
/** In the words of report/serving.ts. */
const SERVING: Readonly<Partial<Record<Verdict, readonly string[]>>> = {
  'revert-blocked': [FALLEN_BACK],
  'revert-unverified': [FALLEN_BACK],
  'promotion-failed': ['all traffic is on the pods of shop, which run 6.1.0; shop-primary is broken.'],
  unknown: ['When last seen: shop-primary serves 6.1.0; 25 % of traffic is on 6.2.0.'],
};

const revertOf = (verified: boolean): NonNullable<RolloutView['revert']> => ({
  sha: REVERT_SHA,
  url: `https://github.com/acme/fleet/commit/${REVERT_SHA}`,
  verified,
  forms: { 'prod/shop': 'plain' },
});

type Canary = RolloutView['canaries'][number];

function endedCanary({ leftMs: _left, ...canary }: Canary, verdict: Verdict): Canary {
  const detail = OUTCOMES[verdict].detail;
  if (verdict === 'not-applied' || verdict === 'not-started' || verdict === 'initialized') {
    const { failingSince: _since, ...untried } = canary;
    const metrics = canary.metrics.map(metric => ({ ...metric, points: [] }));
    const kind = verdict;
    const phase = verdict === 'initialized' ? 'Initialized' : 'Succeeded';
    return {
      ...untried,
      phase,
      weight: 0,
      highest: 0,
      step: 0,
      failedChecks: 0,
      progress: [],
      metrics,
      events: [],
      outcome: { kind, detail },
    };
  }
  if (verdict === 'pending') return canary;
  if (verdict === 'unknown' || verdict === 'superseded')
    return { ...canary, outcome: { kind: verdict, detail } };
  if (verdict === 'cancelled') return { ...canary, outcome: { kind: 'taken-back', detail } };
  if (verdict === 'promoted' || verdict === 'promotion-failed') {
    const { failingSince: _since, ...healthy } = canary;
    const phase = verdict === 'promoted' ? 'Succeeded' : 'Failed';
    const outcome = { kind: verdict, detail };
    return { ...healthy, ...HEALTHY, phase, outcome, metrics: canary.metrics.map(inRange) };
  }
  return { ...canary, failedChecks: 5, phase: 'Failed', outcome: { kind: 'failed', detail } };
}

/** The chain as far as it was proven. */
function chain(verdict: Verdict): readonly Link[] {
  const seen = analysingView().proof.filter(({ state }) => state === 'proven');
  const whole: readonly Link[] = [
    ...seen,
    { link: 'analysed', state: 'proven', at: START + 100_000, detail: 'Flagger analysed this very revision' },
    {
      link: 'promoted',
      state: 'proven',
      at: START + 145_000,
      detail: 'the primary runs it, and its rollout is complete',
    },
  ];
  if (verdict === 'promoted' || verdict === 'initialized') return whole;
  const [links, state, why] = REACHED[verdict] ?? [3, 'failed', OUTCOMES[verdict].detail];
  return whole.map(({ at, ...link }, index) => {
    if (index < links && at !== undefined) return { ...link, at };
    if (index === links) return { ...link, state, detail: why };
    return state === 'waiting'
      ? { ...link, state, detail: 'the primary does not run it yet' }
      : { ...link, state: 'unknown', detail: 'not reached' };
  });
}

function revertLinks(verdict: Verdict): readonly Link[] {
  if (verdict === 'revert-blocked') {
    return [
      { link: 'reverted', state: 'failed', detail: 'not reverted automatically' },
      { link: 'back', state: 'unknown', detail: 'the cluster was not seen to be back' },
    ];
  }
  if (!REVERTED.includes(verdict)) return [];
  const reverted: Link = {
    link: 'reverted',
    state: 'proven',
    at: START + 110_000,
    detail: 'beef123 is on the branch',
  };
  if (verdict === 'revert-unverified' || verdict === 'promotion-failed') {
    return [reverted, { link: 'back', state: 'failed', detail: 'the cluster was not seen to be back' }];
  }
  const detail = 'the cluster runs what it ran before';
  return [reverted, { link: 'back', state: 'proven', at: START + 145_000, detail }];
}

function onlyCanary(): Canary {
  const [canary] = analysingView().canaries;
  if (!canary) throw new Error('The view has a canary.');
  return canary;
}

/** What else is to be seen on the way. */
export const MOMENTS: Readonly<Record<string, () => RolloutView>> = {
  analysing: () => analysingView(),
  gate: () => {
    const { leftMs: _left, failingSince: _since, ...canary } = onlyCanary();
    const command = `curl -d '{"name":"shop","namespace":"prod"}' http://flagger-loadtester.test/gate/open`;
    return analysingView({
      stage: 'waitingPromotion',
      next: 'Nothing moves until the gate is opened. When it stays closed for 30 m 00 s, the commit is taken back.',
      canaries: [
        {
          ...canary,
          metrics: canary.metrics.map(metric => ({ ...metric, points: metric.points.slice(0, 1) })),
          events: [],
          strategy: 'ab',
          phase: 'WaitingPromotion',
          stage: 'waitingPromotion',
          iteration: 10,
          iterations: 10,
          failedChecks: 0,
          progress: [0, 3, 6, 10].map(iteration => ({
            at: START + 10_000 + iteration * 7_000,
            weight: 0,
            iteration,
            failedChecks: 0,
          })),
          waitingFor: 'the gate approval is closed',
          gates: [
            {
              name: 'approval',
              type: 'confirm-promotion',
              url: 'http://flagger-loadtester.test/gate/check',
              opening: { kind: 'command', command },
            },
          ],
        },
      ],
    });
  },
  several: () => {
    const canary = onlyCanary();
    const { failingSince: _since, ...healthy } = { ...canary, failedChecks: 0, events: [] };
    const good = canary.metrics.map(metric => ({ ...metric, points: metric.points.slice(0, 1) }));
    return analysingView({
      next: 'All canaries are promoted in about 2 min if every check passes; when one fails, the whole commit is taken back.',
      canaries: [
        canary,
        {
          ...healthy,
          target: 'prod/api',
          canary: 'prod/api',
          weight: 50,
          step: 2,
          leftMs: 120_000,
          metrics: good,
        },
        {
          ...healthy,
          target: 'prod/web',
          canary: 'prod/web',
          phase: 'Succeeded',
          stage: 'finalising',
          highest: 100,
          metrics: good,
          outcome: { kind: 'promoted', detail: 'prod/web: promoted' },
        },
      ],
    });
  },
  'proving-back': () => {
    const { onCancel: _onCancel, ...view } = analysingView({
      stage: 'verifyingRevert',
      serving: [FALLEN_BACK],
      cause: FAILURE,
      next: 'The commit is taken back. The cluster is looked at until it is proven back (Flagger analyses the restored version), for about 8 min at most.',
      revert: revertOf(true),
      proof: [
        ...chain('rolled-back'),
        { link: 'reverted', state: 'proven', at: START + 90_000, detail: 'beef123 is on the branch' },
        { link: 'back', state: 'waiting', detail: 'Flagger analyses the restored version' },
      ],
    });
    return view;
  },
};
