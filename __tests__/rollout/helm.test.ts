import { describe, expect, it } from 'vitest';
import type { Expectation } from '../../src/rollout/expectation.ts';
import type { ChartSourceView, HelmReleaseView, TargetView } from '../../src/rollout/observation.ts';
import type { RolloutState, Transition } from '../../src/rollout/state.ts';
import { startFollowing, transition } from '../../src/rollout/transition.ts';
import { canaryView, COMMIT, fluxChain, intentOf, observation, workloadView } from './story.ts';

/** A target that Helm renders; the HelmRelease `shop` lies between the Kustomization and it. */

const ID = 'shop-1';
const OLD = '0'.repeat(40);
const OURS = COMMIT.sha;
const REVERT = 'e'.repeat(40);
const FAILED = {
  status: 'False',
  reason: 'UpgradeFailed',
  message: 'timed out waiting',
  generation: 2,
} as const;
const READY = { status: 'True', reason: 'UpgradeSucceeded', message: '', generation: 2 } as const;
const WORKING = { status: 'Unknown', reason: 'Progressing', message: '' } as const;

interface Look {
  readonly target?: string;
  readonly primary?: string;
  readonly attempted?: string;
  readonly release?: Partial<HelmReleaseView>;
  readonly seen?: readonly string[];
  readonly phase?: 'Succeeded' | 'Progressing';
  readonly chart?: ChartSourceView;
  /** Seconds at which the ReplicaSets of `seen` were made; default all at 1. */
  readonly madeAt?: readonly number[];
}

function view({
  target,
  primary,
  attempted = OURS,
  release = {},
  seen = [],
  phase = 'Succeeded',
  chart,
  madeAt = [],
}: Look): TargetView {
  const id = (rolloutId: string | undefined) => (rolloutId === undefined ? {} : { rolloutId });
  return {
    target: workloadView(id(target)),
    primary: workloadView({ uid: 'primary-1', name: 'podinfo-primary', ...id(primary) }),
    canary: canaryView({ phase }),
    replicaSets: seen.map((rolloutId, index) => ({
      name: rolloutId,
      createdAt: (madeAt[index] ?? 1) * 1_000,
      podTemplateHash: rolloutId,
      replicas: 1,
      rolloutId,
    })),
    events: [],
    flux: {
      ...fluxChain({ lastAttemptedRevision: attempted }),
      links: [
        {
          kind: 'HelmRelease',
          ...(chart ? { chartSource: chart } : {}),
          view: {
            namespace: 'test',
            name: 'shop',
            suspended: false,
            generation: 2,
            observedGeneration: 2,
            ready: READY,
            history: [],
            intervalMs: 60_000,
            driftDetection: 'disabled',
            remediatesUpgrades: true,
            ignoresReplicas: false,
            rolloutIds: [ID],
            ...release,
          },
        },
      ],
    },
  };
}

const BEFORE = view({ attempted: OLD, release: { generation: 1, observedGeneration: 1, rolloutIds: [] } });
const known = {
  [OLD]: { containsCommit: false, containsRevert: false, changesOurPaths: false },
  [OURS]: { containsCommit: true, containsRevert: false, changesOurPaths: false },
  [REVERT]: { containsCommit: true, containsRevert: true, changesOurPaths: false },
};

function follow(looks: readonly Look[], expectations: readonly Expectation[] = []): Transition {
  return continued(startFollowing(intentOf(BEFORE, ID, { expectations }), COMMIT, 0).state, looks);
}

/** One look every second, each a fresh read. */
function continued(first: RolloutState, looks: readonly Look[], from = 0): Transition {
  return looks.reduce<Transition>(
    ({ state }, look, index) => {
      const now = from + (index + 1) * 1_000;
      return transition(
        state,
        { type: 'observed', observation: observation(view(look), 'read', now), known },
        now,
      );
    },
    { state: first, effects: [] },
  );
}

