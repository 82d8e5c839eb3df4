import { describe, expect, it } from 'vitest';
import { backState } from '../../src/rollout/back.ts';
import { fluxProgress } from '../../src/rollout/flux-progress.ts';
import { linkProgress } from '../../src/rollout/link-progress.ts';
import type {
  ChainLink,
  FluxChain,
  HelmReleaseView,
  KustomizationView,
} from '../../src/rollout/observation.ts';
import { newTrack } from '../../src/rollout/track.ts';
import { canaryView, fluxChain, intentOf, kustomizationView, workloadView } from './story.ts';

function helmRelease(fields: Partial<HelmReleaseView> = {}): ChainLink {
  return {
    kind: 'HelmRelease',
    view: {
      namespace: 'prod',
      name: 'shop',
      suspended: false,
      generation: 2,
      observedGeneration: 2,
      ready: { status: 'True', reason: 'UpgradeSucceeded', message: '' },
      history: [],
      intervalMs: 60_000,
      driftDetection: 'disabled',
      remediatesUpgrades: false,
      ignoresReplicas: false,
      rolloutIds: [],
      ...fields,
    },
  };
}

const BEFORE = { 'HelmRelease prod/shop': 1 };
const FAILED = { status: 'False', reason: 'UpgradeFailed', message: 'timed out waiting' } as const;

describe('links between the Kustomization and the target', () => {
  it('are passed when they have taken up their own newest generation and are ready', () => {
    expect(linkProgress([helmRelease()], BEFORE)).toEqual({ kind: 'passed' });
    expect(linkProgress([], BEFORE)).toEqual({ kind: 'passed' });
  });

  it('are waited for while their controller is at work', () => {
    expect(linkProgress([helmRelease({ observedGeneration: 1 })], BEFORE).kind).toBe('waiting');
  });

  it('have failed only when what failed came after our commit', () => {
    expect(linkProgress([helmRelease({ ready: FAILED })], BEFORE)).toMatchObject({
      kind: 'failed',
      reason: 'reconciliation-failed',
      detail: 'HelmRelease prod/shop is not ready (UpgradeFailed): timed out waiting',
    });
    expect(linkProgress([helmRelease({ ready: FAILED, generation: 1 })], BEFORE).kind).toBe('waiting');
  });

  it('hold everything up while they are suspended', () => {
    expect(linkProgress([helmRelease({ suspended: true })], BEFORE)).toMatchObject({
      kind: 'held',
      reason: 'helm-release-suspended',
    });
  });
});

/** Our Kustomization has attempted revision 2, and brings one of another repository. */
function chain(fields: Partial<KustomizationView> = {}): FluxChain {
  const { source, ...applier } = fluxChain({ lastAttemptedRevision: '2' });
  const view = kustomizationView({ name: 'faces', generation: 2, observedGeneration: 2, ...fields });
  return { ...applier, source, links: [{ kind: 'Kustomization', view, source }] };
}

describe('a Kustomization of another repository on the way', () => {
  const known = { 2: { containsCommit: true, containsRevert: true, changesOurPaths: false } };
  const before = { 'Kustomization flux-system/faces': 1 };
  const progress = (fields: Partial<KustomizationView>) =>
    fluxProgress(chain(fields), known, 'containsCommit', before);

  it('explains what is waited for, and what went wrong', () => {
    expect(progress({})).toMatchObject({ kind: 'attempted' });
    expect(progress({ observedGeneration: 1 })).toMatchObject({
      kind: 'waiting',
      detail: 'Kustomization flux-system/faces is at work on it.',
    });
    const ready = { status: 'False', reason: 'BuildFailed', message: 'no such path' } as const;
    expect(progress({ ready })).toMatchObject({
      kind: 'failed',
      reason: 'build-failed',
      detail: 'Kustomization flux-system/faces is not ready (BuildFailed): no such path',
    });
    expect(progress({ suspended: true })).toMatchObject({ kind: 'held', reason: 'kustomization-suspended' });
  });

  it('must be at rest before what was never delivered is back', () => {
    const target = workloadView();
    const primary = workloadView({ name: 'podinfo-primary', uid: 'p' });
    const back = (flux: FluxChain) => {
      const view = { target, primary, canary: canaryView(), replicaSets: [], events: [], flux };
      const [baseline] = intentOf(view, 'id').baselines;
      if (!baseline) throw new Error('no baseline');
      return backState({ view, track: newTrack(baseline, {}, 0), rolloutId: 'id', known });
    };
    expect(back(chain())).toMatchObject({ kind: 'back' });
    expect(back(chain({ observedGeneration: 1 }))).toEqual({
      kind: 'waiting',
      detail: 'Kustomization flux-system/faces is at work',
    });
    expect(back(chain({ ready: { status: 'Unknown', reason: 'Progressing', message: '' } })).kind).toBe(
      'waiting',
    );
    expect(back(chain({ observedGeneration: 1, suspended: true })).kind).toBe('back');
  });
});
