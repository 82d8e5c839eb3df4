import { readFileSync } from 'node:fs';
import type { CanaryBaseline } from '../../src/rollout/baseline.ts';
import { baselineOf } from '../../src/rollout/baseline.ts';
import type { KnownRevisions } from '../../src/rollout/flux-progress.ts';
import type {
  CanaryPhase,
  CanaryView,
  FlaggerEvent,
  KustomizationView,
  Observation,
  ReplicaSetView,
  TargetView,
  WorkloadView,
} from '../../src/rollout/observation.ts';
import type { CommitRecord } from '../../src/rollout/ports.ts';
import type { Intent, RolloutEvent, RolloutState, Transition } from '../../src/rollout/state.ts';
import { transition } from '../../src/rollout/transition.ts';

/** A recorded run of the real thing, replayed as observations. */

export const TARGET = 'test/podinfo';

interface Row {
  readonly t: number;
  readonly baseline?: boolean;
  readonly step?: string;
  readonly kind?: 'Canary' | 'Deployment' | 'Kustomization' | 'Event' | 'Ingress';
  readonly name?: string;
  readonly phase?: CanaryPhase;
  readonly canaryWeight?: number;
  readonly iterations?: number;
  readonly failedChecks?: number;
  readonly lastAppliedSpec?: string;
  readonly lastPromotedSpec?: string;
  readonly lastTransitionTime?: string;
  readonly promoted?: {
    reason: string;
    status: 'True' | 'False' | 'Unknown';
    lastTransitionTime?: string;
    lastUpdateTime?: string;
  };
  readonly trackedConfigs?: Record<string, string>;
  readonly rolloutId?: string;
  readonly image?: string;
  readonly replicas?: number;
  readonly generation?: number;
  readonly ready?: number;
  readonly lastAppliedRevision?: string;
  readonly lastAttemptedRevision?: string;
  readonly type?: 'Normal' | 'Warning';
  readonly count?: number;
  readonly message?: string;
}

export interface StoryStep {
  /** Seconds since the first row. */
  readonly t: number;
  readonly view: TargetView;
  readonly step?: string;
}

const DAY = Date.parse('2026-11-23T00:00:00Z');

export function canaryView(fields: Partial<CanaryView> = {}): CanaryView {
  return {
    uid: 'canary-1',
    namespace: 'test',
    name: 'podinfo',
    resourceVersion: '1',
    phase: 'Succeeded',
    canaryWeight: 0,
    iterations: 0,
    failedChecks: 0,
    lastAppliedSpec: 'A',
    lastPromotedSpec: 'A',
    trackedConfigs: {},
    suspended: false,
    skipAnalysis: false,
    progressDeadlineMs: 60_000,
    analysis: {
      strategy: 'weighted',
      intervalMs: 10_000,
      threshold: 2,
      weights: [25, 50],
      metrics: [],
      webhooks: [],
    },
    flaggerSkewMs: 0,
    ...fields,
  };
}

export function workloadView(fields: Partial<WorkloadView> = {}): WorkloadView {
  return {
    kind: 'Deployment',
    uid: 'target-1',
    namespace: 'test',
    name: 'podinfo',
    resourceVersion: '1',
    generation: 1,
    template: { spec: { containers: [{ name: 'podinfod', image: 'ghcr.io/acme/podinfo:1' }] } },
    replicas: 0,
    readyReplicas: 0,
    complete: true,
    progressDeadlineMs: 600_000,
    deadlineExceeded: false,
    ...fields,
  };
}

export function kustomizationView(fields: Partial<KustomizationView> = {}): KustomizationView {
  return {
    namespace: 'flux-system',
    name: 'apps',
    path: 'apps',
    suspended: false,
    ready: { status: 'True', reason: 'ReconciliationSucceeded', message: '' },
    generation: 1,
    observedGeneration: 1,
    intervalMs: 60_000,
    waits: false,
    ...fields,
  };
}

export function fluxChain(fields: Partial<KustomizationView> = {}): NonNullable<TargetView['flux']> {
  return {
    source: {
      kind: 'GitRepository',
      namespace: 'flux-system',
      name: 'fleet',
      url: 'https://github.com/acme/fleet',
      suspended: false,
      intervalMs: 60_000,
      verifies: false,
      ...(fields.lastAttemptedRevision === undefined ? {} : { revision: fields.lastAttemptedRevision }),
    },
    kustomizations: [kustomizationView(fields)],
    links: [],
  };
}