describe('a release through Helm', () => {
  it('that Helm takes back by itself is no newer release: it failed, and Git is reverted', () => {
    const { state, effects } = follow([
      { target: ID, seen: [ID], release: { ready: WORKING }, phase: 'Progressing' },
      { seen: [ID], release: { ready: FAILED }, phase: 'Progressing' },
    ]);
    expect(state).toMatchObject({
      phase: 'reverting',
      cause: { verdict: 'rolled-back', reason: 'helm-rolled-back' },
      // Flagger goes on over the old pods; only a new id ends its analysis.
      forms: { 'test/podinfo': 'stamped' },
    });
    expect(state.phase === 'reverting' && state.cause.detail).toContain(
      'HelmRelease test/shop: timed out waiting',
    );
    expect(effects.map(({ type }) => type)).toEqual(['revert']);
  });

  it('that was taken back before anybody looked is known by its ReplicaSet', () => {
    const remediated = {
      status: 'True',
      reason: 'RollbackSucceeded',
      message: 'rolled back',
      generation: 2,
    } as const;
    const { state } = follow([
      { seen: [ID], release: { remediated, ready: { ...FAILED, reason: 'RollbackSucceeded' } } },
    ]);
    expect(state).toMatchObject({ phase: 'reverting', cause: { reason: 'helm-rolled-back' } });
  });

  it('is waited for while Helm says nothing of a failure, and is superseded when Git moved on', () => {
    const lost = [
      { target: ID, seen: [ID] },
      { seen: [ID], release: { ready: WORKING } },
    ];
    expect(follow(lost).state.phase).toBe('following');
    const stale = { ...FAILED, generation: 1 };
    expect(follow([...lost, { seen: [ID], release: { remediated: stale } }]).state.phase).toBe('following');
    expect(
      follow([...lost, { target: 'shop-2', seen: [ID], release: { rolloutIds: ['shop-2'] } }]).state,
    ).toMatchObject({
      outcome: { verdict: 'superseded' },
    });
  });

  it('that Helm could not install never was applied, and Helm says why', () => {
    // helm-controller keeps the old observedGeneration while it retries.
    const { state } = follow([{ release: { ready: FAILED, observedGeneration: 1 } }]);
    expect(state).toMatchObject({
      phase: 'reverting',
      cause: {
        verdict: 'not-applied',
        reason: 'reconciliation-failed',
        detail: 'HelmRelease test/shop is not ready (UpgradeFailed): timed out waiting',
      },
    });
    const before = { ...FAILED, generation: 1 };
    expect(follow([{ release: { ready: before, observedGeneration: 1 } }]).state.phase).toBe('following');
  });

  it('asks the HelmRelease to look, once, when all was applied and nothing is at work', () => {
    const asks = ({ effects }: Transition) => effects.filter(effect => effect.type === 'requestReconcile');
    expect(asks(follow([{ release: { ready: WORKING } }]))).toEqual([]);
    expect(asks(follow([{ target: ID, seen: [ID] }]))).toEqual([]);
    expect(asks(follow([{}]))).toEqual([{ type: 'requestReconcile', of: 'links' }]);
    expect(asks(follow([{}, {}]))).toEqual([]);
  });

  it('proves a version of a chart by what Helm attempted', () => {
    const chart: Expectation = {
      kind: 'chart',
      target: 'test/podinfo',
      release: { namespace: 'test', name: 'shop' },
      chart: 'shop',
      version: '1.1.0',
    };
    const live = (lastAttemptedRevision: string) => {
      const { state } = follow([{ target: ID, seen: [ID], release: { lastAttemptedRevision } }], [chart]);
      return state.tracks['test/podinfo']?.proven.delivered;
    };
    expect(live('1.0.0')).toBeUndefined();
    expect(live('1.1.0')).toBe(1_000);
    expect(live('1.1.0+9f2c1d')).toBe(1_000);
  });
});

