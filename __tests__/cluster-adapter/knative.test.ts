import { describe, expect, it } from 'vitest';
import { ClusterForbidden } from '../../src/rollout/ports.ts';
import { type KubeClient, KubeError } from '../../src/cluster/kube-client.ts';
import { guardsTarget } from '../../src/cluster/parse-canary.ts';
import { readObservation } from '../../src/cluster/read-observation.ts';
import { LiveFlux } from '../../src/cluster/live-flux.ts';
import { traceChain } from '../../src/flux/trace-chain.ts';
import type { TargetView } from '../../src/rollout/observation.ts';
import { systemClock } from '../../src/runtime/clock.ts';

const TARGET = { kind: 'Service', namespace: 'prod', name: 'hello' } as const;
const SERVING = '/apis/serving.knative.dev/v1/namespaces/prod';
const CANARIES = '/apis/flagger.app/v1beta1/namespaces/prod/canaries';

function revision(name: string, createdAt: string, id: string, ready = true) {
  return {
    metadata: {
      name,
      namespace: 'prod',
      uid: name,
      generation: 1,
      creationTimestamp: createdAt,
      annotations: { 'gated-rollout/id': id, 'serving.knative.dev/creator': 'flux' },
    },
    spec: { containers: [{ name: 'user-container', image: `ghcr.io/acme/hello:${id}` }] },
    status: {
      observedGeneration: 1,
      conditions: [
        {
          type: 'Ready',
          status: ready ? 'True' : 'False',
          reason: 'ContainerMissing',
          message: 'no such image',
        },
      ],
    },
  };
}

const SERVICE = {
  metadata: {
    name: 'hello',
    namespace: 'prod',
    uid: 'service-1',
    generation: 4,
    annotations: { 'flagger.app/primary-revision': 'hello-00001' },
    managedFields: [{ manager: 'kustomize-controller', operation: 'Apply', time: '2026-11-23T10:00:00Z' }],
  },
  spec: {
    template: {
      metadata: { annotations: { 'gated-rollout/id': 'new', 'gated-rollout/source-sha': 'abc' } },
      spec: { containers: [{ image: 'ghcr.io/acme/hello:new' }] },
    },
  },
  status: {
    observedGeneration: 4,
    latestCreatedRevisionName: 'hello-00002',
    conditions: [{ type: 'Ready', status: 'False', reason: 'RevisionFailed', message: 'Revision failed' }],
    traffic: [
      { latestRevision: true, revisionName: 'hello-00001', percent: 0 },
      { latestRevision: false, revisionName: 'hello-00001', percent: 100 },
    ],
  },
};
const CANARY = {
  metadata: { name: 'hello', namespace: 'prod', uid: 'c', resourceVersion: '1' },
  spec: { targetRef: { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: 'hello' } },
};

