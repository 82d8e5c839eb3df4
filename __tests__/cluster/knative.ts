import { type CanaryOptions, type Fields, folder, yaml } from './folder.ts';
import { readObjects } from '../../testbed/cluster-objects.ts';
import type { KubeObject } from '../../testbed/kube-api.ts';
import type { Ending } from './ending.ts';
import { trafficOf } from './knative-objects.ts';
import { type Acting, type ListedScenario, settles } from './listed-scenario.ts';
import { rolloutOf, type ScenarioOptions } from './scenario.ts';

const API = 'serving.knative.dev/v1';

/** At 6.14.0, as its team wrote it: nothing says traffic, nothing names a Revision or the container. */
const SERVICE = yaml({
  apiVersion: API,
  kind: 'Service',
  metadata: { name: 'podinfo' },
  spec: {
    template: {
      metadata: { annotations: { 'autoscaling.knative.dev/max-scale': '3' } },
      spec: {
        containers: [{ image: 'ghcr.io/stefanprodan/podinfo:6.14.0', ports: [{ containerPort: 9898 }] }],
      },
    },
  },
});

/** The stand-in for Knative looks away: no Revision is made. */
const HELD = SERVICE.replace('  name: podinfo\n', '  name: podinfo\n  annotations: {testbed/hold: "yes"}\n');

/** Its team had it before its Canary: Flagger initializes on what is there. */
function running(namespace: string): KubeObject {
  const [service] = readObjects(SERVICE);
  if (!service) throw new Error('unreachable: one object');
  return { ...service, metadata: { ...service.metadata, namespace } };
}

function knativeCanary(spec: Fields = {}): CanaryOptions {
  return {
    provider: 'knative',
    spec: {
      targetRef: { apiVersion: API, kind: 'Service', name: 'podinfo' },
      service: undefined,
      progressDeadlineSeconds: 60,
      ...spec,
    },
  };
}

function knative(namespace: string, spec: Fields = {}): Partial<ScenarioOptions> {
  return {
    canaries: [knativeCanary(spec)],
    files: { 'apps/deployment.yaml': SERVICE },
    objects: [running(namespace)],
    rollout: rolloutFor(namespace),
  };
}

function rolloutFor(namespace: string, more = ''): string {
  return rolloutOf(namespace, more).replace(`${namespace}/podinfo`, `Service ${namespace}/podinfo`);
}

const ON = { workloads: 'services' } as const;
const RELEASED = { ...ON, commits: ['Release'], serves: '6.14.1', phase: 'Succeeded' } as const;
/** The restored version was analysed, too, and promoted. */
const BACK: Pick<Ending, 'workloads' | 'commits' | 'serves' | 'phase'> = {
  ...ON,
  commits: ['Revert', 'Release'],
  serves: '6.14.0',
  phase: 'Succeeded',
};
const RELEASE = { inputs: { set: 'image=6.14.1' } };

/** Percent of the traffic by image tag, as the Service's status says. */
async function waitForTraffic({ scenario }: Acting, wanted: Readonly<Record<string, number>>): Promise<void> {
  await scenario.waitUntil(
    `traffic ${JSON.stringify(wanted)}`,
    async () => {
      const traffic = await trafficOf(scenario, 'podinfo');
      const tags = Object.keys({ ...traffic, ...wanted });
      return tags.every(tag => (traffic[tag] ?? 0) === (wanted[tag] ?? 0));
    },
    120_000,
  );
}

async function revertIsPushed({ scenario }: Acting): Promise<void> {
  await scenario.waitUntil(
    'the revert',
    async () => (await scenario.titles())[0]?.startsWith('Revert') === true,
  );
}

