import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CanaryBaseline } from '../../src/rollout/baseline.ts';
import { identified, identifying } from '../../src/rollout/identity.ts';
import type { Observation, ReplicaSetView, TargetView, WorkloadView } from '../../src/rollout/observation.ts';
import type { Effect, Intent, RolloutEvent, RolloutState, Transition } from '../../src/rollout/state.ts';
import { startFollowing } from '../../src/rollout/transition.ts';
import { anyEvent, BASE, ID, REVERT } from './any-event.ts';
import {
  COMMIT,
  intentOf,
  knownRevisions,
  observation,
  type StoryStep,
  story,
  TARGET,
  workloadView,
  seenThrough,
} from './story.ts';

/**
 * The same run seen in two ways: known by the id on the template, and known by the value that it holds where nobody
 * wrote an id. Both must come to the same end.
 */

const image = (version: string, hash?: string) => ({
  metadata: { labels: { app: 'podinfo', ...(hash === undefined ? {} : { 'pod-template-hash': hash }) } },
  spec: { containers: [{ name: 'podinfod', image: `ghcr.io/acme/podinfo:${version}` }] },
});

/** The id becomes the tag, and goes. */
function byValue(view: TargetView): TargetView {
  const workload = (each: WorkloadView): WorkloadView => {
    const { rolloutId, ...rest } = each;
    return { ...rest, template: image(rolloutId ?? 'none') };
  };
  const replicaSet = (each: ReplicaSetView): ReplicaSetView => {
    const { rolloutId, ...rest } = each;
    return { ...rest, template: image(rolloutId ?? 'none', each.podTemplateHash) };
  };
  return {
    ...view,
    ...(view.target ? { target: workload(view.target) } : {}),
    ...(view.primary ? { primary: workload(view.primary) } : {}),
    replicaSets: view.replicaSets.map(replicaSet),
  };
}

function valuesIntent(view: TargetView, version: string): Intent {
  const intent = intentOf(view, 'followed', {
    identity: 'values',
    expectations: [{ kind: 'image', target: TARGET, repository: 'ghcr.io/acme/podinfo', version }],
  });
  const newest = Math.max(0, ...view.replicaSets.map(({ createdAt }) => createdAt));
  const baselines = intent.baselines.map(
    (baseline): CanaryBaseline => ({ ...baseline, newestReplicaSetAt: newest }),
  );
  return { ...intent, baselines };
}

function detailOf(state: RolloutState): string {
  if (state.phase === 'done') return `${state.outcome.verdict}/${state.outcome.reason}`;
  if (state.phase === 'reverting') return `${state.cause.reason}/${Object.values(state.forms).join(',')}`;
  return '';
}

describe('what real runs end in, told by the value', () => {
  it.each([
    ['promoted', '1', 'done', 'promoted/analysed', 57],
    ['metric-failure', '2', 'reverting', 'metric-out-of-range/plain', 48],
    ['failure-after-failure', '11', 'reverting', 'metric-out-of-range/plain', 46],
    ['canary-pods-never-ready', '23', 'reverting', 'canary-not-ready/plain', 28],
    ['superseded', '4', 'done', 'superseded/newer-release', 20],
  ] as const)('%s', (name, id, phase, detail, second) => {
    const [first, ...rest] = story(name).map((step): StoryStep => ({ ...step, view: byValue(step.view) }));
    if (!first) throw new Error('empty story');
    const before = first.view.flux?.kustomizations[0]?.lastAttemptedRevision;
    let last: Transition = startFollowing(valuesIntent(first.view, id), COMMIT, 0);
    for (const { t, view } of rest) {
      const seen = observation(view, 'read', t * 1000);
      const known = knownRevisions(view, before, false);
      last = seenThrough(last.state, { type: 'observed', observation: seen, known }, t * 1000);
      if (last.state.phase === 'following') continue;
      expect({ t: Math.floor(t), phase: last.state.phase, detail: detailOf(last.state) }).toEqual({
        t: second,
        phase,
        detail,
      });
      return;
    }
    throw new Error('it never ended');
  });
});

type Played = { readonly ends: readonly string[]; readonly state: RolloutState };

function play(
  intent: Intent,
  list: readonly { readonly event: RolloutEvent; readonly passes: number }[],
): Played {
  let { state } = startFollowing(intent, COMMIT, 0);
  let now = 0;
  const ends: string[] = [];
  const feed = (event: RolloutEvent): readonly Effect[] => {
    const next = seenThrough(state, event, now);
    state = next.state;
    ends.push(`${state.phase} ${next.effects.map(effect => JSON.stringify(formsOf(effect))).join()}`);
    return next.effects;
  };
  for (const { event, passes } of list) {
    now += passes;
    if (feed(event).some(({ type }) => type === 'revert')) feed({ type: 'reverted', revert: REVERT });
  }
  return { ends, state };
}

