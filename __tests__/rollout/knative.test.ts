import { describe, expect, it } from 'vitest';
import { judgeAdoption } from '../../src/rollout/adoption.ts';
import { backState } from '../../src/rollout/back.ts';
import { type CanaryBaseline, baselineOf } from '../../src/rollout/baseline.ts';
import { judge } from '../../src/rollout/judge.ts';
import type { JudgeContext } from '../../src/rollout/judgement.ts';
import type { CanaryView, TargetView, WorkloadView } from '../../src/rollout/observation.ts';
import { identified } from '../../src/rollout/identity.ts';
import { withLateCause } from '../../src/rollout/late-cause.ts';
import { revertForm } from '../../src/rollout/revert-form.ts';
import { settlement } from '../../src/rollout/settlement.ts';
import { newTrack, type Track } from '../../src/rollout/track.ts';
import { startFollowing } from '../../src/rollout/transition.ts';
import { COMMIT, canaryView, fluxChain, intentOf, workloadView } from './story.ts';

/** Flagger canary/knative_controller.go: its hash is of the latest Revision's name, its primary is an annotation. */

const KEY = 'Service test/podinfo';
const ID = 'ours';

function template(tag: string) {
  return { spec: { containers: [{ image: `ghcr.io/acme/podinfo:${tag}` }] } };
}

function service(fields: Partial<WorkloadView> = {}): WorkloadView {
  return workloadView({ kind: 'Service', rolloutId: 'old', template: template('1'), ...fields });
}

function revision(name: string, createdAt: number, rolloutId: string) {
  return { name, createdAt, podTemplateHash: '', rolloutId, replicas: 0 };
}

function told(phase: CanaryView['phase'], at: number): Partial<CanaryView> {
  const times = { lastTransitionTime: at, lastUpdateTime: at };
  return { phase, promoted: { status: 'Unknown', reason: phase, message: '', ...times } };
}

const OLD = revision('podinfo-00001', 1_000, 'old');
const OURS = revision('podinfo-00002', 100_000, ID);
const RESTORED = revision('podinfo-00003', 200_000, 'old');

/** The release before is promoted, and nothing is going on. */
const SETTLED: TargetView = {
  target: service(),
  primary: service({ uid: 'r-1', name: OLD.name }),
  canary: canaryView(told('Succeeded', 5_000)),
  replicaSets: [OLD],
  traffic: [
    { revision: OLD.name, rolloutId: 'old', percent: 0 },
    { revision: OLD.name, rolloutId: 'old', percent: 100 },
  ],
  events: [],
  flux: fluxChain({ lastAttemptedRevision: 'ours' }),
};
/** Ours is live and Flagger has done nothing yet. */
const DELIVERED: TargetView = {
  ...SETTLED,
  target: service({ rolloutId: ID, template: template('2') }),
  replicaSets: [OURS, OLD],
};
const PRIMARY_OURS = service({ uid: 'r-2', name: OURS.name, rolloutId: ID, template: template('2') });
const ON_OURS = [
  { revision: OURS.name, rolloutId: ID, percent: 0 },
  { revision: OURS.name, rolloutId: ID, percent: 100 },
];

function baseline(): CanaryBaseline {
  const made = baselineOf(KEY, SETTLED);
  if (!made) throw new Error('no target');
  return made;
}

function track(fields: Partial<Track> = {}): Track {
  return { ...newTrack(baseline(), {}, 0), ...fields };
}

function context(fields: Partial<JudgeContext> = {}): JudgeContext {
  return {
    rolloutId: ID,
    identity: 'annotation',
    track: track(),
    expectations: [],
    objects: {},
    known: { ours: { containsCommit: true, containsRevert: false, changesOurPaths: false } },
    limits: { applyMs: 300_000, approvalMs: 300_000 },
    barrierClosed: false,
    now: 0,
    ...fields,
  };
}

function promotedView(canary: Partial<CanaryView> = {}): TargetView {
  return {
    ...DELIVERED,
    primary: PRIMARY_OURS,
    traffic: ON_OURS,
    canary: canaryView({
      ...told('Succeeded', 150_000),
      lastAppliedSpec: 'B',
      lastPromotedSpec: 'B',
      ...canary,
    }),
  };
}

