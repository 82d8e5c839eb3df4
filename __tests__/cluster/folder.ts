import { stringify } from 'yaml';
import type { Files } from '../../sandbox/github/repository-setup.ts';
import { deployment } from '../testbed/podinfo.ts';

/** The folder of one scenario, as its team wrote it: a Deployment, its Canary, and what the Canary names. */

export type Fields = Readonly<Record<string, unknown>>;

export interface CanaryOptions {
  readonly name?: string;
  /** Default nginx, with an Ingress. */
  readonly provider?: string;
  /** Further fields of spec. */
  readonly spec?: Fields;
  /** The strategy; default weights 25 and 50. */
  readonly strategy?: Fields;
  readonly webhooks?: readonly Fields[];
  readonly kind?: 'Deployment' | 'DaemonSet';
  /** By the metric that the scenario sets; default true. */
  readonly measured?: boolean;
}

/** Every 10 s, two failed checks allowed, one metric that the scenario sets. */
export function canary(options: CanaryOptions = {}): Fields {
  const { name = 'podinfo', provider = 'nginx', kind = 'Deployment' } = options;
  const ingress = provider === 'nginx' ? { ingressRef: ingressRef(name) } : {};
  return {
    apiVersion: 'flagger.app/v1beta1',
    kind: 'Canary',
    metadata: { name },
    spec: {
      provider,
      targetRef: { apiVersion: 'apps/v1', kind, name },
      ...ingress,
      service: { port: 80, targetPort: 'http' },
      ...options.spec,
      analysis: {
        interval: '10s',
        threshold: 2,
        ...(options.strategy ?? { stepWeight: 25, maxWeight: 50 }),
        metrics: options.measured === false ? [] : [successMetric(name)],
        ...(options.webhooks === undefined ? {} : { webhooks: options.webhooks }),
      },
    },
  };
}

function successMetric(name: string): Fields {
  return {
    name: 'success',
    templateRef: { name: `${name}-success` },
    thresholdRange: { min: 99 },
    interval: '10s',
  };
}

function ingressRef(name: string): Fields {
  return { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', name };
}

/** The metric reads the gauge `success_rate` of this canary in this namespace. */
export function metricTemplate(options: {
  readonly name: string;
  readonly namespace: string;
  readonly server: string;
}): Fields {
  const { name, namespace, server } = options;
  return {
    apiVersion: 'flagger.app/v1beta1',
    kind: 'MetricTemplate',
    metadata: { name: `${name}-success` },
    spec: {
      provider: { type: 'prometheus', address: server },
      query: `success_rate{namespace="${namespace}",canary="${name}"}`,
    },
  };
}

export function ingress(name: string): Fields {
  const backend = { service: { name, port: { number: 80 } } };
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name },
    spec: {
      ingressClassName: 'nginx',
      rules: [{ host: `${name}.example.com`, http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }],
    },
  };
}

export function yaml(...objects: readonly Fields[]): string {
  return objects.map(object => stringify(object)).join('---\n');
}

export interface FolderOptions {
  readonly namespace: string;
  /** Prometheus, as this namespace reaches it. */
  readonly server: string;
  /** Default: one, podinfo. */
  readonly canaries?: readonly CanaryOptions[];
}

/** `apps/NAME.yaml` and `apps/NAME-canary.yaml` for each canary; podinfo's Deployment is `apps/deployment.yaml`. */
export function folder({ namespace, server, canaries = [{}] }: FolderOptions): Files {
  return Object.fromEntries(
    canaries.flatMap(options => {
      const { name = 'podinfo', provider = 'nginx' } = options;
      const file = name === 'podinfo' ? 'deployment' : name;
      return [
        [`apps/${file}.yaml`, workload({ name, ...(options.kind ? { kind: options.kind } : {}) })],
        [
          name === 'podinfo' ? 'apps/canary.yaml' : `apps/${name}-canary.yaml`,
          yaml(
            ...(provider === 'nginx' ? [ingress(name)] : []),
            canary(options),
            metricTemplate({ name, namespace, server }),
          ),
        ],
      ];
    }),
  );
}

/** The target's manifest, at 6.14.0 unless said. */
export function workload(
  options: { readonly name?: string; readonly kind?: 'Deployment' | 'DaemonSet'; readonly tag?: string } = {},
): string {
  const { name = 'podinfo', kind = 'Deployment', tag = '6.14.0' } = options;
  return deployment({ tag, rolloutId: '0' })
    .replace('kind: Deployment', `kind: ${kind}`)
    .replaceAll('app: podinfo', `app: ${name}`)
    .replace('name: podinfo\n', `name: ${name}\n`);
}
