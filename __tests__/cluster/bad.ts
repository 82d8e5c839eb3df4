import { readObjects } from '../../testbed/cluster-objects.ts';
import type { KubeObject } from '../../testbed/kube-api.ts';
import { folder, workload, yaml } from './folder.ts';
import { type Acting, type ListedScenario, settles } from './listed-scenario.ts';
import { FLEET } from './scenario.ts';

/** Where everything is as it was before the release. */
const BACK = { commits: ['Revert', 'Release'], serves: '6.14.0', phase: 'Failed' } as const;
const UNTOUCHED = { commits: [], serves: '6.14.0', phase: 'Initialized' } as const;

/** Releases, makes the metric bad, and waits for the end. */
async function failsByMetric({ scenario }: Acting, tag = '6.14.1') {
  await scenario.metric(90);
  return await scenario.release(tag);
}

/** Somebody pushes this just before our commit lands; ours is built on it. */
function pushedInBetween(
  { scenario }: Acting,
  files: Readonly<Record<string, string>>,
  message: string,
): void {
  let pushed = false;
  scenario.github.onRequest(async ({ method, path }) => {
    if (pushed || method !== 'POST' || !path.endsWith('/git/trees')) return;
    pushed = true;
    await scenario.github.push(FLEET, { files, message });
  });
}

/** Somebody's patch that wins over the manifest, in a Kustomization that was applied by hand. */
const OVERRIDE = `- op: replace
  path: /spec/template/spec/containers/0/image
  value: ghcr.io/stefanprodan/podinfo:6.14.0
`;

const BROKEN = { 'apps/broken.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: broken\n' };