describe('a release of a Knative Service', () => {
  it('is joined by no hash: names of Revisions are nothing to compare', () => {
    expect(baseline().joinsByHash).toBe(false);
  });

  it('is dated by its Revision', () => {
    expect(judge(DELIVERED, context())).toMatchObject({
      stage: 'delivering',
      delivered: true,
      deliveredClusterTime: 100_000,
    });
  });

  it('is promoted when the annotated Revision is ours, holds, and has all traffic', () => {
    const view = promotedView();
    expect(judge(view, context())).toMatchObject({ stage: 'finalising', holding: true });
    const held = track({ terminalSince: 0 });
    const { outcome } = judge(view, context({ track: held, now: 60_000 }));
    expect(outcome).toMatchObject({ kind: 'promoted', analysed: true });
    expect(outcome?.detail).toContain('podinfo-00002 runs it');
  });

  // Flagger scheduler.go, shouldSkipAnalysis: routes are set to the old primary before the new one is noted.
  it('is not promoted while traffic goes to another Revision, whatever Flagger says', () => {
    const view = { ...promotedView(), traffic: SETTLED.traffic ?? [] };
    const found = judge(view, context({ track: track({ terminalSince: 0 }), now: 600_000 }));
    expect(found.outcome).toBeUndefined();
    expect(found.waitingFor).toBe('100 % of the traffic goes to Revision podinfo-00001');
    expect(found.limit?.outcome).toMatchObject({ kind: 'timed-out', reason: 'promotion-timeout' });
  });

  it('is not promoted while it is not known where traffic goes', () => {
    const { traffic: _unknown, ...view } = promotedView();
    expect(judge(view, context()).waitingFor).toBe('it is not known where its traffic goes');
  });

  // IsCanaryReady is always retriable: Flagger itself would wait for good.
  it('fails when its Revision is not ready by the deadline of the Canary', () => {
    const canary = canaryView({ ...told('Progressing', 110_000), lastAppliedSpec: 'B' });
    const target = service({ rolloutId: ID, complete: false, notReady: 'Unable to fetch image' });
    const { limit, waitingFor } = judge({ ...DELIVERED, canary, target }, context());
    expect(waitingFor).toContain('Unable to fetch image');
    expect(limit).toMatchObject({ ms: 60_000, outcome: { kind: 'failed', reason: 'canary-not-ready' } });
    const moving = { ...canary, canaryWeight: 25 };
    expect(judge({ ...DELIVERED, canary: moving, target }, context()).limit?.outcome).toMatchObject({
      reason: 'analysis-timeout',
    });
  });

  it('is amended when another Revision keeps our id', () => {
    const view = { ...DELIVERED, replicaSets: [revision('podinfo-00003', 120_000, ID), OURS, OLD] };
    expect(judge(view, context()).amended).toBe(true);
  });
});

describe('the revert of a Knative Service', () => {
  const failed = canaryView({ ...told('Failed', 150_000), lastAppliedSpec: 'B' });
  const reverted = { ours: { containsCommit: true, containsRevert: true, changesOurPaths: false } };
  const back = (view: TargetView) =>
    backState({ view, track: track({ deliveredAt: 1 }), rolloutId: ID, known: reverted });
  const restored: TargetView = { ...SETTLED, replicaSets: [RESTORED, OURS, OLD], canary: failed };

  it.each(['Progressing', 'WaitingPromotion', 'Failed', 'Succeeded', 'Promoting', ''] as const)(
    'is plain in phase %s: it makes a Revision of its own, which Flagger notices',
    phase => {
      const view = { ...DELIVERED, canary: canaryView({ phase, lastAppliedSpec: 'B' }) };
      expect(revertForm({ view, track: track(), rolloutId: ID, known: {} })).toBe('plain');
      expect(revertForm({ view: undefined, track: track(), rolloutId: ID, known: {} })).toBe('plain');
    },
  );

  it('is back while Flagger analyses the restored version, and says so', () => {
    const canary = canaryView({ ...told('Progressing', 205_000), lastAppliedSpec: 'C' });
    expect(back({ ...restored, canary })).toEqual({
      kind: 'back',
      detail: 'podinfo-00001 runs what it ran before; Flagger analyses the restored version',
    });
  });

  it('is not back while a Revision of ours still gets traffic', () => {
    const traffic = [
      { revision: OURS.name, rolloutId: ID, percent: 25 },
      { revision: OLD.name, rolloutId: 'old', percent: 75 },
    ];
    expect(back({ ...restored, traffic })).toEqual({
      kind: 'waiting',
      detail: 'Service test/podinfo: 25 % of the traffic goes to Revision podinfo-00002',
    });
  });

  it('is lost when Flagger rejects the restored Revision while ours is the primary', () => {
    const promoted = { ...restored, primary: PRIMARY_OURS, traffic: ON_OURS };
    // Told before the restored Revision was made: about something else.
    expect(back(promoted).kind).toBe('waiting');
    const canary = canaryView({ ...told('Failed', 250_000), lastAppliedSpec: 'C', lastPromotedSpec: 'B' });
    expect(back({ ...promoted, canary })).toMatchObject({ kind: 'lost', reason: 'reanalysis-failed' });
  });
});

