import type { Occasion } from '../../src/rights/cluster-rights.ts';
import { ingress, metricTemplate, workload, yaml } from './folder.ts';
import { FOREIGN } from './foreign.ts';
import { GOOD } from './good.ts';
import { HELM } from './helm.ts';
import { KNATIVE } from './knative.ts';
import type { Acting, ListedScenario } from './listed-scenario.ts';
import { rolloutOf } from './scenario.ts';

/** For each kind of rights a rollout that has use for them: two steps, and no metric that could be late. */

export const AUTOMATION_GROUP = 'image.toolkit.fluxcd.io';

type Given = Awaited<ReturnType<NonNullable<ListedScenario['options']>>>;

/** Promoted, whatever the scenario is listed for. */
async function promotes({ scenario, expect }: Acting, set = 'image=6.14.1'): Promise<void> {
  const { outputs, log } = await scenario.release('', { inputs: { set } });
  expect(outputs, log.text.slice(-3_000)).toMatchObject({ verdict: 'promoted' });
}

function quick(given: Given): Given {
  const strategy = { stepWeight: 50, maxWeight: 50 };
  const canaries = (given.canaries ?? [{}]).map(each => ({ ...each, strategy, measured: false }));
  return { ...given, canaries };
}

function quickly(list: readonly ListedScenario[], key: string, set?: string): ListedScenario {
  const found = list.find(each => each.key === key);
  if (!found) throw new Error(`There is no scenario ${key}.`);
  return {
    ...found,
    options: async on => quick((await found.options?.(on)) ?? {}),
    run: acting => promotes(acting, set),
  };
}

const AUTOMATION: ListedScenario = {
  key: 'image-automation',
  title: 'image automation, suspended while the release is followed',
  proven: '',
  options: ({ namespace }) =>
    quick({
      files: {
        'apps/deployment.yaml': workload().replace(
          /(image: \S+)/,
          `$1 # {"$imagepolicy": "${namespace}:podinfo"}`,
        ),
      },
      objects: [
        {
          apiVersion: `${AUTOMATION_GROUP}/v1`,
          kind: 'ImageUpdateAutomation',
          metadata: { name: 'podinfo', namespace },
          spec: {
            interval: '1h',
            sourceRef: { kind: 'GitRepository', name: 'fleet' },
            git: { push: { branch: 'main' }, commit: { author: { email: 'flux@example.com' } } },
          },
        },
      ],
      rollout: rolloutOf(namespace, 'image-automation: suspend\n'),
    }),
  run: acting => promotes(acting),
};

const DESCRIBED: ListedScenario = {
  key: 'described',
  title: 'a Canary that rollout.yaml describes, with a metric and an alert, planned and adopted',
  proven: '',
  options: ({ namespace, testbed }) => {
    const server = testbed.metrics.server(namespace);
    return {
      files: {
        'apps/canary.yaml': yaml(ingress('podinfo'), metricTemplate({ name: 'podinfo', namespace, server })),
      },
      objects: [
        {
          apiVersion: 'v1',
          kind: 'Secret',
          metadata: { name: 'hook', namespace },
          stringData: { address: 'http://127.0.0.1:9/hook' },
        },
      ],
      rollout: rolloutOf(
        namespace,
        `canary:
  ${namespace}/podinfo:
    provider: nginx
    ingressRef: {name: podinfo}
    service: {port: 80, targetPort: http}
    skipAnalysis: true
    analysis: {interval: 10s, threshold: 2, stepWeight: 50, maxWeight: 50}
    metrics:
    - {name: success, min: 99, interval: 10s, templateRef: {name: podinfo-success}}
    - {name: answers, min: 1, interval: 10s, query: 'vector(100)', provider: {type: prometheus, address: "${server}"}}
    alerts: [{type: slack, secretRef: hook, channel: general, severity: error}]
`,
      ),
      initialized: false,
    };
  },
  run: async acting => {
    const { scenario, expect } = acting;
    await scenario.waitUntil('podinfo', async () => (await scenario.template('podinfo')).image === '6.14.0');
    const planned = await scenario.release('6.14.1', { inputs: { mode: 'plan' } });
    expect(planned.outputs, planned.log.text.slice(-3_000)).toMatchObject({ reason: 'planned' });
    await promotes(acting);
  },
};

export const SCENARIOS: Readonly<Record<Exclude<Occasion, 'generated' | 'always'>, ListedScenario>> = {
  Deployment: quickly(GOOD, 'weighted-nginx'),
  DaemonSet: quickly(GOOD, 'daemonset'),
  Service: quickly(KNATIVE, 'knative-weighted'),
  HelmRelease: quickly(HELM, 'helm-values'),
  foreign: quickly(FOREIGN, 'foreign-released', 'ERROR_FRACTION=0\nui-logo=https://example.com/new.png'),
  canary: DESCRIBED,
  'image-automation': AUTOMATION,
};
