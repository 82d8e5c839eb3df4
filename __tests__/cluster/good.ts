import { networkInterfaces } from 'node:os';
import { z } from 'zod';
import { type CanaryOptions, folder, workload, yaml } from './folder.ts';
import type { Acting, ListedScenario } from './listed-scenario.ts';
import { FLEET, rolloutOf, SOURCE } from './scenario.ts';

/** An endpoint may not be a loopback address. */
function outerAddress(): string | undefined {
  return Object.values(networkInterfaces())
    .flatMap(each => each ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
}

/** Flagger, which runs beside the cluster, as a Service with a pod in it; does nothing without an address for it. */
async function serveFlagger({ testbed, namespace }: Acting): Promise<void> {
  const port = Number(new URL(testbed.flaggerUrl).port);
  const ip = outerAddress();
  const metadata = { name: 'flagger', namespace };
  const ports = [{ name: 'http', port: 8080, targetPort: port }];
  await testbed.api.apply({ apiVersion: 'v1', kind: 'Service', metadata, spec: { ports } });
  if (ip === undefined) return;
  // The API server's proxy goes to pods only; kwok leaves this one alone, so that its address is ours to say.
  const containers = [{ name: 'flagger', image: 'flagger:0-never-ready' }];
  await testbed.api.apply({ apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers } });
  await testbed.api.send({
    method: 'PATCH',
    path: `/api/v1/namespaces/${namespace}/pods/flagger/status`,
    contentType: 'application/merge-patch+json',
    body: { status: { podIP: ip, podIPs: [{ ip }] } },
  });
  const targetRef = { kind: 'Pod', name: 'flagger', namespace };
  await testbed.api.apply({
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata,
    subsets: [{ addresses: [{ ip, targetRef }], ports: [{ name: 'http', port }] }],
  });
}

const RELEASED = { commits: ['Release'], serves: '6.14.1', phase: 'Succeeded' } as const;

/** Releases 6.14.1 and expects it to be promoted. */
async function promotes({ scenario, ends }: Acting): Promise<void> {
  await ends(await scenario.release('6.14.1'), { verdict: 'promoted', reason: 'analysed', ...RELEASED });
}

const backendsSchema = z.object({
  spec: z.object({
    rules: z.array(z.object({ backendRefs: z.array(z.object({ name: z.string(), weight: z.number() })) })),
  }),
});
const splitSchema = z.object({
  spec: z.object({ backends: z.array(z.object({ service: z.string(), weight: z.coerce.number() })) }),
});
const annotatedSchema = z.object({
  metadata: z.object({ annotations: z.record(z.string(), z.string()).default({}) }),
});

async function ingressAnnotations({ scenario }: Acting): Promise<Readonly<Record<string, string>>> {
  const found = await scenario.object(
    'apis/networking.k8s.io/v1',
    'ingresses',
    'podinfo-canary',
    annotatedSchema,
  );
  return found?.metadata.annotations ?? {};
}

