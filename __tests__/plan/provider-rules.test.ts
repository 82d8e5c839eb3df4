import { describe, expect, test } from 'vitest';
import { checkSpec } from '../../src/flagger/crd-check.ts';
import { checkProvider, PROVIDERS } from '../../src/flagger/provider-rules.ts';

const HEADER = { match: [{ headers: { 'x-canary': { exact: 'insider' } } }], iterations: 5 };

function spec(provider: string, analysis: Record<string, unknown>, more: Record<string, unknown> = {}) {
  return {
    provider,
    targetRef:
      provider === 'knative'
        ? { apiVersion: 'serving.knative.dev/v1', kind: 'Service', name: 'podinfo' }
        : { apiVersion: 'apps/v1', kind: 'Deployment', name: 'podinfo' },
    ingressRef: { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', name: 'podinfo' },
    routeRef: { apiVersion: 'apisix.apache.org/v2', kind: 'ApisixRoute', name: 'podinfo' },
    service: {
      port: 80,
      meshName: 'global',
      gatewayRefs: [{ group: 'core', kind: 'Service', name: 'podinfo', namespace: 'prod', port: 80 }],
    },
    analysis: { interval: '1m', threshold: 5, ...analysis },
    ...more,
  };
}

/** Problems in one line each. */
function problems(value: Record<string, unknown>): readonly string[] {
  return [...checkSpec('Canary', value), ...checkProvider(value)].map(
    ({ field, message }) => `${field}: ${message}`,
  );
}

describe('what Flagger’s providers can do', () => {
  const weighted = Object.keys(PROVIDERS).filter(provider => provider !== 'kubernetes');
  test.each(weighted)('%s moves traffic by weight', provider => {
    expect(problems(spec(provider, { stepWeight: 10, maxWeight: 50 }))).toEqual([]);
  });

  test.each(Object.keys(PROVIDERS))('%s does blue/green', provider => {
    expect(problems(spec(provider, { iterations: 5 }))).toEqual([]);
  });

  test.each(Object.keys(PROVIDERS))('%s matches headers, or says what does', provider => {
    const found = problems(spec(provider, HEADER));
    const can = [
      'istio',
      'nginx',
      'contour',
      'gloo',
      'appmesh',
      'appmesh:v1beta2',
      'gatewayapi:v1',
      'gatewayapi:v1beta1',
    ];
    if (can.includes(provider)) expect(found).toEqual([]);
    else expect(found.join()).toMatch(/ignores match: .+(gatewayapi:v1|Use weights)/);
  });

  test.each([
    ['mirroring without a mesh', spec('nginx', { iterations: 5, mirror: true }), 'mirrors no traffic'],
    ['mirroring an A/B test', spec('istio', { ...HEADER, mirror: true }), 'mirrors in blue/green only'],
    [
      'session affinity with NGINX',
      spec('nginx', { stepWeight: 5, sessionAffinity: { cookieName: 'c' } }),
      'keeps no user',
    ],
    [
      'two headers with NGINX',
      spec('nginx', { ...HEADER, match: [{ headers: { a: { exact: 'x' }, b: { exact: 'y' } } }] }),
      'takes one by chance',
    ],
    [
      'a cookie’s value with NGINX',
      spec('nginx', { ...HEADER, match: [{ headers: { cookie: { regex: '.*x.*' } } }] }),
      'by its name',
    ],
    [
      'a header’s prefix with Gateway API',
      spec('gatewayapi:v1', { ...HEADER, match: [{ headers: { a: { prefix: 'x' } } }] }),
      'does not match headers by prefix',
    ],
    [
      'query parameters with Contour',
      spec('contour', { ...HEADER, match: [{ queryParams: { a: { exact: 'x' } } }] }),
      'does not match query parameters',
    ],
    [
      'source labels with NGINX',
      spec('nginx', { ...HEADER, match: [{ sourceLabels: { app: 'x' } }] }),
      'does not match labels of the source',
    ],
    ['Gateway API without a version', spec('gatewayapi', { stepWeight: 5 }), 'gatewayapi:v1'],
    ['no such provider', spec('ngnix', { stepWeight: 5 }), 'spec.provider cannot be ngnix'],
    [
      'NGINX without an Ingress',
      spec('nginx', { stepWeight: 5 }, { ingressRef: undefined }),
      'needs spec.ingressRef',
    ],
    ['weights without a mesh', spec('kubernetes', { stepWeight: 5 }), 'run it as blue/green'],
    [
      'Knative for a Deployment',
      spec('knative', { stepWeight: 5 }, { targetRef: { kind: 'Deployment', name: 'x' } }),
      'Knative Service',
    ],
    ['weights and iterations', spec('istio', { stepWeight: 5, iterations: 5 }), 'exactly one of these'],
    ['no strategy at all', spec('istio', {}), 'exactly one of these'],
    ['a tick too short', spec('istio', { stepWeight: 5, interval: '5s' }), 'no sooner than 10 s'],
    [
      'no duration',
      spec('istio', { stepWeight: 5, interval: 'often' }),
      'spec.analysis.interval cannot be often',
    ],
    [
      'a mistyped field',
      spec('istio', { stepWieght: 5, iterations: 5 }),
      'no field spec.analysis.stepWieght',
    ],
    ['text for a number', spec('istio', { stepWeight: 'five' }), 'spec.analysis.stepWeight must be a number'],
    ['steps that fall', spec('istio', { stepWeights: [10, 5] }), 'more than the one before'],
    ['a step past the end', spec('istio', { stepWeight: 60, maxWeight: 50 }), 'past maxWeight'],
    [
      'a metric without a name',
      spec('istio', { stepWeight: 5, metrics: [{ thresholdRange: { min: 99 } }] }),
      'spec.analysis.metrics[0].name is missing',
    ],
    [
      'a webhook of no such type',
      spec('istio', { stepWeight: 5, webhooks: [{ name: 'x', url: 'http://x', type: 'before' }] }),
      'webhooks[0].type cannot be before',
    ],
  ])('%s is refused', (_, value, words) => {
    expect(problems(value).join('\n')).toContain(words);
  });

  test.each([
    ['AlertProvider', { type: 'slack' }, 'exactly one of these'],
    ['AlertProvider', { type: 'irc', address: 'http://x' }, 'spec.type cannot be irc'],
    ['MetricTemplate', { provider: { type: 'signoz' }, query: 'x' }, 'spec.provider.type cannot be signoz'],
    ['MetricTemplate', { provider: { type: 'prometheus' } }, 'spec.query is missing'],
  ] as const)('%s %j', (kind, value, words) => {
    expect(
      checkSpec(kind, value)
        .map(({ message }) => message)
        .join(),
    ).toContain(words);
  });
});