export const BAD: readonly ListedScenario[] = [
  {
    key: 'metric-below',
    title: 'metric below its range',
    proven: 'reverted byte for byte; target and primary back',
    run: async acting => {
      await acting.ends(await failsByMetric(acting), {
        ...BACK,
        verdict: 'rolled-back',
        reason: 'metric-out-of-range',
      });
    },
  },
  {
    key: 'pre-rollout-webhook',
    title: 'failing pre-rollout webhook',
    proven: 'the webhook is named',
    options: ({ testbed }) => ({
      canaries: [
        {
          webhooks: [{ name: 'acceptance', type: 'pre-rollout', url: `${testbed.loadtesterUrl}/gate/halt` }],
        },
      ],
    }),
    run: async ({ scenario, ends, expect }) => {
      const run = await scenario.release('6.14.1');
      await ends(run, { ...BACK, verdict: 'rolled-back', reason: 'webhook-refused' });
      expect(run.outputs['result']).toContain('acceptance');
    },
  },
  {
    key: 'rollout-webhook',
    title: 'failing rollout webhook',
    proven: 'the webhook is named',
    options: ({ testbed }) => ({
      canaries: [
        { webhooks: [{ name: 'load', type: 'rollout', url: `${testbed.loadtesterUrl}/gate/halt` }] },
      ],
    }),
    run: async ({ scenario, ends }) => {
      await ends(await scenario.release('6.14.1'), {
        ...BACK,
        verdict: 'rolled-back',
        reason: 'webhook-refused',
      });
    },
  },
  {
    key: 'unreachable-webhook',
    title: 'unreachable webhook',
    proven: 'errored, not failed: it could not be told',
    options: () => ({
      canaries: [{ webhooks: [{ name: 'load', type: 'rollout', url: 'http://127.0.0.1:9/' }] }],
    }),
    run: async ({ scenario, ends, expect }) => {
      const run = await scenario.release('6.14.1');
      await ends(run, { ...BACK, verdict: 'rolled-back', reason: 'webhook-unreachable' });
      expect(run.outputs['result']).toContain('could not be told');
    },
  },
  {
    key: 'prometheus-down',
    title: 'Prometheus down',
    proven: 'errored, not failed: it could not be told',
    run: async ({ scenario, ends, expect, testbed, namespace }) => {
      testbed.metrics.down(namespace);
      const run = await scenario.release('6.14.1');
      await ends(run, { ...BACK, verdict: 'rolled-back', reason: 'metrics-unavailable' });
      expect(run.outputs['result']).toContain('could not be told');
    },
  },
  {
    key: 'no-values',
    title: 'a metric without values',
    proven: 'errored, not failed: probably no traffic',
    run: async ({ scenario, ends, testbed, namespace }) => {
      testbed.metrics.remove('success_rate', { namespace, canary: 'podinfo' });
      await testbed.metrics.settled();
      await ends(await scenario.release('6.14.1'), {
        ...BACK,
        verdict: 'rolled-back',
        reason: 'no-metric-values',
      });
    },
  },
  {
    key: 'never-ready',
    title: 'canary pods never ready past the deadline',
    proven: 'Flagger’s own rollback is followed',
    options: () => ({ canaries: [{ spec: { progressDeadlineSeconds: 15 } }] }),
    run: async ({ scenario, ends }) => {
      await ends(await scenario.release('6.14.1-never-ready'), {
        ...BACK,
        verdict: 'rolled-back',
        reason: 'canary-not-ready',
      });
    },
  },
  {
    key: 'primary-cannot-start',
    title: 'the primary can’t start: Failed at 100',
    proven: 'said what serves; the quota that kept its pod away is lifted afterwards',
    options: () => ({
      files: {
        'apps/deployment.yaml': workload().replace('spec:\n', 'spec:\n  progressDeadlineSeconds: 20\n'),
      },
    }),
    run: async ({ scenario, ends, testbed, namespace }) => {
      const running = await scenario.start({ inputs: { set: 'image=6.14.1' } });
      await scenario.waitUntil('weight 50', async () => {
        return (await scenario.canary())?.status.canaryWeight === 50;
      });
      await testbed.api.apply({
        apiVersion: 'v1',
        kind: 'ResourceQuota',
        metadata: { name: 'no-more-pods', namespace },
        spec: { hard: { pods: '2' } },
      });
      await ends(await running.done, {
        ...BACK,
        verdict: 'promotion-failed',
        reason: 'primary-not-ready',
        serves: '6.14.1',
        wants: '6.14.0',
      });
    },
  },
  {
    key: 'config-map',
    title: 'ConfigMap change that fails; its revert is analysed, too',
    proven: 'the analysis of the restored ConfigMap is followed to its end',
    options: ({ namespace }) => ({
      files: {
        'apps/deployment.yaml': workload().replace(
          'image:',
          'envFrom: [{configMapRef: {name: podinfo}}]\n          image:',
        ),
        'apps/config.yaml': yaml({
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: 'podinfo' },
          data: { color: 'blue' },
        }),
      },
      rollout: `gitops: {repository: ${FLEET}}
target: [${namespace}/podinfo]
change: [{at: {file: apps/config.yaml, object: ConfigMap/podinfo, path: data.color}, name: color}]
`,
    }),
    run: async acting => {
      const { scenario, ends } = acting;
      await scenario.metric(90);
      const running = await scenario.start({ inputs: { set: 'color=red' } });
      await scenario.waitForPhase('Progressing');
      await scenario.waitForPhase('Failed');
      await scenario.metric(100);
      const run = await running.done;
      await settles(acting, '6.14.0');
      await ends(run, {
        ...BACK,
        verdict: 'rolled-back',
        reason: 'metric-out-of-range',
        phase: 'Succeeded',
      });
    },
  },
  {
    key: 'fix-forward-fails',
    title: 'fix forward that fails, on a baseline that is Failed and was never reverted',
    proven: 'restored to the release that the primary runs, not to the rejected one before it',
    run: async acting => {
      const { scenario, ends } = acting;
      await ends(await scenario.release('6.14.1'), {
        commits: ['Release'],
        verdict: 'promoted',
        reason: 'analysed',
        serves: '6.14.1',
        phase: 'Succeeded',
      });
      await scenario.metric(90);
      const rejected = (await scenario.file('apps/deployment.yaml'))?.replace('6.14.1', '6.14.8') ?? '';
      await scenario.push(
        { 'apps/deployment.yaml': rejected.replace('gated-rollout/id:', 'by-hand/id:') },
        'By hand: another version',
      );
      await scenario.waitForPhase('Progressing');
      await scenario.waitForPhase('Failed');
      await ends(await scenario.release('6.14.9'), {
        commits: ['Revert', 'Release', 'By', 'Release'],
        verdict: 'rolled-back',
        reason: 'metric-out-of-range',
        serves: '6.14.1',
        phase: 'Failed',
        changed: ['apps/deployment.yaml'],
      });
    },
  },
  {
    key: 'no-restore-point',
    title: 'the same, when nobody knows which commit the primary runs',
    proven: 'no revert to rejected code: a pull request asks',
    run: async acting => {
      const { scenario, ends, expect } = acting;
      await scenario.metric(90);
      await scenario.push(
        { 'apps/deployment.yaml': workload({ tag: '6.14.8' }) },
        'By hand: another version',
      );
      await scenario.waitForPhase('Progressing');
      await scenario.waitForPhase('Failed');
      await ends(await scenario.release('6.14.9'), {
        commits: ['Release', 'By'],
        verdict: 'revert-blocked',
        reason: 'no-restore-point',
        serves: '6.14.0',
        wants: '6.14.9',
        phase: 'Failed',
        changed: ['apps/deployment.yaml'],
      });
      expect(scenario.github.pullRequests(FLEET)).toHaveLength(1);
    },
  },
  {
    key: 'changed-since',
    title: 'failure while someone changed the same line',
    proven: 'nothing of theirs is overwritten: a pull request asks',
    run: async ({ scenario, ends, expect }) => {
      await scenario.metric(90);
      const running = await scenario.start({ inputs: { set: 'image=6.14.1' } });
      await scenario.waitForPhase('Progressing');
      const ours = (await scenario.file('apps/deployment.yaml')) ?? '';
      const theirs = ours.replace(/(image: .*)$/m, "$1 # a colleague's remark");
      await scenario.push({ 'apps/deployment.yaml': theirs }, 'Remark on podinfo');
      await ends(await running.done, {
        commits: ['Remark', 'Release'],
        verdict: 'revert-blocked',
        reason: 'changed-since',
        serves: '6.14.0',
        wants: '6.14.1',
        phase: 'Failed',
        changed: ['apps/deployment.yaml'],
      });
      expect(scenario.github.pullRequests(FLEET)).toMatchObject([{ state: 'open' }]);
    },
  },
  {
    key: 'broken-before',
    title: 'a manifest elsewhere under the path that doesn’t build, from before',
    proven: 'refused; nothing written',
    run: async ({ scenario, ends, expect }) => {
      await scenario.push(BROKEN, 'Break the folder');
      await scenario.waitUntil('the broken build', () => notReady(scenario));
      const run = await scenario.release('6.14.1');
      await ends(run, {
        ...UNTOUCHED,
        verdict: 'refused',
        reason: 'tree-broken',
        commits: ['Break'],
        changed: ['apps/broken.yaml'],
      });
      expect(run.outputs['result']).toContain('broken.yaml');
    },
  },
  {
    key: 'broken-during',
    title: 'the same, pushed by someone while ours is committed',
    proven: 'ours is reverted, the target never changed',
    run: async acting => {
      pushedInBetween(acting, BROKEN, 'Break the folder');
      await acting.ends(await acting.scenario.release('6.14.1'), {
        ...UNTOUCHED,
        verdict: 'not-applied',
        reason: 'build-failed',
        commits: ['Revert', 'Release', 'Break'],
        changed: ['apps/broken.yaml'],
      });
    },
  },
  {
    key: 'kustomization-suspended-before',
    title: 'Kustomization suspended, from before',
    proven: 'refused; nothing written',
    run: async ({ scenario, ends }) => {
      await scenario.patchFlux('kustomizations', { spec: { suspend: true } });
      await ends(await scenario.release('6.14.1'), {
        ...UNTOUCHED,
        verdict: 'refused',
        reason: 'kustomization-suspended',
      });
    },
  },
  {
    key: 'kustomization-suspended-during',
    title: 'Kustomization suspended before Flux applies ours',
    proven: 'taken back in time; the target never changed',
    run: async ({ scenario, ends }) => {
      scenario.github.onRequest(async ({ method, path }) => {
        if (method === 'PATCH' && path.includes('/git/refs/')) {
          await scenario.patchFlux('kustomizations', { spec: { suspend: true } });
        }
      });
      await ends(await scenario.release('6.14.1', { inputs: { 'apply-timeout': '20s' } }), {
        ...UNTOUCHED,
        verdict: 'not-applied',
        reason: 'kustomization-suspended',
        commits: ['Revert', 'Release'],
        // Under a new id: what was in flight when it was suspended may still arrive.
        changed: ['apps/deployment.yaml'],
      });
    },
  },
  {
    key: 'canary-suspended-before',
    title: 'Canary suspended, from before',
    proven: 'refused; nothing written',
    run: async ({ scenario, ends }) => {
      await scenario.patchCanary({ spec: { suspend: true } });
      await ends(await scenario.release('6.14.1'), {
        ...UNTOUCHED,
        verdict: 'refused',
        reason: 'canary-suspended',
      });
    },
  },
  {
    key: 'canary-suspended-for-good',
    title: 'Canary suspended during the analysis, and not resumed',
    proven: 'reverted; said that Flagger can’t take it back while it is suspended',
    run: async ({ scenario, ends }) => {
      const running = await scenario.start({
        inputs: { set: 'image=6.14.1', 'approval-timeout': '15s', 'back-timeout': '40s' },
      });
      await scenario.waitForPhase('Progressing');
      await scenario.patchCanary({ spec: { suspend: true } });
      const run = await running.done;
      await scenario.patchCanary({ spec: { suspend: null } });
      await scenario.waitForPhase('Succeeded');
      await ends(run, {
        commits: ['Revert', 'Release'],
        verdict: 'revert-unverified',
        reason: 'not-seen-back',
        serves: '6.14.0',
        phase: 'Succeeded',
        changed: ['apps/deployment.yaml'],
      });
    },
  },
  {
    key: 'overridden',
    title: 'value overridden by a patch elsewhere',
    proven: 'refused before anything is written: no line here sets what is built',
    options: () => ({
      kustomization: { patches: [{ patch: OVERRIDE, target: { kind: 'Deployment' } }] },
    }),
    run: async ({ scenario, ends }) => {
      await ends(await scenario.release('6.14.1'), {
        ...UNTOUCHED,
        verdict: 'refused',
        reason: 'change-not-found',
      });
    },
  },
  {
    key: 'overridden-image',
    title: 'image set by a Kustomization whose manifest is not in the repository',
    proven: 'refused before anything is written',
    options: () => ({
      kustomization: { images: [{ name: 'ghcr.io/stefanprodan/podinfo', newTag: '6.14.0' }] },
    }),
    run: async ({ scenario, ends }) => {
      await ends(await scenario.release('6.14.1'), {
        ...UNTOUCHED,
        verdict: 'refused',
        reason: 'change-not-found',
      });
    },
  },
  {
    key: 'if-not-present',
    title: '`ssa: IfNotPresent`',
    proven: 'refused; nothing written',
    options: () => ({
      files: {
        'apps/deployment.yaml': workload().replace(
          'metadata:\n  name: podinfo',
          'metadata:\n  annotations: {kustomize.toolkit.fluxcd.io/ssa: IfNotPresent}\n  name: podinfo',
        ),
      },
    }),
    run: async ({ scenario, ends }) => {
      await ends(await scenario.release('6.14.1'), {
        ...UNTOUCHED,
        verdict: 'refused',
        reason: 'ssa-if-not-present',
      });
    },
  },
  {
    key: 'nothing-applies',
    title: 'a folder that nothing applies',
    proven: 'refused; nothing written',
    options: ({ namespace, testbed }) => ({
      flux: false,
      objects: byHand(namespace, testbed.metrics.server(namespace)),
    }),
    run: async ({ scenario, ends }) => {
      await ends(await scenario.release('6.14.1'), {
        ...UNTOUCHED,
        verdict: 'refused',
        reason: 'not-managed',
      });
    },
  },
  {
    key: 'canary-replaced',
    title: 'Canary replaced during the analysis',
    proven: 'nothing more is written; said what a person can do',
    run: async ({ scenario, ends, expect, namespace }) => {
      const running = await scenario.start({ inputs: { set: 'image=6.14.1' } });
      await scenario.waitForPhase('Progressing');
      await scenario.testbed.api.send({
        method: 'DELETE',
        path: `/apis/flagger.app/v1beta1/namespaces/${namespace}/canaries/podinfo`,
      });
      const run = await running.done;
      await scenario.patchFlux('kustomizations', {
        metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': new Date().toISOString() } },
      });
      await scenario.waitForPhase('Initialized');
      await ends(run, {
        commits: ['Release'],
        verdict: 'unknown',
        reason: 'canary-replaced',
        serves: '6.14.1',
        phase: 'Initialized',
        changed: ['apps/deployment.yaml'],
        replaced: true,
      });
      expect(run.outputs['result']).toContain('git revert');
    },
  },
];

async function notReady(scenario: Acting['scenario']): Promise<boolean> {
  const path = `/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/${scenario.namespace}/kustomizations/apps`;
  return JSON.stringify(await scenario.testbed.api.send({ path })).includes('BuildFailed');
}

/** The folder's objects as if somebody had applied them by hand. */
function byHand(namespace: string, server: string): readonly KubeObject[] {
  return Object.values(folder({ namespace, server }))
    .flatMap(text => readObjects(String(text)))
    .map(object => ({ ...object, metadata: { ...object.metadata, namespace } }));
}
