import { z } from 'zod';
import type { Files } from '../../sandbox/github/repository-setup.ts';
import { ingress, yaml } from './folder.ts';
import type { ListedScenario } from './listed-scenario.ts';
import { FLEET } from './scenario.ts';

/**
 * Podinfo as people keep it (JasonMorgan/linkerd-demos): a base, and a folder of one environment with a kustomization, an
 * Ingress and a patch that sets what podinfo shows. No Canary: rollout.yaml describes it.
 */
const FOLDER: Files = {
  'base/podinfo/deployment.yaml': `apiVersion: apps/v1
kind: Deployment
metadata:
  name: podinfo
spec:
  minReadySeconds: 0
  progressDeadlineSeconds: 60
  selector:
    matchLabels:
      app: podinfo
  template:
    metadata:
      labels:
        app: podinfo
    spec:
      containers:
      - name: podinfod
        image: ghcr.io/stefanprodan/podinfo:6.14.0
        command:
        - ./podinfo
        - --port=9898
        ports:
        - name: http
          containerPort: 9898
`,
  'base/podinfo/kustomization.yaml': `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
- deployment.yaml
`,
  'apps/podinfo/ingress.yaml': yaml(ingress('podinfo')),
  'apps/podinfo/patch.yaml': `apiVersion: apps/v1
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
        - --port=9898
        # the logo that everybody sees
        - --ui-logo=https://example.com/old.png
`,
  'apps/podinfo/kustomization.yaml': `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
- ../../base/podinfo
- ingress.yaml
patches:
- path: patch.yaml
`,
  'apps/deployment.yaml': null,
  'apps/canary.yaml': null,
};

const NGINX = `    provider: nginx
    ingressRef: {name: podinfo}
    analysis: {interval: 10s, threshold: 2, iterations: 2, match: [{headers: {x-canary: {exact: insider}}}]}
`;

/** What is edited in rollout.yaml, and nowhere else. */
function linkerd(namespace: string): string {
  return `    provider: gatewayapi:v1
    service: {gatewayRefs: [{group: core, kind: Service, name: podinfo, namespace: ${namespace}, port: 80}]}
    analysis: {interval: 10s, threshold: 2, stepWeight: 25, maxWeight: 50}
`;
}

function rollout(on: {
  readonly namespace: string;
  readonly server: string;
  readonly canary: string;
}): string {
  const { namespace, server, canary } = on;
  const query = `success_rate{namespace="${namespace}",canary="podinfo"}`;
  return `gitops: {repository: ${FLEET}}
target: [${namespace}/podinfo]
change: [{arg: --ui-logo}]
canary:
  ${namespace}/podinfo:
${canary}${canary.includes('service:') ? '' : '    service: {port: 80, targetPort: http}\n'}    metrics:
    - {name: success, min: 99, interval: 10s, query: '${query}', provider: {type: prometheus, address: "${server}"}}
`;
}

const ingressSchema = z.object({ metadata: z.object({ annotations: z.record(z.string(), z.string()) }) });
const routeSchema = z.object({
  spec: z.object({
    rules: z.array(z.object({ backendRefs: z.array(z.object({ name: z.string(), weight: z.number() })) })),
  }),
});
const commandSchema = z.object({
  spec: z.object({
    template: z.object({
      spec: z.object({ containers: z.array(z.object({ command: z.array(z.string()) })) }),
    }),
  }),
});

export const DEMOS: readonly ListedScenario[] = [
  {
    key: 'both-demos',
    title:
      'podinfo’s logo from an ordinary folder (base, kustomization, patches): header-based NGINX, then weight-based Linkerd',
    proven:
      'between the two only rollout.yaml was edited; the canary Ingress routed by header, the HTTPRoute moved 25 % of traffic; both promoted',
    options: ({ namespace, testbed }) => ({
      path: './apps/podinfo',
      files: FOLDER,
      rollout: rollout({ namespace, server: testbed.metrics.server(namespace), canary: NGINX }),
      initialized: false,
    }),
    run: async ({ scenario, ends, expect, namespace, testbed }) => {
      const ours = ['kustomization', 'patch', 'podinfo-canary', 'podinfo-rollout'];
      const ending = {
        verdict: 'promoted',
        reason: 'analysed',
        changed: ours.map(name => `apps/podinfo/${name}.yaml`),
        serves: '6.14.0',
        phase: 'Succeeded',
      } as const;
      const logo = async () => {
        const found = await scenario.object('apis/apps/v1', 'deployments', 'podinfo-primary', commandSchema);
        return found?.spec.template.spec.containers[0]?.command.at(-1);
      };
      await scenario.waitUntil(
        'podinfo',
        async () => (await scenario.template('podinfo')).image === '6.14.0',
      );

      const byHeader = await scenario.start({ inputs: { set: 'ui-logo=https://example.com/a.png' } });
      await scenario.waitUntil('routing by header', async () => {
        const api = 'apis/networking.k8s.io/v1';
        const found = await scenario.object(api, 'ingresses', 'podinfo-canary', ingressSchema);
        return found?.metadata.annotations['nginx.ingress.kubernetes.io/canary-by-header'] === 'x-canary';
      });
      await ends(await byHeader.done, { ...ending, commits: ['Release', 'Adopt'] });
      expect(await logo()).toBe('--ui-logo=https://example.com/a.png');

      const server = testbed.metrics.server(namespace);
      scenario.rollout = rollout({ namespace, server, canary: linkerd(namespace) });
      const byWeight = await scenario.start({ inputs: { set: 'ui-logo=https://example.com/b.png' } });
      await scenario.waitUntil('25 % through the HTTPRoute', async () => {
        const api = 'apis/gateway.networking.k8s.io/v1';
        const route = await scenario.object(api, 'httproutes', 'podinfo', routeSchema);
        return route?.spec.rules[0]?.backendRefs.some(({ weight }) => weight === 25) === true;
      });
      await ends(await byWeight.done, { ...ending, commits: ['Release', 'Release', 'Adopt'] });
      expect(await logo()).toBe('--ui-logo=https://example.com/b.png');
      expect(await scenario.file('apps/podinfo/patch.yaml')).toContain('# the logo that everybody sees');
    },
  },
];