function formsOf(effect: Effect): unknown {
  return 'forms' in effect ? { type: effect.type, forms: effect.forms } : effect.type;
}

describe('whatever happens', () => {
  it('a rollout known by its value goes the way of one known by its id', () => {
    const ends = new Set<string>();
    fc.assert(
      fc.property(
        fc.array(fc.record({ event: anyEvent, passes: fc.constantFrom(100, 5_000, 40_000, 400_000) }), {
          minLength: 1,
          maxLength: 40,
        }),
        list => {
          const clean = list.map(each => ({ ...each, event: seenAs(each.event, view => view) }));
          const valued = list.map(each => ({ ...each, event: seenAs(each.event, byValue) }));
          const annotated = play(intentOf(BASE, ID), clean);
          const followed = play(valuesIntent(byValue(BASE), ID), valued);
          expect(followed.ends).toEqual(annotated.ends);
          expect(detailOf(followed.state)).toBe(detailOf(annotated.state));
          ends.add(detailOf(followed.state).replace(/\/.*/, ''));
        },
      ),
      { numRuns: 3_000 },
    );
    expect(ends.size).toBeGreaterThan(6);
  });
});

/** The event with every target seen in one of the two ways. */
function seenAs(event: RolloutEvent, seen: (view: TargetView) => TargetView): RolloutEvent {
  if (event.type !== 'observed') return event;
  const targets = Object.entries(event.observation.targets).map(
    ([target, view]) => [target, seen(view)] as const,
  );
  return { ...event, observation: { ...event.observation, targets: Object.fromEntries(targets) } };
}

describe('identified', () => {
  const set = (name: string, version: string, createdAt: number): ReplicaSetView => ({
    name,
    createdAt,
    podTemplateHash: name,
    replicas: 0,
    template: image(version, name),
  });
  const seen = (view: Partial<TargetView>): TargetView => {
    const looked: Observation = observation({ replicaSets: [], events: [], ...view }, 'read', 0);
    const told = identified(looked, valuesIntent(byValue(BASE), '2')).targets[TARGET];
    if (!told) throw new Error('no target');
    return told;
  };

  it('names what holds every value, and nothing else', () => {
    const view = seen({
      target: workloadView({ template: image('2') }),
      primary: workloadView({ template: image('1'), rolloutId: 'of-an-earlier-release' }),
      replicaSets: [set('b', '2', 5_000), set('a', '1', 0)],
    });
    expect(view.target?.rolloutId).toBe('followed');
    expect(view.primary?.rolloutId).toBe('of-an-earlier-release');
    expect(view.replicaSets.map(({ rolloutId }) => rolloutId)).toEqual(['followed', undefined]);
  });

  it('takes no ReplicaSet of an earlier attempt for ours', () => {
    const earlier = { ...set('x', '2', 0), template: { ...image('2', 'x'), other: true } };
    const view = seen({
      target: workloadView({ template: image('2') }),
      replicaSets: [set('b', '2', 5_000), earlier],
    });
    expect(view.replicaSets.map(({ rolloutId }) => rolloutId)).toEqual(['followed', undefined]);
  });

  it('dates a ReplicaSet that is used again by when Flux applied the template', () => {
    const view = seen({
      target: workloadView({ template: image('2'), appliedAt: 9_000 }),
      replicaSets: [set('a', '1', 5_000), set('b', '2', 0)],
    });
    expect(view.replicaSets.at(-1)).toMatchObject({ rolloutId: 'followed', createdAt: 9_000 });
  });
});

describe('what identifies a template', () => {
  it('is what stands in it, and no version of a chart or field of another object', () => {
    const of = { kind: 'image', target: TARGET, repository: 'ghcr.io/acme/podinfo', version: '2' } as const;
    const chart = {
      kind: 'chart',
      target: TARGET,
      release: { namespace: 'test', name: 'shop' },
      chart: 'shop',
      version: '1.1.0',
    } as const;
    const object = { kind: 'ConfigMap', name: 'flags' };
    const field = { kind: 'field', target: TARGET, object, path: ['data', 'a'], value: 'b' } as const;
    expect(identifying([chart, field, of, { ...of, target: 'test/other' }], TARGET)).toEqual([of]);
  });
});
