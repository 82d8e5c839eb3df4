import { readObjects } from '../../testbed/cluster-objects.ts';
import type { KubeObject } from '../../testbed/kube-api.ts';
import { parseRolloutFile } from '../../src/config/rollout-file.ts';
import { METRIC_PRESETS } from '../../src/flagger/metric-presets.ts';
import { checkProvider, PROVIDERS } from '../../src/flagger/provider-rules.ts';
import { ReleasePlanner } from '../../src/plan/planner.ts';
import type { FluxChain, Observation } from '../../src/rollout/observation.ts';
import { memoryFiles } from '../plan/memory-files.ts';
import { BUILDER } from '../plan/planning.ts';
import { workload } from './folder.ts';

/** What rollout.yaml says under `canary:`, and what is made of it. */
export interface Rendering {
  readonly name: string;
  readonly provider: string;
  readonly canary: Readonly<Record<string, unknown>>;
}

const STRATEGIES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  weighted: { stepWeight: 10, maxWeight: 50 },
  'step weights': { stepWeights: [1, 5, 20, 80], stepWeightPromotion: 50 },
  header: { iterations: 3, match: [{ headers: { 'x-canary': { exact: 'insider' } } }] },
  cookie: { iterations: 3, match: [{ headers: { cookie: { exact: 'canary' } } }] },
  'query parameter': { iterations: 3, match: [{ queryParams: { canary: { exact: 'yes' } } }] },
  'source label': { iterations: 3, match: [{ sourceLabels: { app: 'tester' } }] },
  'blue/green': { iterations: 3 },
  mirroring: { iterations: 3, mirror: true, mirrorWeight: 50 },
  'session affinity': {
    stepWeight: 10,
    maxWeight: 50,
    sessionAffinity: { cookieName: 'flagger', maxAge: 3600 },
  },
};

/** What the providers ask for beside the strategy. */
const AROUND: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  nginx: { ingressRef: { name: 'podinfo' } },
  skipper: { ingressRef: { name: 'podinfo' } },
  apisix: { routeRef: { apiVersion: 'apisix.apache.org/v2', kind: 'ApisixRoute', name: 'podinfo' } },
  gloo: { upstreamRef: { apiVersion: 'gloo.solo.io/v1', kind: 'Upstream', name: 'podinfo' } },
  istio: { service: { port: 80, targetPort: 'http', gateways: ['mesh'], hosts: ['app.example.com'] } },
  appmesh: { service: { port: 80, targetPort: 'http', meshName: 'global' } },
};

const SOURCES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  prometheus: { address: 'http://prometheus:9090' },
  influxdb: { address: 'http://influxdb:8086', secretRef: 'influxdb' },
  datadog: { address: 'https://api.datadoghq.com', secretRef: 'datadog' },
  newrelic: { secretRef: 'newrelic' },
  cloudwatch: { region: 'eu-central-1' },
  stackdriver: { secretRef: 'stackdriver' },
  graphite: { address: 'http://graphite', secretRef: 'graphite' },
  dynatrace: { address: 'https://x.live.dynatrace.com', secretRef: 'dynatrace' },
  keptn: {},
  splunk: { address: 'https://api.eu0.signalfx.com', secretRef: 'splunk' },
  externalmetrics: { address: 'https://external-metrics', secretRef: 'external' },
};

const ALERTS = ['slack', 'msteams', 'discord', 'rocket', 'gchat'];
const TESTER = 'http://flagger-loadtester.test';

function canaryOf(provider: string, analysis: Readonly<Record<string, unknown>>, more: object = {}) {
  const gatewayRefs = provider.startsWith('gatewayapi')
    ? { gatewayRefs: [{ group: 'core', kind: 'Service', name: 'podinfo', namespace: 'rendered', port: 80 }] }
    : {};
  return {
    provider,
    service: { port: 80, targetPort: 'http', ...gatewayRefs },
    ...AROUND[provider],
    analysis: { interval: '10s', threshold: 2, ...analysis },
    ...more,
  };
}

/** Every provider with every strategy that it has. */
function strategies(): readonly Rendering[] {
  return Object.keys(PROVIDERS)
    .filter(provider => provider !== 'knative')
    .flatMap(provider =>
      Object.entries(STRATEGIES).map(([strategy, analysis]) => ({
        name: `${provider}, ${strategy}`,
        provider,
        canary: canaryOf(provider, analysis),
      })),
    )
    .filter(({ canary }) => checkProvider(canary).length === 0);
}

