import { z } from 'zod';
import type { Testbed } from '../../testbed/start.ts';
import { CHART_LAYER, helmFolder, pushChart } from './chart.ts';
import { type Fields, folder, yaml } from './folder.ts';
import { type ListedScenario, settles } from './listed-scenario.ts';
import { FLEET, rolloutOf } from './scenario.ts';

/** Where what is released comes from: charts of a registry, trees with files left out, tenants with the same names. */

const HELM_API = 'apis/helm.toolkit.fluxcd.io/v2';
const VALUES = { image: { repository: 'ghcr.io/stefanprodan/podinfo', tag: '6.14.0' } };

const releaseSchema = z.object({
  status: z.object({
    lastAttemptedRevisionDigest: z.string(),
    history: z.array(z.object({ ociDigest: z.string() })),
  }),
});
const envSchema = z.object({
  spec: z.object({
    template: z.object({
      spec: z.object({
        containers: z.array(z.object({ env: z.array(z.object({ name: z.string(), value: z.string() })) })),
      }),
    }),
  }),
});

/** The chart's versions are pushed under a name of this namespace, so that scenarios share nothing. */
function chartFolder(testbed: Testbed, namespace: string, ref: Fields) {
  const oci = {
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'OCIRepository',
    metadata: { name: 'podinfo' },
    spec: {
      url: `oci://${testbed.registry}/${namespace}/podinfo`,
      insecure: true,
      interval: '10m',
      layerSelector: { mediaType: CHART_LAYER, operation: 'copy' },
      ref,
    },
  };
  const spec = { chart: undefined, chartRef: { kind: 'OCIRepository', name: 'podinfo' }, values: VALUES };
  return { ...helmFolder(spec), 'apps/chart.yaml': yaml(oci) };
}

const rolloutOfChart = (namespace: string): string =>
  `gitops: {repository: ${FLEET}}\ntarget: [${namespace}/podinfo]\nchange: [{chart: podinfo}]\n`;

const PROMOTED = {
  verdict: 'promoted',
  reason: 'analysed',
  commits: ['Release'],
  phase: 'Succeeded',
} as const;

const kustomization = (name: string, namespace: string, more: Fields): Fields => ({
  apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
  kind: 'Kustomization',
  metadata: { name, namespace },
  spec: { interval: '1m', prune: true, ...more },
});

