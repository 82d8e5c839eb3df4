import { describe, expect, it } from 'vitest';
import { helmFights } from '../../src/cluster/helm-fights.ts';
import type { KubeClient } from '../../src/cluster/kube-client.ts';
import { parseHelmRelease } from '../../src/flux/parse-helm-release.ts';
import type { TargetRef } from '../../src/rollout/target.ts';
import { Refusal } from '../../src/rollout/verdict.ts';

const TARGET: TargetRef = { kind: 'Deployment', namespace: 'prod', name: 'web' };
const LABELS = { 'helm.toolkit.fluxcd.io/name': 'shop', 'helm.toolkit.fluxcd.io/namespace': 'prod' };
const CANARY = {
  metadata: { name: 'web', namespace: 'prod' },
  spec: { targetRef: { kind: 'Deployment', name: 'web' }, service: { name: 'front' } },
};

/** An API server that has only these objects, by the end of their paths. */
function kubeWith(objects: Readonly<Record<string, unknown>>, canaries: readonly unknown[] = [CANARY]) {
  const never = () => Promise.reject(new Error('not asked for'));
  const kube: KubeClient = {
    get: path => Promise.resolve(Object.entries(objects).find(([end]) => path.endsWith(end))?.[1]),
    list: () => Promise.resolve(canaries),
    watch: never,
    mergePatch: never,
    text: never,
    applyPatch: never,
    close: () => Promise.resolve(),
  };
  return kube;
}

function release(spec: object) {
  return parseHelmRelease({ metadata: { name: 'shop', namespace: 'prod', generation: 1 }, spec });
}

function codes(kube: KubeClient, spec: object = {}): Promise<readonly string[]> {
  const on = { target: TARGET, release: release(spec), newService: undefined };
  return helmFights(kube, on).then(warnings => warnings.map(({ code }) => code));
}

const FRONT = { '/services/front': { metadata: { name: 'front', labels: LABELS } } };

describe('what Helm and Flagger would both write', () => {
  it('is nothing where the chart leaves Flagger its own', async () => {
    expect(await codes(kubeWith({ '/services/front': { metadata: { name: 'front' } } }))).toEqual([]);
    expect(await codes(kubeWith({}))).toEqual([]);
  });

  it('is the Service that the Canary is named by', async () => {
    expect(await codes(kubeWith(FRONT))).toEqual(['helm-service']);
    const elsewhere = { ...LABELS, 'helm.toolkit.fluxcd.io/name': 'other' };
    expect(
      await codes(kubeWith({ '/services/front': { metadata: { name: 'front', labels: elsewhere } } })),
    ).toEqual([]);
  });

  it('is the replicas under drift detection, unless they are left out of it', async () => {
    const enabled = { driftDetection: { mode: 'enabled' } };
    expect(await codes(kubeWith({}), enabled)).toEqual(['helm-drift']);
    const ignored = {
      driftDetection: {
        mode: 'enabled',
        ignore: [{ paths: ['/spec/replicas'], target: { kind: 'Deployment' } }],
      },
    };
    expect(await codes(kubeWith({}), ignored)).toEqual([]);
    expect(await codes(kubeWith({}), { driftDetection: { mode: 'warn' } })).toEqual([]);
  });

  it('is the replicas that the chart applies', async () => {
    const managed = (fields: object) => ({
      '/deployments/web': {
        metadata: {
          name: 'web',
          managedFields: [{ manager: 'helm-controller', operation: 'Apply', fieldsV1: { 'f:spec': fields } }],
        },
      },
    });
    expect(await codes(kubeWith(managed({ 'f:replicas': {} })))).toEqual(['replicas-in-git']);
    expect(await codes(kubeWith(managed({ 'f:template': {} })))).toEqual([]);
  });

  it('is a release that Helm takes back by itself', async () => {
    expect(await codes(kubeWith({}), { upgrade: { remediation: { retries: 3 } } })).toEqual([
      'helm-remediation',
    ]);
    const last = { upgrade: { remediation: { remediateLastFailure: true } } };
    expect(await codes(kubeWith({}), last)).toEqual(['helm-remediation']);
  });

  it('is refused where a Canary would only be added now', async () => {
    const kube = kubeWith({ '/services/web': { metadata: { name: 'web', labels: LABELS } } }, []);
    const on = { target: TARGET, release: release({}), newService: undefined };
    await expect(helmFights(kube, on)).rejects.toThrow(Refusal);
    await expect(helmFights(kube, on)).rejects.toThrow('No Canary can be added to prod/web yet');
    expect(await helmFights(kube, { ...on, newService: 'web-canaries' })).toEqual([]);
  });
});

describe('whose release a HelmRelease asks for', () => {
  it('is read from its postRenderers and its values', () => {
    const patch =
      'kind: Deployment\nspec:\n  template:\n    metadata:\n      annotations:\n        gated-rollout/id: shop-1\n        gated-rollout/source-sha: abc\n';
    expect(release({ postRenderers: [{ kustomize: { patches: [{ patch }] } }] }).rolloutIds).toEqual([
      'shop-1',
    ]);
    const values = { podAnnotations: { 'gated-rollout/id': 'shop-2-revert' } };
    expect(release({ values }).rolloutIds).toEqual(['shop-2-revert']);
    expect(release({}).rolloutIds).toEqual([]);
  });
});