export const GOOD: readonly ListedScenario[] = [
  {
    key: 'weighted-nginx',
    title: 'weighted NGINX, then unchanged, then the same image again',
    proven: 'a run that changes nothing commits nothing; `even-if-unchanged` analyses the same image anew',
    run: async acting => {
      const { scenario, ends } = acting;
      await promotes(acting);
      const first = (await scenario.template('podinfo-primary')).id;
      await ends(await scenario.release('6.14.1'), {
        ...RELEASED,
        verdict: 'unchanged',
        reason: 'already-running',
        changed: ['apps/deployment.yaml'],
      });
      const again = await scenario.release('6.14.1', { inputs: { 'even-if-unchanged': 'true' } });
      await ends(again, {
        ...RELEASED,
        verdict: 'promoted',
        reason: 'analysed',
        commits: ['Release', 'Release'],
      });
      acting.expect((await scenario.template('podinfo-primary')).id).not.toBe(first);
    },
  },
  {
    key: 'logo-released',
    title: 'a logo argument in a patch: header-based NGINX, then the same Canary weight-based for Linkerd',
    proven: 'the second release changed rollout.yaml only; the HTTPRoute moved 25 % of traffic',
    options: ({ namespace, testbed }) => ({
      canaries: [{ strategy: { iterations: 2, match: [{ headers: { 'x-canary': { exact: 'insider' } } }] } }],
      files: logoFolder(namespace, testbed.metrics.server(namespace)),
      rollout: logoRollout(namespace),
    }),
    run: async ({ scenario, ends, expect, namespace }) => {
      const released = { ...RELEASED, verdict: 'promoted', reason: 'analysed', serves: '6.14.0' } as const;
      const first = await scenario.start({ inputs: { set: 'ui-logo=https://example.com/a.png' } });
      await ends(await first.done, { ...released, changed: ['apps/deployment.yaml', 'apps/patch.yaml'] });
      scenario.rollout = logoRollout(
        namespace,
        `canary:
  ${namespace}/podinfo:
    provider: gatewayapi:v1
    service: {gatewayRefs: [{group: core, kind: Service, name: podinfo, namespace: ${namespace}, port: 80}]}
    analysis: {stepWeight: 25, maxWeight: 50}
`,
      );
      const second = await scenario.start({ inputs: { set: 'ui-logo=https://example.com/b.png' } });
      await scenario.waitUntil(
        '25 % through the HTTPRoute',
        async () => {
          const api = 'apis/gateway.networking.k8s.io/v1';
          const route = await scenario.object(api, 'httproutes', 'podinfo', backendsSchema);
          return route?.spec.rules[0]?.backendRefs.some(({ weight }) => weight === 25) === true;
        },
        90_000,
      );
      await ends(await second.done, {
        ...released,
        commits: ['Release', 'Release'],
        changed: ['apps/canary.yaml', 'apps/deployment.yaml', 'apps/patch.yaml'],
      });
      const patch = await scenario.file('apps/patch.yaml');
      expect(patch).toContain('# the logo that everybody sees');
      expect(patch).toContain('--ui-logo=https://example.com/b.png');
    },
  },
  {
    key: 'metric-values',
    title: 'metric values in the report, from Flagger’s own metrics through the API server',
    proven: 'the comment shows what Prometheus said: 99.9',
    options: () => ({ canaries: [{ strategy: { stepWeight: 10, maxWeight: 50 } }] }),
    run: async acting => {
      const { scenario, ends, expect, namespace } = acting;
      await serveFlagger(acting);
      await scenario.metric(99.9);
      const inputs = { 'flagger-metrics': `${namespace}/flagger:http` };
      const run = await scenario.release('6.14.1', { inputs });
      await ends(run, { verdict: 'promoted', reason: 'analysed', ...RELEASED });
      const [check] = scenario.github.checkRuns(SOURCE);
      // Without an address of its own that is not loopback, the machine lets nobody proxy to Flagger.
      const words = outerAddress() === undefined ? /⚪ success.*\| – \|/ : /✅ success.*\| 99\.9 /;
      expect(check?.output.summary).toMatch(words);
    },
  },
  {
    key: 'weighted-gateway-api',
    title: 'weighted Linkerd through Gateway API',
    proven: 'the HTTPRoute sends 25 % to the canary while it is analysed, all to the primary at the end',
    options: ({ namespace }) => ({
      canaries: [
        {
          provider: 'gatewayapi:v1',
          spec: {
            service: {
              port: 80,
              targetPort: 'http',
              gatewayRefs: [{ group: 'core', kind: 'Service', name: 'podinfo', namespace, port: 80 }],
            },
          },
        },
      ],
    }),
    run: async acting => {
      const { scenario, ends, expect } = acting;
      const weights = async () => {
        const api = 'apis/gateway.networking.k8s.io/v1';
        const route = await scenario.object(api, 'httproutes', 'podinfo', backendsSchema);
        return Object.fromEntries(
          route?.spec.rules[0]?.backendRefs.map(({ name, weight }) => [name, weight]) ?? [],
        );
      };
      const running = await scenario.start({ inputs: { set: 'image=6.14.1' } });
      await scenario.waitUntil('25 % on the canary', async () => (await weights())['podinfo-canary'] === 25);
      await ends(await running.done, { verdict: 'promoted', reason: 'analysed', ...RELEASED });
      expect(await weights()).toMatchObject({ 'podinfo-primary': 100 });
    },
  },
  {
    key: 'weighted-smi',
    title: 'weighted Linkerd through SMI (legacy)',
    proven: 'the TrafficSplit sends 25 % to the canary while it is analysed',
    options: () => ({ canaries: [{ provider: 'linkerd' }] }),
    run: async acting => {
      const { scenario, ends } = acting;
      const running = await scenario.start({ inputs: { set: 'image=6.14.1' } });
      await scenario.waitUntil('25 % on the canary', async () => {
        const split = await scenario.object(
          'apis/split.smi-spec.io/v1alpha1',
          'trafficsplits',
          'podinfo',
          splitSchema,
        );
        return (
          split?.spec.backends.some(
            ({ service, weight }) => service === 'podinfo-canary' && weight === 25,
          ) === true
        );
      });
      await ends(await running.done, { verdict: 'promoted', reason: 'analysed', ...RELEASED });
    },
  },
  {
    key: 'header-nginx',
    title: 'header A/B, NGINX',
    proven: 'the canary Ingress routes by header while it is analysed',
    options: () => ({
      canaries: [{ strategy: { iterations: 2, match: [{ headers: { 'x-canary': { exact: 'insider' } } }] } }],
    }),
    run: async acting => {
      const running = await acting.scenario.start({ inputs: { set: 'image=6.14.1' } });
      const header = 'nginx.ingress.kubernetes.io/canary-by-header';
      await acting.scenario.waitUntil(
        'routing by header',
        async () => (await ingressAnnotations(acting))[header] === 'x-canary',
      );
      await acting.ends(await running.done, { verdict: 'promoted', reason: 'analysed', ...RELEASED });
    },
  },
  {
    key: 'cookie-nginx',
    title: 'cookie A/B, NGINX',
    proven: 'the canary Ingress routes by cookie while it is analysed',
    options: () => ({
      canaries: [{ strategy: { iterations: 2, match: [{ headers: { cookie: { exact: 'canary' } } }] } }],
    }),
    run: async acting => {
      const running = await acting.scenario.start({ inputs: { set: 'image=6.14.1' } });
      const cookie = 'nginx.ingress.kubernetes.io/canary-by-cookie';
      await acting.scenario.waitUntil(
        'routing by cookie',
        async () => (await ingressAnnotations(acting))[cookie] === 'canary',
      );
      await acting.ends(await running.done, { verdict: 'promoted', reason: 'analysed', ...RELEASED });
    },
  },
  {
    key: 'blue-green',
    title: 'blue/green without a mesh',
    proven: 'two iterations without traffic, then promotion',
    options: () => ({ canaries: [{ provider: 'kubernetes', strategy: { iterations: 2 } }] }),
    run: promotes,
  },
  {
    key: 'adoption',
    title: 'adoption of a folder without a Canary, then its release',
    proven: 'two commits: the Canary alone first, so that nothing goes out unanalysed',
    options: ({ namespace, testbed }) => ({
      files: { 'apps/canary.yaml': adoptedFolder(namespace, testbed.metrics.server(namespace)) },
      rollout: rolloutOf(
        namespace,
        `canary:
  ${namespace}/podinfo:
    provider: nginx
    ingressRef: {name: podinfo}
    service: {port: 80, targetPort: http}
    analysis: {interval: 10s, threshold: 2, stepWeight: 50, maxWeight: 50}
    metrics: [{name: success, min: 99, interval: 10s, templateRef: {name: podinfo-success}}]
`,
      ),
      initialized: false,
    }),
    run: async ({ scenario, ends }) => {
      await scenario.waitUntil(
        'podinfo',
        async () => (await scenario.template('podinfo')).image === '6.14.0',
      );
      await ends(await scenario.release('6.14.1'), {
        ...RELEASED,
        verdict: 'promoted',
        reason: 'analysed',
        commits: ['Release', 'Adopt'],
        changed: ['apps/deployment.yaml', 'apps/podinfo-canary.yaml'],
      });
    },
  },
  {
    key: 'hpa',
    title: 'target with a HorizontalPodAutoscaler',
    proven: 'Flagger’s copy for the primary is left alone',
    options: () => ({
      canaries: [
        {
          spec: {
            autoscalerRef: { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', name: 'podinfo' },
          },
        },
      ],
      files: {
        'apps/hpa.yaml': yaml({
          apiVersion: 'autoscaling/v2',
          kind: 'HorizontalPodAutoscaler',
          metadata: { name: 'podinfo' },
          spec: {
            scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'podinfo' },
            minReplicas: 2,
            maxReplicas: 4,
            metrics: [
              {
                type: 'Resource',
                resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } },
              },
            ],
          },
        }),
      },
    }),
    run: async acting => {
      await promotes(acting);
      const primary = await acting.scenario.object(
        'apis/autoscaling/v2',
        'horizontalpodautoscalers',
        'podinfo-primary',
        z.object({ spec: z.object({ minReplicas: z.number() }) }),
      );
      acting.expect(primary?.spec.minReplicas).toBe(2);
    },
  },
  {
    key: 'daemonset',
    title: 'DaemonSet target',
    proven: 'the same chain without ReplicaSets',
    options: ({ namespace }) => ({
      canaries: [{ kind: 'DaemonSet' }],
      rollout: rolloutOf(namespace).replace(`${namespace}/podinfo`, `DaemonSet ${namespace}/podinfo`),
    }),
    run: async ({ scenario, ends }) => {
      await ends(await scenario.release('6.14.1'), {
        ...RELEASED,
        verdict: 'promoted',
        reason: 'analysed',
        workloads: 'daemonsets',
      });
    },
  },
  {
    key: 'skip-analysis',
    title: 'skipAnalysis',
    proven: 'promoted, and said not to be analysed',
    options: () => ({ canaries: [{ spec: { skipAnalysis: true } }] }),
    run: async ({ scenario, ends }) => {
      await ends(await scenario.release('6.14.1'), {
        ...RELEASED,
        verdict: 'promoted',
        reason: 'not-analysed',
      });
    },
  },
  {
    key: 'wait-true',
    title: 'Kustomization with `wait: true`',
    proven: 'followed though the applied revision lags behind',
    options: () => ({ kustomization: { wait: true, timeout: '1m' } }),
    run: promotes,
  },
  {
    key: 'unhealthy-neighbour',
    title: '`wait: true`, with an unrelated unhealthy object',
    proven: 'the Kustomization is not Ready all along; the release goes its way',
    options: () => ({
      kustomization: { wait: true, timeout: '20s' },
      files: {
        'apps/neighbour.yaml': workload({ name: 'neighbour', tag: '6.14.0-never-ready' }),
      },
    }),
    run: promotes,
  },
  {
    key: 'prefixed',
    title: 'name prefix and namespace set by kustomize',
    proven: 'the file is found from the live name',
    options: ({ namespace, testbed }) => ({
      canaries: [],
      files: prefixedFolder(namespace, testbed.metrics.server(namespace)),
      rollout: rolloutOf(namespace).replace(`${namespace}/podinfo`, `${namespace}/shop-podinfo`),
    }),
    run: async ({ scenario, ends }) => {
      scenario.setMetric(100);
      await scenario.waitForPhase('Initialized', 'shop-podinfo');
      await ends(await scenario.release('6.14.1'), {
        ...RELEASED,
        verdict: 'promoted',
        reason: 'analysed',
        canary: 'shop-podinfo',
      });
    },
  },
  {
    key: 'nested',
    title: 'a Kustomization under a Kustomization',
    proven: 'the inner one, which applies the target, is traced and followed',
    options: ({ namespace }) => ({
      path: './cluster',
      kustomization: { targetNamespace: undefined },
      files: {
        'cluster/inner.yaml': yaml({
          apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
          kind: 'Kustomization',
          metadata: { name: 'inner', namespace },
          spec: {
            sourceRef: { kind: 'GitRepository', name: 'fleet' },
            path: './apps',
            prune: true,
            interval: '1m',
            targetNamespace: namespace,
          },
        }),
      },
    }),
    run: promotes,
  },
  {
    key: 'flux-images',
    title: 'image set by `spec.images` of the Flux Kustomization itself',
    proven: 'the Kustomization’s manifest was edited, applied by its parent, and the value arrived',
    options: ({ namespace }) => ({
      path: './cluster',
      kustomization: { targetNamespace: undefined },
      files: {
        'cluster/inner.yaml': `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: inner, namespace: ${namespace}}
spec:
  sourceRef: {kind: GitRepository, name: fleet}
  path: ./apps
  prune: true
  interval: 1m
  targetNamespace: ${namespace}
  images:
  - name: ghcr.io/stefanprodan/podinfo
    newTag: 6.14.0 # what runs here
`,
      },
    }),
    run: async ({ scenario, ends, expect }) => {
      await ends(await scenario.release('6.14.1'), {
        ...RELEASED,
        verdict: 'promoted',
        reason: 'analysed',
        changed: ['cluster/inner.yaml'],
      });
      expect(await scenario.file('cluster/inner.yaml')).toContain('newTag: 6.14.1 # what runs here');
    },
  },
  {
    key: 'gates',
    title: 'confirm-rollout and confirm-promotion gates, opened after a while',
    proven: 'Waiting and WaitingPromotion are waited out; Flagger’s load tester answers for the gates',
    options: ({ testbed }) => ({
      canaries: [
        {
          webhooks: ['confirm-rollout', 'confirm-promotion'].map(type => ({
            name: type,
            type,
            url: `${testbed.loadtesterUrl}/gate/check`,
          })),
        },
      ],
    }),
    run: async ({ scenario, ends, testbed, namespace }) => {
      const gate = (what: 'open' | 'close') =>
        fetch(`${testbed.loadtesterUrl}/gate/${what}`, {
          method: 'POST',
          body: JSON.stringify({ name: 'podinfo', namespace }),
        });
      const running = await scenario.start({ inputs: { set: 'image=6.14.1' } });
      await scenario.waitForPhase('Waiting');
      await gate('open');
      await scenario.waitForPhase('Progressing');
      await gate('close');
      await scenario.waitForPhase('WaitingPromotion');
      await gate('open');
      await ends(await running.done, { verdict: 'promoted', reason: 'analysed', ...RELEASED });
    },
  },
  {
    key: 'others-commit',
    title: 'unrelated commits of others during the analysis',
    proven: 'Flux attempts newer revisions that contain ours',
    run: async ({ scenario, ends, expect }) => {
      const running = await scenario.start({ inputs: { set: 'image=6.14.1' } });
      await scenario.waitForPhase('Progressing');
      await scenario.push({ 'docs/notes.md': 'notes' }, 'Write notes');
      await scenario.push(
        { 'apps/other.yaml': yaml({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'other' } }) },
        'Add another object',
      );
      await ends(await running.done, {
        ...RELEASED,
        verdict: 'promoted',
        reason: 'analysed',
        commits: ['Add', 'Write', 'Release'],
        changed: ['apps/deployment.yaml', 'apps/other.yaml', 'docs/notes.md'],
      });
      expect((await scenario.github.log(FLEET))[0]?.title).toBe('Add another object');
    },
  },
  {
    key: 'barrier',
    title: 'two canaries behind the barrier',
    proven:
      'the faster one waits in WaitingPromotion; a second commit opens for both; the Canaries’ files are as before',
    options: ({ namespace }) => ({
      canaries: [
        { strategy: { stepWeight: 10, maxWeight: 40 } },
        { name: 'frontend', strategy: { stepWeight: 50, maxWeight: 50 } },
      ],
      rollout: `name: shop\ngitops: {repository: ${FLEET}}\ntarget: [${namespace}/podinfo, ${namespace}/frontend]\nchange: [{image: ghcr.io/stefanprodan/podinfo}]\nbarrier: true\n`,
    }),
    run: async ({ scenario, ends }) => {
      const running = await scenario.start({ inputs: { set: 'image=6.14.1' } });
      await scenario.waitForPhase('WaitingPromotion', 'frontend');
      const run = await running.done;
      const ending = {
        ...RELEASED,
        verdict: 'promoted',
        reason: 'analysed',
        commits: ['Promote', 'Release'],
        changed: ['apps/deployment.yaml', 'apps/frontend.yaml'],
      } as const;
      await ends(run, ending);
      await ends(run, { ...ending, canary: 'frontend' });
    },
  },
  {
    key: 'canary-suspended-then-resumed',
    title: 'Canary suspended during the analysis, then resumed',
    proven: 'the clock stands still and the report says why',
    run: async ({ scenario, ends, expect }) => {
      const running = await scenario.start({ inputs: { set: 'image=6.14.1' } });
      await scenario.waitForPhase('Progressing');
      await scenario.patchCanary({ spec: { suspend: true } });
      await scenario.waitUntil('the log says suspended', async () =>
        running.log.text.includes('is suspended'),
      );
      await scenario.patchCanary({ spec: { suspend: null } });
      await ends(await running.done, { verdict: 'promoted', reason: 'analysed', ...RELEASED });
      expect(running.log.text).toContain('is suspended');
    },
  },
];

