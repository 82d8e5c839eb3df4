import fc from 'fast-check';
import type { CanaryPhase, TargetView } from '../../src/rollout/observation.ts';
import type { RolloutEvent } from '../../src/rollout/state.ts';
import { canaryView, fluxChain, observation, workloadView } from './story.ts';

/** Whatever the cluster, GitHub and a person may do next. */

export const ID = 'ours';
const PHASES: readonly CanaryPhase[] = [
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

export const BASE: TargetView = {
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
export const mostly = <T>(usual: T, ...others: readonly T[]): fc.Arbitrary<T> =>
  fc.oneof(
    { weight: 5, arbitrary: fc.constant(usual) },
    { weight: 1, arbitrary: fc.constantFrom(usual, ...others) },
  );

/** `ours`: how things look while our release is live; `old`: after a revert. */
const viewsAround = (id: string, attempted: string): fc.Arbitrary<TargetView> =>
  fc
    .record({
      phase: fc.constantFrom(...PHASES),
      weight: fc.constantFrom(0, 25, 100),
      applied: mostly('B', 'A', 'C'),
      promoted: mostly('B', 'A', 'C'),
      updated: fc.constantFrom(0, 1_000, 20_000),
      targetId: mostly<string | undefined>(id, ID, 'old', 'newer', undefined),
      primaryId: mostly<string | undefined>(id, ID, 'old', 'newer', undefined),
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

export const REVERT = { sha: 'd'.repeat(40), url: '', how: 'made' as const };

export const OPENED = { kind: 'opened' as const, url: 'https://pr', number: 7, left: [] };

export const anyEvent: fc.Arbitrary<RolloutEvent> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.tuple(anyView, fc.constantFrom('read' as const, 'read' as const, 'watch' as const)).map(
      ([view, source]): RolloutEvent => ({
        type: 'observed',
        observation: observation(view, source, 0),
        known: KNOWN,
      }),
    ),
  },
  { weight: 1, arbitrary: fc.constant<RolloutEvent>({ type: 'unreadable', message: 'connection refused' }) },
  { weight: 1, arbitrary: fc.constant<RolloutEvent>({ type: 'tick' }) },
  { weight: 1, arbitrary: fc.constant<RolloutEvent>({ type: 'cancelled', by: 'SIGINT' }) },
  // Answers nobody asked for must not matter.
  { weight: 1, arbitrary: fc.constant<RolloutEvent>({ type: 'reverted', revert: REVERT }) },
  {
    weight: 1,
    arbitrary: fc.constant<RolloutEvent>({ type: 'pullRequestAnswered', outcome: OPENED }),
  },
);
