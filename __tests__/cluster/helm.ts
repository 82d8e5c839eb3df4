import { z } from 'zod';
import { helmFolder, serveCharts } from './chart.ts';
import { type Fields, ingress, metricTemplate, yaml } from './folder.ts';
import { type ListedScenario, settles } from './listed-scenario.ts';
import { FLEET, rolloutOf } from './scenario.ts';

/** Helm-controller renders the target; the HelmRelease lies between the Kustomization and it. */

const HELM_API = '/apis/helm.toolkit.fluxcd.io/v2';
const VALUES = { image: { repository: 'ghcr.io/stefanprodan/podinfo', tag: '6.14.0' } };
const UNTOUCHED = { commits: [], serves: '6.14.0', phase: 'Initialized' } as const;

const VALUES_FILE: Fields = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'podinfo-values' },
  data: { 'values.yaml': 'image:\n  repository: ghcr.io/stefanprodan/podinfo\n  tag: 6.14.0\n' },
};

const envSchema = z.object({
  spec: z.object({
    template: z.object({
      spec: z.object({
        containers: z.array(z.object({ env: z.array(z.object({ name: z.string(), value: z.string() })) })),
      }),
    }),
  }),
});

export const HELM: readonly ListedScenario[] = [
  {
    key: 'helm-values',
    title: 'Helm: an image in the values of a HelmRelease',
    proven: 'the id by a postRenderer that is added once and renewed in place',
    options: () => ({ files: helmFolder({ values: VALUES }) }),
    run: async ({ scenario, ends, expect }) => {
      const promoted = { verdict: 'promoted', reason: 'analysed', changed: ['apps/release.yaml'] } as const;
      const first = await scenario.release('6.14.1');
      await ends(first, { ...promoted, commits: ['Release'], serves: '6.14.1', phase: 'Succeeded' });
      const { id } = await scenario.template('podinfo-primary');
      expect(await scenario.file('apps/release.yaml')).toContain(`gated-rollout/id: ${id}`);
      const second = await scenario.release('6.14.2');
      await ends(second, {
        ...promoted,
        commits: ['Release', 'Release'],
        serves: '6.14.2',
        phase: 'Succeeded',
      });
      expect((await scenario.file('apps/release.yaml'))?.match(/gated-rollout\/id/g)).toHaveLength(1);
    },
  },
  {
    key: 'helm-metric-below',
    title: 'Helm: a metric below its range',
    proven: 'the values restored byte for byte; target and primary back',
    options: () => ({ files: helmFolder({ values: VALUES }) }),
    run: async ({ scenario, ends }) => {
      await scenario.metric(90);
      await ends(await scenario.release('6.14.1'), {
        verdict: 'rolled-back',
        reason: 'metric-out-of-range',
        commits: ['Revert', 'Release'],
        serves: '6.14.0',
        phase: 'Failed',
      });
    },
  },
  {
    key: 'helm-config-map',
    title: 'Helm: an image in values from a ConfigMap',
    proven: 'the ConfigMap is edited where its text has the value',
    options: () => ({
      files: helmFolder({ valuesFrom: [{ kind: 'ConfigMap', name: 'podinfo-values' }] }, [VALUES_FILE]),
    }),
    run: async ({ scenario, ends }) => {
      await ends(await scenario.release('6.14.1'), {
        verdict: 'promoted',
        reason: 'analysed',
        commits: ['Release'],
        changed: ['apps/release.yaml', 'apps/values.yaml'],
        serves: '6.14.1',
        phase: 'Succeeded',
      });
    },
  },
  {
    key: 'helm-chart',
    title: 'Helm: the version of a chart, the id by a value',
    proven: 'the version that Helm attempted, and what the new chart renders',
    options: async ({ namespace }) => ({
      files: helmFolder({
        chart: {
          spec: { chart: 'podinfo', version: '1.0.0', sourceRef: { kind: 'HelmRepository', name: 'charts' } },
        },
        values: VALUES,
      }),
      objects: [
        {
          apiVersion: 'source.toolkit.fluxcd.io/v1',
          kind: 'HelmRepository',
          metadata: { name: 'charts', namespace },
          spec: { url: await serveCharts(['1.0.0', '1.1.0']), interval: '10m' },
        },
      ],
      rollout: `gitops: {repository: ${FLEET}}\ntarget: [${namespace}/podinfo]\nchange: [{chart: podinfo}]\nid-path: podAnnotations\n`,
    }),
    run: async ({ scenario, ends, expect }) => {
      const run = await scenario.release('', { inputs: { set: 'chart=1.1.0' } });
      await ends(run, {
        verdict: 'promoted',
        reason: 'analysed',
        commits: ['Release'],
        changed: ['apps/release.yaml'],
        serves: '6.14.0',
        phase: 'Succeeded',
      });
      expect(await scenario.file('apps/release.yaml')).not.toContain('postRenderers');
      const primary = await scenario.object('apis/apps/v1', 'deployments', 'podinfo-primary', envSchema);
      expect(primary?.spec.template.spec.containers[0]?.env).toEqual([{ name: 'CHART', value: '1.1.0' }]);
    },
  },
  {
    key: 'helm-takes-back',
    title: 'Helm: it takes a failed upgrade back on its own',
    proven: 'not superseded: recognised, Git reverted, and Flagger’s analysis ended',
    options: ({ namespace }) => ({
      files: helmFolder({
        timeout: '25s',
        upgrade: { remediation: { remediateLastFailure: true } },
        values: { ...VALUES, worker: { tag: '1.0.0' } },
      }),
      rollout: rolloutOf(namespace).replace(
        'change: [',
        'change: [{at: {file: apps/release.yaml, object: HelmRelease/podinfo, path: spec.values.worker.tag}, name: worker}, ',
      ),
    }),
    run: async acting => {
      const { scenario, ends, expect } = acting;
      const run = await scenario.release('', {
        inputs: { set: 'image=6.14.1\nworker=1.0.1-never-ready' },
      });
      await settles(acting, '6.14.0');
      await ends(run, {
        verdict: 'rolled-back',
        reason: 'helm-rolled-back',
        commits: ['Revert', 'Release'],
        changed: ['apps/release.yaml'],
        serves: '6.14.0',
        phase: 'Succeeded',
      });
      expect(run.log.text).toContain('takes failed upgrades back by itself');
      expect(await scenario.file('apps/release.yaml')).toContain('tag: 1.0.0\n');
    },
  },
  {
    key: 'helm-broken',
    title: 'Helm: an upgrade that cannot be rendered',
    proven: 'never applied, in Helm’s words; reverted before any pod changed',
    options: ({ namespace }) => ({
      files: helmFolder({ values: { ...VALUES, worker: { tag: '1.0.0' } } }),
      rollout: rolloutOf(namespace).replace(
        'change: [',
        'change: [{at: {file: apps/release.yaml, object: HelmRelease/podinfo, path: spec.values.worker.tag}, name: worker}, ',
      ),
    }),
    run: async acting => {
      const { scenario, ends, expect } = acting;
      // A quote ends the string in the chart's template.
      const run = await scenario.release('', { inputs: { set: 'image=6.14.1\nworker=1.0.1" : {' } });
      await settles(acting, '6.14.0');
      await ends(run, {
        verdict: 'not-applied',
        reason: 'reconciliation-failed',
        commits: ['Revert', 'Release'],
        changed: ['apps/release.yaml'],
        serves: '6.14.0',
        phase: 'Succeeded',
      });
      expect(run.outputs['result']).toContain('UpgradeFailed');
    },
  },
  {
    key: 'helm-adopted',
    title: 'Helm: a Canary for a target that had none',
    proven: 'added beside the HelmRelease by a commit of its own, then the release',
    options: ({ namespace, testbed }) => ({
      files: {
        ...helmFolder({ values: VALUES }),
        'apps/canary.yaml': yaml(
          ingress('podinfo'),
          metricTemplate({ name: 'podinfo', namespace, server: testbed.metrics.server(namespace) }),
        ),
      },
      initialized: false,
      rollout: rolloutOf(
        namespace,
        `canary:
  ${namespace}/podinfo:
    provider: nginx
    ingressRef: {name: podinfo}
    service: {targetPort: http}
    analysis: {interval: 10s, threshold: 2, stepWeight: 50, maxWeight: 50}
    metrics: [{name: success, min: 99, interval: 10s, templateRef: {name: podinfo-success}}]
`,
      ),
    }),
    run: async ({ scenario, ends }) => {
      await scenario.waitUntil('Deployment', async () => (await scenario.template('podinfo')).image !== '');
      await ends(await scenario.release('6.14.1'), {
        verdict: 'promoted',
        reason: 'analysed',
        commits: ['Release', 'Adopt'],
        changed: ['apps/podinfo-canary.yaml', 'apps/release.yaml'],
        serves: '6.14.1',
        phase: 'Succeeded',
      });
    },
  },
  {
    key: 'helm-suspended',
    title: 'Helm: the HelmRelease is suspended',
    proven: 'nothing written; how to resume it is said',
    options: () => ({ files: helmFolder({ values: VALUES }) }),
    run: async ({ scenario, ends, expect, namespace }) => {
      const path = `${HELM_API}/namespaces/${namespace}/helmreleases/podinfo`;
      await scenario.patch(path, { spec: { suspend: true } });
      const run = await scenario.release('6.14.1');
      await ends(run, { ...UNTOUCHED, verdict: 'refused', reason: 'helm-release-suspended' });
      expect(run.outputs['result']).toContain('flux resume helmrelease podinfo');
    },
  },
];