export const KNATIVE: readonly ListedScenario[] = [
  {
    key: 'knative-weighted',
    title: 'Knative Service, weighted, then unchanged',
    proven: '25 % of the traffic goes to our Revision while it is analysed, all of it at the end',
    options: ({ namespace }) => knative(namespace),
    run: async acting => {
      const { scenario, ends } = acting;
      const running = await scenario.start(RELEASE);
      await waitForTraffic(acting, { '6.14.0': 75, '6.14.1': 25 });
      await ends(await running.done, { ...RELEASED, verdict: 'promoted', reason: 'analysed' });
      await waitForTraffic(acting, { '6.14.1': 100 });
      await ends(await scenario.release('6.14.1'), {
        ...RELEASED,
        verdict: 'unchanged',
        reason: 'already-running',
        changed: ['apps/deployment.yaml'],
      });
    },
  },
  {
    key: 'knative-adopted',
    title: 'Knative Service without a Canary, adopted, then its release',
    proven: 'two commits; the Revision that ran is the primary before anything new goes out',
    options: ({ namespace, testbed }) => ({
      files: {
        'apps/deployment.yaml': SERVICE,
        // The metric alone.
        'apps/canary.yaml':
          String(folder({ namespace, server: testbed.metrics.server(namespace) })['apps/canary.yaml'])
            .split('---\n')
            .at(-1) ?? '',
      },
      rollout: rolloutFor(
        namespace,
        `canary:
  Service ${namespace}/podinfo:
    analysis: {interval: 10s, threshold: 2, stepWeight: 50, maxWeight: 50}
    metrics: [{name: success, min: 99, interval: 10s, templateRef: {name: podinfo-success}}]
`,
      ),
      initialized: false,
    }),
    run: async acting => {
      const { scenario, ends } = acting;
      await waitForTraffic(acting, { '6.14.0': 100 });
      await ends(await scenario.release('6.14.1'), {
        ...RELEASED,
        verdict: 'promoted',
        reason: 'analysed',
        commits: ['Release', 'Adopt'],
        changed: ['apps/deployment.yaml', 'apps/podinfo-canary.yaml'],
      });
      await waitForTraffic(acting, { '6.14.1': 100 });
    },
  },
  {
    key: 'knative-no-primary',
    title: 'Knative Service: Canary initialized before the first Revision, then made anew',
    proven: 'refused, because Flagger noted no primary and never will; the remedy that is said mends it',
    options: ({ namespace }) => ({
      ...knative(namespace),
      files: { 'apps/deployment.yaml': HELD },
      objects: [],
    }),
    run: async acting => {
      const { scenario, ends, expect, testbed, namespace } = acting;
      await scenario.push({ 'apps/deployment.yaml': SERVICE }, 'Let Knative begin');
      await waitForTraffic(acting, { '6.14.0': 100 });
      const refused = await scenario.release('6.14.1');
      expect(refused.outputs).toMatchObject({ verdict: 'refused', reason: 'baseline-unsettled' });
      expect(refused.outputs['result']).toContain('delete canary podinfo');
      const path = `/apis/flagger.app/v1beta1/namespaces/${namespace}/canaries/podinfo`;
      await testbed.api.send({ method: 'DELETE', path });
      await scenario.patchFlux('kustomizations', {
        metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': new Date().toISOString() } },
      });
      await scenario.initialized();
      await ends(await scenario.release('6.14.1'), {
        ...RELEASED,
        commits: ['Release', 'Let'],
        verdict: 'promoted',
        reason: 'analysed',
      });
    },
  },
  {
    key: 'knative-metric',
    title: 'Knative Service, metric below its range',
    proven:
      'all traffic is back on the primary Revision; the plain revert is a Revision of its own, which Flagger analyses and promotes',
    options: ({ namespace }) => knative(namespace),
    run: async acting => {
      const { scenario, ends, expect } = acting;
      await scenario.metric(90);
      const running = await scenario.start(RELEASE);
      await revertIsPushed(acting);
      await waitForTraffic(acting, { '6.14.0': 100 });
      await scenario.metric(100);
      const main = await running.done;
      await running.post();
      expect((await trafficOf(scenario, 'podinfo'))['6.14.1'] ?? 0).toBe(0);
      await settles(acting, '6.14.0', 'podinfo', 'services');
      await ends(main, { ...BACK, verdict: 'rolled-back', reason: 'metric-out-of-range' });
      await waitForTraffic(acting, { '6.14.0': 100 });
    },
  },
  {
    key: 'knative-restored-rejected',
    title: 'Knative Service: the restored version is rejected, too; then the next release',
    proven:
      'back all the same, as the primary Revision was never touched; the next run sees that Git asks for what the primary runs, and releases',
    options: ({ namespace }) => knative(namespace),
    run: async acting => {
      const { scenario, ends, expect } = acting;
      await scenario.metric(90);
      const main = await scenario.release('6.14.1');
      expect(main.outputs).toMatchObject({ verdict: 'rolled-back', reason: 'metric-out-of-range' });
      // Flagger began with the restored version meanwhile.
      await scenario.waitForPhase('Failed');
      await ends(main, {
        ...BACK,
        phase: 'Failed',
        verdict: 'rolled-back',
        reason: 'metric-out-of-range',
      });
      await scenario.metric(100);
      await ends(await scenario.release('6.14.2'), {
        ...RELEASED,
        serves: '6.14.2',
        commits: ['Release', 'Revert', 'Release'],
        verdict: 'promoted',
        reason: 'analysed',
      });
    },
  },
  {
    key: 'knative-never-ready',
    title: 'Knative Service: a Revision that never becomes ready',
    proven: 'Flagger would wait for good; taken back at the Canary’s own progressDeadlineSeconds',
    options: ({ namespace }) => knative(namespace, { progressDeadlineSeconds: 20 }),
    run: async acting => {
      const main = await acting.scenario.release('6.14.1-never-ready');
      await settles(acting, '6.14.0', 'podinfo', 'services');
      await acting.ends(main, { ...BACK, verdict: 'rolled-back', reason: 'canary-not-ready' });
    },
  },
  {
    key: 'knative-cancel',
    title: 'Knative Service: cancel in Progressing',
    proven: 'a plain revert is enough: Flagger sees another Revision, and takes the traffic off ours',
    options: ({ namespace }) => knative(namespace),
    run: async acting => {
      const { scenario, ends, expect } = acting;
      const running = await scenario.start(RELEASE);
      await waitForTraffic(acting, { '6.14.0': 75, '6.14.1': 25 });
      running.cancel();
      const main = await running.done;
      const post = await running.post();
      expect((await trafficOf(scenario, 'podinfo'))['6.14.1'] ?? 0).toBe(0);
      await settles(acting, '6.14.0', 'podinfo', 'services');
      await ends(main, { ...BACK, verdict: 'cancelled', reason: 'job-cancelled', post });
    },
  },
  {
    key: 'knative-skip-analysis',
    title: 'Knative Service whose Canary has skipAnalysis',
    proven: 'refused; a push by hand shows why: Flagger says Succeeded and leaves all traffic where it was',
    options: ({ namespace }) => knative(namespace, { skipAnalysis: true }),
    run: async acting => {
      const { scenario, ends } = acting;
      await ends(await scenario.release('6.14.1'), {
        ...ON,
        commits: [],
        serves: '6.14.0',
        phase: 'Initialized',
        verdict: 'refused',
        reason: 'bad-config',
      });
      await scenario.push(
        { 'apps/deployment.yaml': SERVICE.replace('6.14.0', '6.14.9') },
        'Push without an analysis',
      );
      await scenario.waitForPhase('Succeeded');
      await settles(acting, '6.14.9', 'podinfo', 'services');
      await waitForTraffic(acting, { '6.14.0': 100 });
    },
  },
];