const metric = (fields: Readonly<Record<string, unknown>>) => ({ metrics: [{ min: 99, ...fields }] });
const weights = STRATEGIES['weighted'] ?? {};

/** Every combination that is looked at: strategies, then metric sources, presets, alerts and webhooks on one of them. */
export const RENDERINGS: readonly Rendering[] = [
  ...strategies(),
  ...Object.entries(SOURCES).map(([type, provider]) => ({
    name: `metric of ${type}`,
    provider: 'nginx',
    canary: canaryOf('nginx', weights, metric({ name: 'own', query: 'up', provider: { type, ...provider } })),
  })),
  ...Object.keys(METRIC_PRESETS).map(preset => ({
    name: `ready-made query ${preset}`,
    provider: 'nginx',
    canary: canaryOf(
      'nginx',
      weights,
      metric({ name: preset, preset, provider: { address: 'http://prometheus:9090' } }),
    ),
  })),
  ...['request-success-rate', 'request-duration'].map(name => ({
    name: `builtin ${name}`,
    provider: 'nginx',
    canary: canaryOf('nginx', weights, metric({ name })),
  })),
  ...ALERTS.map(type => ({
    name: `alert to ${type}`,
    provider: 'nginx',
    canary: canaryOf('nginx', weights, {
      alerts: [{ type, channel: 'deploys', username: 'flagger', secretRef: type, severity: 'warn' }],
    }),
  })),
  {
    name: 'all webhooks in short form, and one whole',
    provider: 'nginx',
    canary: canaryOf('nginx', weights, {
      webhooks: [
        { gate: 'confirm-rollout', tester: TESTER },
        { test: 'curl -sf http://podinfo-canary/healthz', tester: TESTER },
        { load: 'hey -z 1m http://podinfo-canary', tester: TESTER },
        { gate: 'confirm-traffic-increase', tester: TESTER },
        { gate: 'confirm-promotion', tester: TESTER },
        { gate: 'rollback', tester: TESTER },
        { name: 'after', type: 'post-rollout', url: 'http://chat/', metadata: { room: 'deploys' } },
        { name: 'events', type: 'event', url: 'http://chat/' },
      ],
    }),
  },
  {
    name: 'anything else of Canary.spec',
    provider: 'nginx',
    canary: canaryOf('nginx', weights, {
      metricsServer: 'http://prometheus:9090',
      progressDeadlineSeconds: 60,
      skipAnalysis: false,
      revertOnDeletion: true,
      autoscalerRef: { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', name: 'podinfo' },
      service: {
        port: 80,
        targetPort: 'http',
        retries: { attempts: 3 },
        headers: {},
        apex: { labels: { a: 'b' } },
      },
    }),
  },
];

const CHAIN: FluxChain = {
  source: {
    kind: 'GitRepository',
    namespace: 'rendered',
    name: 'fleet',
    url: '',
    branch: 'main',
    suspended: false,
    intervalMs: 60_000,
    verifies: false,
  },
  links: [],
  kustomizations: [
    {
      namespace: 'rendered',
      name: 'apps',
      path: 'apps',
      suspended: false,
      observedGeneration: 1,
      generation: 1,
      intervalMs: 60_000,
      waits: false,
      targetNamespace: 'rendered',
    },
  ],
};

/** The objects that an adoption would commit beside podinfo's Deployment. */
export async function render({ canary }: Rendering): Promise<readonly KubeObject[]> {
  const rollout = {
    target: ['rendered/podinfo'],
    change: [{ image: 'ghcr.io/stefanprodan/podinfo', value: '6.14.1' }],
    canary: { 'rendered/podinfo': canary },
  };
  const parsed = parseRolloutFile(JSON.stringify(rollout), { file: 'rollout.yaml', set: [] });
  if ('problems' in parsed) throw new Error(parsed.problems.map(({ message }) => message).join('\n'));
  const planner = new ReleasePlanner({
    rollout: parsed.rollout,
    sourceSha: 'a'.repeat(40),
    builder: BUILDER,
  });
  const observation: Observation = {
    source: 'read',
    at: 0,
    targets: { 'rendered/podinfo': { replicaSets: [], events: [] } },
    objects: {},
  };
  const plan = await planner.plan({
    files: memoryFiles({ 'apps/deployment.yaml': workload() }),
    chains: { 'rendered/podinfo': CHAIN },
    observation,
    rolloutId: 'podinfo-1',
  });
  return plan.adoption.flatMap(({ text }) => readObjects(text));
}