describe('what Flagger says after the revert of a Knative Service', () => {
  const message = (value: string) => `Halt podinfo.test advancement success ${value} < 99`;
  const warning = (text: string, at: number) => ({
    type: 'Warning' as const,
    message: text,
    count: 1,
    firstSeen: at,
    lastSeen: at,
  });
  const cause = {
    verdict: 'rolled-back',
    reason: 'threshold-reached',
    detail: 'unsaid',
    errored: false,
  } as const;

  it('is a cause only when it was said before the restored Revision was made', () => {
    const outcome = {
      kind: 'failed',
      reason: 'threshold-reached',
      detail: 'unsaid',
      tainted: false,
    } as const;
    const { state } = startFollowing(intentOf(SETTLED, ID), COMMIT, 0);
    const tracks = { [KEY]: track({ deliveredClusterTime: 100_000, outcome }) };
    const followed = { ...state, tracks, cause };
    const heard = (at: number) => {
      const view = {
        ...SETTLED,
        replicaSets: [RESTORED, OURS, OLD],
        events: [warning(message('90.00'), at)],
      };
      return withLateCause(followed, { source: 'read', at: 0, targets: { [KEY]: view }, objects: {} });
    };
    expect(heard(150_000).cause.reason).toBe('metric-out-of-range');
    expect(heard(250_000).cause.reason).toBe('threshold-reached');
  });
});

describe('a Knative Service that image automation releases, known by its values', () => {
  it('has its traffic named after the Revisions that are ours', () => {
    const { rolloutId: _id, ...live } = service({ template: template('2') });
    const { rolloutId: _other, ...unnamed } = { ...OURS, template: template('2') };
    const view: TargetView = {
      ...SETTLED,
      target: live,
      replicaSets: [unnamed, { ...OLD, template: template('1') }],
      traffic: [
        { revision: OURS.name, percent: 25 },
        { revision: OLD.name, percent: 75 },
      ],
    };
    const expectation = {
      kind: 'image',
      target: KEY,
      repository: 'ghcr.io/acme/podinfo',
      version: '2',
    } as const;
    const intent = intentOf(SETTLED, ID, {
      identity: 'values',
      baselines: [baseline()],
      expectations: [expectation],
    });
    const seen = { source: 'read', at: 0, targets: { [KEY]: view }, objects: {} } as const;
    expect(identified(seen, intent).targets[KEY]?.traffic).toEqual([
      { revision: OURS.name, rolloutId: ID, percent: 25 },
      { revision: OLD.name, percent: 75 },
    ]);
  });
});

describe('the baseline of a Knative Service', () => {
  it('is settled when the latest Revision is the primary and has all traffic', () => {
    expect(settlement(SETTLED)).toEqual({ kind: 'settled' });
  });

  it('is refused where Flagger has noted no primary: it never will', () => {
    const { primary: _none, ...view } = SETTLED;
    expect(settlement(view)).toMatchObject({ kind: 'refuse', reason: 'baseline-unsettled' });
    expect(settlement({ ...view, canary: canaryView(told('Initializing', 1)) }).kind).toBe('wait');
    expect(settlement({ ...view, replicaSets: [] }).kind).toBe('wait');
  });

  it('waits for Flagger to notice a later Revision', () => {
    expect(settlement({ ...SETTLED, replicaSets: [RESTORED, OLD] })).toMatchObject({
      kind: 'wait',
      what: "a new revision of podinfo waits for Flagger's next tick",
    });
  });

  it('waits while traffic goes elsewhere than to the primary', () => {
    expect(settlement({ ...SETTLED, traffic: ON_OURS })).toMatchObject({ kind: 'wait' });
  });

  const failed = canaryView({ ...told('Failed', 250_000), lastAppliedSpec: 'C' });

  it('is failed when what is asked for was rejected', () => {
    expect(settlement({ ...DELIVERED, canary: failed })).toEqual({ kind: 'failed' });
  });

  it('is settled when Flagger rejected the restored version, which is what the primary runs', () => {
    const view = { ...SETTLED, canary: failed, replicaSets: [RESTORED, OURS, OLD] };
    expect(settlement(view)).toEqual({ kind: 'settled' });
    const written = {
      spec: { containers: [{ resources: {}, image: 'ghcr.io/acme/podinfo:1', name: '' }] },
    };
    expect(settlement({ ...view, target: service({ template: written }) })).toEqual({ kind: 'settled' });
    expect(settlement({ ...view, target: service({ template: template('3') }) })).toEqual({ kind: 'failed' });
  });

  it('waits for a Revision that came after the failure', () => {
    const view = { ...SETTLED, canary: failed, replicaSets: [{ ...RESTORED, createdAt: 260_000 }, OLD] };
    expect(settlement(view)).toMatchObject({ kind: 'wait' });
  });
});

describe('the adoption of a Knative Service', () => {
  const initialized = { ...SETTLED, canary: canaryView(told('Initialized', 5_000)) };

  it('ends when the Canary is Initialized and the primary Revision has all traffic', () => {
    expect(judgeAdoption(initialized, context()).outcome).toEqual({
      kind: 'initialized',
      detail: 'Service test/podinfo: podinfo-00001 serves what ran before.',
    });
    expect(judgeAdoption({ ...initialized, traffic: [] }, context()).outcome).toBeUndefined();
  });
});