/** An API server with these objects; what is not there is 404, an Error is thrown. */
function kube(answers: Readonly<Record<string, unknown>>): KubeClient {
  const asked = (path: string): unknown => {
    const answer = answers[path];
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return {
    get: path => Promise.resolve().then(() => asked(path)),
    list: path =>
      Promise.resolve().then(() => {
        const found = asked(path);
        if (!Array.isArray(found))
          throw new KubeError(404, 'the server could not find the requested resource');
        return found;
      }),
    text: () => Promise.reject(new Error('not asked')),
    mergePatch: () => Promise.reject(new Error('not asked')),
    applyPatch: () => Promise.reject(new Error('not asked')),
    watch: () => Promise.reject(new Error('not asked')),
    close: () => Promise.resolve(),
  };
}

const SERVED = {
  [`${SERVING}/services/hello`]: SERVICE,
  [`${SERVING}/services`]: [SERVICE],
  // Made within the same second: only the Service knows which is the latest.
  [`${SERVING}/revisions`]: [
    revision('hello-00001', '2026-11-23T10:00:01Z', 'old'),
    revision('hello-00002', '2026-11-23T10:00:01Z', 'new', false),
  ],
  [CANARIES]: [CANARY],
  [`${CANARIES}/hello`]: CANARY,
  '/api/v1/namespaces/prod/events': [],
};

async function look(answers: Readonly<Record<string, unknown>>): Promise<TargetView | undefined> {
  const watched = { targets: [TARGET], chains: {}, objects: [TARGET] };
  const seen = await readObservation(kube(answers), { watched, clock: systemClock, source: 'read' });
  // `Service/hello` of an `at` change is the Knative one.
  expect(seen.objects['Service prod/hello']).toBe(answers[`${SERVING}/services/hello`] ?? null);
  return seen.targets['Service prod/hello'];
}

describe('a Knative Service in the cluster', () => {
  it('is read with its annotated primary, its Revisions and its traffic', async () => {
    const view = await look(SERVED);
    expect(view?.target).toMatchObject({
      kind: 'Service',
      uid: 'service-1',
      rolloutId: 'new',
      sourceSha: 'abc',
      template: SERVICE.spec.template,
      complete: false,
      notReady: 'Revision failed',
      appliedAt: Date.parse('2026-11-23T10:00:00Z'),
    });
    expect(view?.primary).toMatchObject({ name: 'hello-00001', rolloutId: 'old', complete: true });
    expect(view?.primary?.template).toMatchObject({
      spec: { containers: [{ image: 'ghcr.io/acme/hello:old' }] },
    });
    expect(view?.replicaSets.map(({ name, rolloutId }) => [name, rolloutId])).toEqual([
      ['hello-00002', 'new'],
      ['hello-00001', 'old'],
    ]);
    expect(view?.traffic).toEqual([
      { revision: 'hello-00001', rolloutId: 'old', percent: 0 },
      { revision: 'hello-00001', rolloutId: 'old', percent: 100 },
    ]);
    expect(view?.canary?.name).toBe('hello');
  });

  it('is not complete before Knative has looked at its newest generation', async () => {
    const conditions = [{ type: 'Ready', status: 'True' }];
    const service = { ...SERVICE, status: { ...SERVICE.status, observedGeneration: 3, conditions } };
    const view = await look({ ...SERVED, [`${SERVING}/services/hello`]: service });
    expect(view?.target).toMatchObject({ complete: false, notReady: 'Knative has not looked at it yet' });
  });

  it('needs the right to read Revisions: the primary is one', async () => {
    const refused = new KubeError(403, 'revisions.serving.knative.dev is forbidden');
    await expect(look({ ...SERVED, [`${SERVING}/revisions`]: refused })).rejects.toBeInstanceOf(
      ClusterForbidden,
    );
  });

  it('is not guarded by the Canary of a core Service', () => {
    const core = { ...CANARY, spec: { targetRef: { ...CANARY.spec.targetRef, apiVersion: 'v1' } } };
    expect(guardsTarget(CANARY, TARGET)).toBe(true);
    expect(guardsTarget(core, TARGET)).toBe(false);
    expect(guardsTarget(CANARY, { ...TARGET, kind: 'Deployment' })).toBe(false);
  });
});

describe('a Knative Service that is not there', () => {
  const trace = (answers: Readonly<Record<string, unknown>>) =>
    traceChain(new LiveFlux(kube(answers)), { target: TARGET, via: undefined, isOurs: () => true });

  it('is refused with what there is instead', async () => {
    await expect(trace({ [`${SERVING}/services`]: [{ metadata: { name: 'other' } }] })).rejects.toMatchObject(
      {
        reason: 'target-not-found',
        message: 'There is no Knative Service hello in the namespace prod; it has other.',
      },
    );
  });

  it('is refused where Knative Serving is not installed', async () => {
    await expect(trace({})).rejects.toMatchObject({
      reason: 'target-not-found',
      message: expect.stringContaining('Knative Serving is not installed'),
    });
  });

  it('is refused with a word about the core Service of that name', async () => {
    await expect(trace({ '/api/v1/namespaces/prod/services/hello': SERVICE })).rejects.toMatchObject({
      message: expect.stringContaining('The core Service prod/hello is none'),
      remedy: 'Name the Deployment or DaemonSet behind it as the target.',
    });
  });
});
