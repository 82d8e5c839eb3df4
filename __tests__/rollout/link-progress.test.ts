import { describe, expect, it } from 'vitest';
import { linkProgress } from '../../src/rollout/link-progress.ts';
import type { ChainLink, HelmReleaseView } from '../../src/rollout/observation.ts';

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