/** The steps of a recording; the first one is the state before the commit. */
export function story(name: string): readonly StoryStep[] {
  const rows = readFileSync(new URL(`./traces/${name}.jsonl`, import.meta.url), 'utf8')
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Row);
  const clockOffset = clusterOffset(rows);
  let view: TargetView = { replicaSets: [], events: [] };
  const steps: StoryStep[] = [];
  const take = (row: Row, index: number): void => {
    view = applyRow(view, row, rows.slice(index), clockOffset);
  };
  rows.forEach((row, index) => {
    if (row.baseline) take(row, index);
  });
  view = completeBaseline(view, rows);
  steps.push({ t: 0, view });
  rows.forEach((row, index) => {
    if (row.baseline) return;
    take(row, index);
    steps.push({ t: row.t, view, ...(row.step === undefined ? {} : { step: row.step }) });
  });
  return steps;
}

function clusterOffset(rows: readonly Row[]): number {
  const row = rows.find(
    candidate => candidate.kind === 'Canary' && candidate.lastTransitionTime && !candidate.baseline,
  );
  return row?.lastTransitionTime ? Date.parse(row.lastTransitionTime) - row.t * 1000 : DAY;
}

/** Recordings without baseline rows begin at the promoted release before. */
function completeBaseline(view: TargetView, rows: readonly Row[]): TargetView {
  if (view.canary) return view;
  const first = rows.find(row => row.kind === 'Canary');
  const hash = first?.lastPromotedSpec ?? 'A';
  return {
    ...view,
    target: workloadView(),
    primary: workloadView({ uid: 'primary-1', name: 'podinfo-primary', replicas: 1, readyReplicas: 1 }),
    canary: canaryView({ phase: 'Initialized', lastAppliedSpec: hash, lastPromotedSpec: hash }),
    replicaSets: [{ name: 'podinfo-a', createdAt: 0, podTemplateHash: hash, replicas: 0 }],
  };
}

function applyRow(view: TargetView, row: Row, rest: readonly Row[], offset: number): TargetView {
  const at = offset + row.t * 1000;
  switch (row.kind) {
    case 'Canary':
      return { ...view, canary: canaryOf(view.canary, row), ...firstReplicaSet(view, row) };
    case 'Deployment':
      return row.name === 'podinfo'
        ? targetRow(view, row, rest, at)
        : { ...view, primary: workloadOf(row, 'primary-1') };
    case 'Kustomization':
      return { ...view, flux: fluxChain(kustomizationFields(row)) };
    case 'Event':
      return { ...view, events: withEvent(view.events, row, at) };
    default:
      return view;
  }
}

function canaryOf(previous: CanaryView | undefined, row: Row): CanaryView {
  const reason = row.promoted?.reason ?? row.phase ?? '';
  const wall = Date.parse(row.lastTransitionTime ?? '');
  const time = (text: string | undefined, kept: number | undefined): number => {
    if (text !== undefined) return Date.parse(`2026-11-23T${text}Z`);
    // The first recordings have no condition times: they moved when the phase did.
    return previous?.phase === row.phase && kept !== undefined ? kept : wall;
  };
  return canaryView({
    phase: row.phase ?? '',
    canaryWeight: row.canaryWeight ?? 0,
    iterations: row.iterations ?? 0,
    failedChecks: row.failedChecks ?? 0,
    lastAppliedSpec: row.lastAppliedSpec ?? '',
    lastPromotedSpec: row.lastPromotedSpec ?? '',
    trackedConfigs: row.trackedConfigs ?? {},
    promoted: {
      status: row.promoted?.status ?? 'Unknown',
      reason,
      message: '',
      lastTransitionTime: time(row.promoted?.lastTransitionTime, previous?.promoted?.lastTransitionTime),
      lastUpdateTime: time(row.promoted?.lastUpdateTime, previous?.promoted?.lastUpdateTime),
    },
  });
}

/** The release before ours has a ReplicaSet with the applied hash. */
function firstReplicaSet(view: TargetView, row: Row): Pick<TargetView, 'replicaSets'> {
  if (view.replicaSets.length > 0) return { replicaSets: view.replicaSets };
  const id = view.target?.rolloutId;
  return {
    replicaSets: [
      {
        name: 'podinfo-a',
        createdAt: 0,
        podTemplateHash: row.lastAppliedSpec ?? 'A',
        replicas: 0,
        ...(id === undefined ? {} : { rolloutId: id }),
      },
    ],
  };
}

