import { stringify } from 'yaml';
import { ROLLOUT_ID_ANNOTATION } from '../../src/rollout/target.js';
/** The Deployment as a file of the repository. */
export function deployment({ tag, rolloutId }) {
  return stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'podinfo' },
    spec: {
      selector: { matchLabels: { app: 'podinfo' } },
      template: {
        metadata: { labels: { app: 'podinfo' }, annotations: { [ROLLOUT_ID_ANNOTATION]: rolloutId } },
        spec: {
          containers: [
            {
              name: 'podinfod',
              image: `ghcr.io/stefanprodan/podinfo:${tag}`,
              ports: [{ name: 'http', containerPort: 9898 }],
            },
          ],
        },
      },
    },
  });
}
/**
 * The rest of the folder: an Ingress, the Canary with the schedule of the recorded runs (every 10 s, weights 25 and 50, two
 * failed checks), and a metric that reads the gauge `success_rate`.
 */
export function surroundings(options) {
  const service = { name: 'podinfo', port: { number: 80 } };
  const ingress = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'podinfo' },
    spec: {
      ingressClassName: 'nginx',
      rules: [
        {
          host: 'app.example.com',
          http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service } }] },
        },
      ],
    },
  };
  const canary = {
    apiVersion: 'flagger.app/v1beta1',
    kind: 'Canary',
    metadata: { name: 'podinfo' },
    spec: {
      provider: 'nginx',
      targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'podinfo' },
      ingressRef: { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', name: 'podinfo' },
      service: { port: 80, targetPort: 'http' },
      analysis: {
        interval: '10s',
        threshold: 2,
        stepWeight: 25,
        maxWeight: 50,
        metrics: [
          { name: 'success', templateRef: { name: 'success' }, thresholdRange: { min: 99 }, interval: '10s' },
        ],
      },
    },
  };
  const metric = {
    apiVersion: 'flagger.app/v1beta1',
    kind: 'MetricTemplate',
    metadata: { name: 'success' },
    spec: {
      provider: { type: 'prometheus', address: options.metricsServer },
      query: `success_rate{namespace="${options.namespace}"}`,
    },
  };
  return [ingress, canary, metric].map(object => stringify(object)).join('---\n');
}
/** What Flux needs to follow a folder of the repository into a namespace, the namespace included. */
export function fluxObjects(options) {
  const { namespace, url, path } = options;
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    {
      apiVersion: 'source.toolkit.fluxcd.io/v1',
      kind: 'GitRepository',
      metadata: { name: 'fleet', namespace },
      spec: { url, ref: { branch: 'main' }, interval: '1m' },
    },
    {
      apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
      kind: 'Kustomization',
      metadata: { name: 'apps', namespace },
      spec: {
        sourceRef: { kind: 'GitRepository', name: 'fleet' },
        path,
        prune: true,
        interval: '1m',
        targetNamespace: namespace,
      },
    },
  ];
}