/** A HelmRelease and its OCIRepository are applied one after the other (fluxcd/pkg ssa/sort.go: by their groups). */
describe('a chart by chartRef', () => {
  const OLD_CHART = `sha256:${'a'.repeat(64)}`;
  const NEW_CHART = `sha256:${'b'.repeat(64)}`;
  const CHART: Expectation = {
    kind: 'chart',
    target: 'test/podinfo',
    release: { namespace: 'test', name: 'shop' },
    chart: 'shop',
    version: '1.1.0',
  };
  const source = (artifact: ChartSourceView['artifact'], upToDate = true): ChartSourceView => ({
    namespace: 'test',
    name: 'shop',
    url: 'oci://registry/shop',
    suspended: false,
    upToDate,
    ...(artifact ? { artifact } : {}),
  });
  const revision = (version: number, ociDigest: string, seconds: number) => ({
    version,
    status: 'deployed',
    chartVersion: '',
    configDigest: '',
    ociDigest,
    deployedAt: seconds * 1_000,
  });
  const before: Look = {
    target: ID,
    seen: [ID],
    chart: source({ tag: '1.0.0', digest: OLD_CHART }, false),
    release: { lastAttemptedRevisionDigest: OLD_CHART, history: [revision(2, OLD_CHART, 1)] },
  };
  const after: Look = {
    target: ID,
    seen: [ID, ID],
    madeAt: [5, 1],
    chart: source({ tag: '1.1.0', digest: NEW_CHART }),
    release: {
      lastAttemptedRevisionDigest: NEW_CHART,
      history: [revision(3, NEW_CHART, 5), revision(2, OLD_CHART, 1)],
    },
  };
  const track = (looks: readonly Look[]) => follow(looks, [CHART]).state.tracks['test/podinfo'];

  it('may arrive after the id, which is nobody’s amendment', () => {
    expect(track([before])?.proven.delivered).toBeUndefined();
    expect(track([before, after])).toMatchObject({ proven: { delivered: 2_000 }, amended: false });
  });

  it('is waited for while Helm is at work on it, and else overridden', () => {
    const patient = Array.from({ length: 60 }, () => before);
    expect(track(patient)).toMatchObject({ stage: 'delivering', deliveredAt: 1_000 });
    const { state } = follow(patient, [CHART]);
    expect(state.phase).toBe('following');
    // The OCIRepository is where it was asked to be, and Helm has what it says: that is not what was asked for.
    const other = { ...before, chart: source({ tag: '1.0.0', digest: OLD_CHART }) };
    expect(
      follow(
        Array.from({ length: 60 }, () => other),
        [CHART],
      ).state,
    ).toMatchObject({
      phase: 'reverting',
      cause: { reason: 'value-overridden' },
    });
  });

  it('amended after it arrived is amended', () => {
    const history = [revision(4, NEW_CHART, 8), revision(3, NEW_CHART, 5)];
    const amended = {
      ...after,
      seen: [ID, ID, ID],
      madeAt: [8, 5, 1],
      release: { ...after.release, history },
    };
    expect(track([before, after, amended])?.amended).toBe(true);
  });

  it('that is still under way keeps the way back open', () => {
    const failed = follow([{ release: { ready: FAILED } }]);
    const verifying = transition(
      failed.state,
      { type: 'reverted', revert: { sha: REVERT, url: '', how: 'made' } },
      2_000,
    );
    const untouched = { attempted: REVERT };
    const taken = {
      rolloutIds: [],
      generation: 3,
      observedGeneration: 3,
      ready: { ...READY, generation: 3 },
    };
    const back = (look: Look) => continued(verifying.state, [{ ...untouched, ...look }], 2_000).state;
    const release = { ...taken, lastAttemptedRevisionDigest: NEW_CHART };
    const pulled = source({ tag: '1.0.0', digest: OLD_CHART });
    expect(back({ release, chart: source({ tag: '1.1.0', digest: NEW_CHART }, false) }).phase).toBe(
      'verifyingRevert',
    );
    expect(back({ release, chart: pulled }).phase).toBe('verifyingRevert');
    const done = { ...taken, lastAttemptedRevisionDigest: OLD_CHART };
    expect(back({ release: done, chart: pulled }).phase).toBe('done');
  });
});

describe('the way back through Helm', () => {
  function reverted(looks: readonly Look[]): RolloutState {
    const failed = follow([{ release: { ready: FAILED } }]);
    const verifying = transition(
      failed.state,
      { type: 'reverted', revert: { sha: REVERT, url: '', how: 'made' } },
      2_000,
    );
    return continued(verifying.state, looks, 2_000).state;
  }

  it('is open until the HelmRelease has taken up the revert', () => {
    const untouched = { attempted: REVERT };
    // The Kustomization has attempted the revert; what Helm was told is still ours.
    const asksForOurs = reverted([{ ...untouched, release: { ready: FAILED } }]);
    expect(asksForOurs).toMatchObject({
      phase: 'verifyingRevert',
      waitingFor: 'HelmRelease test/shop still asks for our release',
    });
    const working = { rolloutIds: [], generation: 3, observedGeneration: 2, ready: WORKING };
    expect(reverted([{ ...untouched, release: working }])).toMatchObject({ phase: 'verifyingRevert' });
    const done = { rolloutIds: [], generation: 3, observedGeneration: 3, ready: { ...READY, generation: 3 } };
    expect(reverted([{ ...untouched, release: done }])).toMatchObject({
      phase: 'done',
      outcome: { verdict: 'not-applied' },
    });
    const broken = {
      rolloutIds: [],
      generation: 3,
      observedGeneration: 2,
      ready: { ...FAILED, generation: 3 },
    };
    expect(reverted([{ ...untouched, release: broken }])).toMatchObject({
      phase: 'verifyingRevert',
      waitingFor: 'HelmRelease test/shop is not ready (UpgradeFailed): timed out waiting',
    });
  });
});