function targetRow(view: TargetView, row: Row, rest: readonly Row[], at: number): TargetView {
  const target = workloadOf(row, 'target-1');
  const changed = view.target !== undefined && view.target.rolloutId !== target.rolloutId;
  if (!changed) return { ...view, target };
  const known = view.replicaSets.find(replicaSet => replicaSet.rolloutId === target.rolloutId);
  if (known) return { ...view, target };
  const later = rest.find(
    next =>
      next.kind === 'Canary' && !view.replicaSets.some(set => set.podTemplateHash === next.lastAppliedSpec),
  );
  const created: ReplicaSetView = {
    name: `podinfo-${row.rolloutId}`,
    createdAt: Math.floor(at / 1000) * 1000,
    podTemplateHash: later?.lastAppliedSpec ?? `unseen-${row.rolloutId}`,
    replicas: 0,
    ...(row.rolloutId === undefined ? {} : { rolloutId: row.rolloutId }),
  };
  return { ...view, target, replicaSets: [created, ...view.replicaSets] };
}

function workloadOf(row: Row, uid: string): WorkloadView {
  const replicas = row.replicas ?? 0;
  return workloadView({
    uid,
    name: row.name ?? '',
    generation: row.generation ?? 1,
    replicas,
    readyReplicas: row.ready ?? 0,
    complete: (row.ready ?? 0) === replicas,
    template: { spec: { containers: [{ name: 'podinfod', image: `ghcr.io/acme/podinfo:${row.image}` }] } },
    ...(row.rolloutId === undefined ? {} : { rolloutId: row.rolloutId }),
  });
}

function kustomizationFields(row: Row & { ready?: unknown }): Partial<KustomizationView> {
  const text = String(row.ready ?? '');
  const status = text.startsWith('True') ? 'True' : text.startsWith('False') ? 'False' : 'Unknown';
  return {
    ready: { status, reason: text.slice(status.length), message: '' },
    ...(row.lastAppliedRevision === undefined ? {} : { lastAppliedRevision: row.lastAppliedRevision }),
    ...(row.lastAttemptedRevision === undefined ? {} : { lastAttemptedRevision: row.lastAttemptedRevision }),
  };
}

function withEvent(events: readonly FlaggerEvent[], row: Row, at: number): readonly FlaggerEvent[] {
  const message = row.message ?? '';
  const old = events.find(event => event.message === message);
  const event: FlaggerEvent = {
    type: row.type ?? 'Normal',
    message,
    count: row.count ?? 1,
    firstSeen: old?.firstSeen ?? at,
    lastSeen: at,
  };
  return [...events.filter(other => other.message !== message), event];
}

export function observation(view: TargetView, source: 'watch' | 'read', at: number): Observation {
  return { source, at, targets: { [TARGET]: view }, objects: {} };
}

export const COMMIT: CommitRecord = {
  sha: 'c'.repeat(40),
  parent: 'p'.repeat(40),
  tree: 't'.repeat(40),
  files: [],
  verified: true,
  url: 'https://github.com/acme/fleet/commit/ccc',
};

export function intentOf(view: TargetView, id: string, fields: Partial<Intent> = {}): Intent {
  const baseline: CanaryBaseline | undefined = baselineOf(TARGET, view);
  if (!baseline) throw new Error('the story has no target at its start');
  return {
    id,
    name: 'podinfo',
    kind: 'release',
    identity: 'annotation',
    baselines: [baseline],
    expectations: [],
    restore: { kind: 'parent' },
    barrier: false,
    limits: {
      applyMs: 300_000,
      approvalMs: 3_600_000,
      lostSightMs: 300_000,
      backMs: 300_000,
      revertBy: undefined,
      jobEndsAt: undefined,
    },
    onCancel: 'revert',
    ...fields,
  };
}

/** Every revision that Flux names from `from` on holds the commit; `reverted` ones the revert too. */
export function knownRevisions(
  view: TargetView,
  before: string | undefined,
  reverted: boolean,
): KnownRevisions {
  const attempted = view.flux?.kustomizations.at(-1)?.lastAttemptedRevision;
  if (attempted === undefined) return {};
  return {
    [attempted]: {
      containsCommit: attempted !== before,
      containsRevert: reverted && attempted !== before,
      changesOurPaths: false,
    },
  };
}

/** As `transition`; the look at the branch that comes before a promotion is claimed finds our commit there. */
export function seenThrough(state: RolloutState, event: RolloutEvent, now: number): Transition {
  const next = transition(state, event, now);
  if (!next.effects.some(({ type }) => type === 'lookAtBranch')) return next;
  const ended = transition(next.state, { type: 'branchLookedAt', holds: true }, now);
  return { state: ended.state, effects: [...next.effects, ...ended.effects] };
}