function adoptedFolder(namespace: string, server: string): string {
  const { 'apps/canary.yaml': text } = folderOf(namespace, server);
  return text
    .split('---\n')
    .filter(document => !document.includes('kind: Canary'))
    .join('---\n');
}

/** podinfo as many have it: manifests, a kustomization, and a patch with the arguments. */
function logoFolder(namespace: string, server: string): Record<string, string> {
  return {
    ...folderOf(namespace, server, [
      { strategy: { iterations: 2, match: [{ headers: { 'x-canary': { exact: 'insider' } } }] } },
    ]),
    'apps/patch.yaml': `apiVersion: apps/v1
kind: Deployment
metadata:
  name: podinfo
spec:
  template:
    spec:
      containers:
      - name: podinfod
        command:
        - ./podinfo
        # the logo that everybody sees
        - --ui-logo=https://example.com/old.png
`,
    'apps/kustomization.yaml': yaml({
      apiVersion: 'kustomize.config.k8s.io/v1beta1',
      kind: 'Kustomization',
      resources: ['deployment.yaml', 'canary.yaml'],
      patches: [{ path: 'patch.yaml' }],
    }),
  };
}

function logoRollout(namespace: string, more = ''): string {
  return `gitops: {repository: ${FLEET}}\ntarget: [${namespace}/podinfo]\nchange: [{arg: --ui-logo}]\n${more}`;
}