export const SOURCES: readonly ListedScenario[] = [
  {
    key: 'oci-chart-tag',
    title: 'Helm: a chart of an OCI registry, by `chartRef` and a tag',
    proven: 'the tag of the OCIRepository’s manifest, and the digest that Helm installed',
    options: async ({ namespace, testbed }) => {
      for (const version of ['1.0.0', '1.1.0'])
        await pushChart(testbed.registry, `${namespace}/podinfo`, version);
      return { files: chartFolder(testbed, namespace, { tag: '1.0.0' }), rollout: rolloutOfChart(namespace) };
    },
    run: async ({ scenario, testbed, namespace, ends, expect }) => {
      const run = await scenario.release('', { inputs: { set: 'chart=1.1.0' } });
      await ends(run, { ...PROMOTED, changed: ['apps/chart.yaml', 'apps/release.yaml'], serves: '6.14.0' });
      const digest = await pushChart(testbed.registry, `${namespace}/podinfo`, '1.1.0');
      const release = await scenario.object(HELM_API, 'helmreleases', 'podinfo', releaseSchema);
      expect(release?.status.lastAttemptedRevisionDigest).toBe(digest);
      expect(release?.status.history[0]?.ociDigest).toBe(digest);
      const primary = await scenario.object('apis/apps/v1', 'deployments', 'podinfo-primary', envSchema);
      const [version] = primary?.spec.template.spec.containers[0]?.env ?? [];
      expect(version?.value).toMatch(/^1\.1\.0/);
    },
  },
  {
    key: 'oci-chart-digest',
    title: 'the same by a digest, failing',
    proven: 'the digest of before restored byte for byte, and installed again',
    options: async ({ namespace, testbed }) => {
      const digest = await pushChart(testbed.registry, `${namespace}/podinfo`, '1.0.0');
      return { files: chartFolder(testbed, namespace, { digest }), rollout: rolloutOfChart(namespace) };
    },
    run: async acting => {
      const { scenario, testbed, namespace, ends, expect } = acting;
      await scenario.metric(90);
      const before = await pushChart(testbed.registry, `${namespace}/podinfo`, '1.0.0');
      const digest = await pushChart(testbed.registry, `${namespace}/podinfo`, '1.1.0');
      const run = await scenario.release('', { inputs: { set: `chart=${digest}` } });
      await settles(acting, '6.14.0');
      await ends(run, {
        verdict: 'rolled-back',
        reason: 'metric-out-of-range',
        commits: ['Revert', 'Release'],
        serves: '6.14.0',
        phase: 'Failed',
      });
      const release = await scenario.object(HELM_API, 'helmreleases', 'podinfo', releaseSchema);
      expect(release?.status.history[0]?.ociDigest).toBe(before);
    },
  },
  {
    key: 'two-tenants',
    title: 'two tenants with Kustomizations of one name, each with its own tag',
    proven:
      'the manifest of the right one was edited, value and id in one apply; the other team’s pods were left alone',
    options: ({ namespace, testbed }) => {
      const other = `${namespace}-other`;
      const tenant = (into: string, path: string): Fields =>
        kustomization('team', into, {
          path,
          sourceRef: { kind: 'GitRepository', name: 'fleet', namespace },
          targetNamespace: into,
          images: [{ name: 'ghcr.io/stefanprodan/podinfo', newTag: '6.14.0' }],
        });
      const team = folder({ namespace, server: testbed.metrics.server(namespace) });
      const moved = Object.entries(team).map(([path, text]) => [path.replace('apps/', 'tenants/one/'), text]);
      return {
        objects: [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: other } }],
        path: './clusters',
        kustomization: { targetNamespace: undefined },
        files: {
          ...Object.fromEntries(Object.keys(team).map(path => [path, null])),
          ...Object.fromEntries(moved),
          'tenants/other/deployment.yaml': team['apps/deployment.yaml'] ?? '',
          'clusters/a-other.yaml': yaml(tenant(other, './tenants/other')),
          'clusters/b-one.yaml': yaml(tenant(namespace, './tenants/one')),
        },
        rollout: rolloutOf(namespace),
      };
    },
    run: async ({ scenario, ends, expect, namespace, testbed }) => {
      const run = await scenario.release('6.14.1');
      await ends(run, { ...PROMOTED, changed: ['clusters/b-one.yaml'], serves: '6.14.1' });
      const path = `/apis/apps/v1/namespaces/${namespace}-other/deployments/podinfo`;
      const other = JSON.stringify(await testbed.api.send({ path }));
      expect(other).toContain('podinfo:6.14.0');
      const id = (await scenario.template('podinfo')).id ?? '';
      expect(id).not.toBe('');
      expect(other).not.toContain(id);
    },
  },
  {
    key: 'source-ignored',
    title: 'a tree in which `.sourceignore` leaves templates and a copy out',
    proven: 'what is not in Flux’s artifact is neither read nor counted',
    options: ({ namespace }) => ({
      files: {
        '.sourceignore': 'charts/\n/apps/old/\n',
        'apps/charts/t.yaml': '{{- if .Values.x }}\na: {{ .y }}\n{{- end }}\n',
        'apps/old/deployment.yaml':
          'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: podinfo}\nspec: {template: {spec: {containers: []}}}\n',
      },
      rollout: rolloutOf(namespace),
    }),
    run: async ({ scenario, ends }) => {
      await ends(await scenario.release('6.14.1'), { ...PROMOTED, serves: '6.14.1' });
    },
  },
];