function prefixedFolder(namespace: string, server: string): Record<string, string> {
  const files = folderOf(namespace, server);
  return {
    ...files,
    // kustomize does not know that a Canary names its target and its Ingress.
    'apps/canary.yaml': files['apps/canary.yaml']
      .replace('kind: Deployment\n    name: podinfo', 'kind: Deployment\n    name: shop-podinfo')
      .replace('kind: Ingress\n    name: podinfo', 'kind: Ingress\n    name: shop-podinfo')
      .replace('        name: podinfo\n', '        name: shop-podinfo\n')
      .replace(/templateRef:\n( +)name: podinfo/, 'templateRef:\n$1name: shop-podinfo')
      .replace(/service:\n( +)name: podinfo/, 'service:\n$1name: shop-podinfo'),
    'apps/kustomization.yaml': yaml({
      apiVersion: 'kustomize.config.k8s.io/v1beta1',
      kind: 'Kustomization',
      namespace,
      namePrefix: 'shop-',
      resources: ['deployment.yaml', 'canary.yaml'],
    }),
  };
}

function folderOf(
  namespace: string,
  server: string,
  canaries: readonly CanaryOptions[] = [{}],
): Readonly<Record<'apps/deployment.yaml' | 'apps/canary.yaml', string>> {
  const files = folder({ namespace, server, canaries });
  const text = (path: string): string => String(files[path]);
  return {
    'apps/deployment.yaml': text('apps/deployment.yaml'),
    'apps/canary.yaml': text('apps/canary.yaml'),
  };
}
