import { describe, expect, test } from 'vitest';
import { type KubeClient, KubeError } from '../../src/cluster/kube-client.ts';
import { metricsNow, serviceAt } from '../../src/cluster/metrics-now.ts';
import type { RenderedObject, ScheduledAnalysis } from '../../src/plan/plan.ts';
import { metricCheck } from '../../src/run/metric-check.ts';

const TEMPLATE = {
  provider: { type: 'prometheus', address: 'http://prometheus.monitoring:9090' },
  query: 'rate(ok{deployment="{{ target }}"}[{{ interval }}])',
};

function analysis(template = 'own'): ScheduledAnalysis {
  const metric = {
    name: 'success',
    interval: '1m',
    thresholdRange: { min: 99 },
    templateRef: { name: template },
  };
  return {
    target: 'prod/podinfo',
    analysis: { strategy: 'weighted', intervalMs: 1, threshold: 1, weights: [], metrics: [], webhooks: [] },
    shortestMs: 0,
    longestMs: 0,
    canary: {
      name: 'podinfo',
      namespace: 'prod',
      spec: { targetRef: { name: 'podinfo' }, analysis: { metrics: [metric] } },
    },
  };
}

/** Asks with a Prometheus that answers so, and notes what it was asked. */
async function asked(
  answer: () => Promise<string>,
  template: object = TEMPLATE,
  namespaces: readonly string[] = ['prod', 'monitoring'],
) {
  const paths: string[] = [];
  const kube: Partial<KubeClient> = {
    get: () => Promise.resolve(undefined),
    text: path => {
      paths.push(path);
      return answer();
    },
  };
  const rendered: RenderedObject = {
    apiVersion: 'flagger.app/v1beta1',
    kind: 'MetricTemplate',
    metadata: { name: 'own', namespace: 'prod' },
    spec: template,
  };
  // Only `get` and `text` are called.
  const [now] = await metricsNow(kube as KubeClient, {
    schedule: [analysis()],
    rendered: [rendered],
    namespaces,
  });
  return { now, paths };
}

const says = (value: string) => () =>
  Promise.resolve(JSON.stringify({ data: { result: [{ value: [0, value] }] } }));

describe('what a metric says now', () => {
  test('is asked of Prometheus through the API server, for the primary', async () => {
    const { now, paths } = await asked(says('99.9'));
    expect(now).toMatchObject({ metric: 'success', state: 'value', value: 99.9, min: 99 });
    expect(decodeURIComponent(paths[0] ?? '')).toBe(
      '/api/v1/namespaces/monitoring/services/http:prometheus:9090/proxy/api/v1/query?query=rate(ok{deployment="podinfo-primary"}[1m])',
    );
    expect(now && metricCheck(now)).toMatchObject({ state: 'good' });
  });

  test('warns when it would reject what serves, or finds nothing', async () => {
    const bad = await asked(says('97'));
    expect(bad.now && metricCheck(bad.now)).toMatchObject({
      state: 'warning',
      detail:
        'of prod/podinfo is 97 now for the primary, which serves; it must be ≥ 99. A canary that is as good as it would be rejected.',
    });
    for (const answer of [says('NaN'), () => Promise.resolve('{"data":{"result":[]}}')]) {
      const none = await asked(answer);
      expect(none.now && metricCheck(none.now)).toMatchObject({ state: 'warning' });
    }
  });

  test('is nothing to stop for when it cannot be asked', async () => {
    const forbidden = await asked(() => Promise.reject(new KubeError(403, 'no')));
    expect(forbidden.now).toMatchObject({
      state: 'unchecked',
      why: 'it is not allowed (get services/proxy)',
    });
    const odd = await asked(() => Promise.resolve('<html>'));
    expect(odd.now).toMatchObject({ state: 'unchecked' });
  });

  test.each([
    ['another source', { ...TEMPLATE, provider: { type: 'datadog', secretRef: { name: 'datadog' } } }],
    [
      'outside of the cluster',
      { ...TEMPLATE, provider: { type: 'prometheus', address: 'http://10.0.0.1:9090' } },
    ],
    ['credentials', { ...TEMPLATE, provider: { ...TEMPLATE.provider, secretRef: { name: 'a' } } }],
    ['series of a canary Ingress', { ...TEMPLATE, query: 'r{ingress="{{ ingress }}", canary!=""}' }],
  ])('is not asked: %s', async (_, template) => {
    const { now, paths } = await asked(says('1'), template);
    expect(now?.state).toBe('unchecked');
    expect(paths).toEqual([]);
  });

  test('knows a Service by its address', () => {
    expect(serviceAt('https://prom.mon.svc.cluster.local/base/')).toEqual({
      namespace: 'mon',
      path: '/api/v1/namespaces/mon/services/https:prom:443/proxy/base',
    });
  });

  test.each([
    'http://prometheus:9090',
    'nonsense',
    'http://prom.mon:9090/%2f..%2f..%2fapi/v1/secrets',
    'http://prom.mon:9090/../secrets',
    'http://prom.mon:9090/a/./b',
    'http://prom.mon:9090/a?b=c',
    'http://prom.mon:9090/a#b',
    'http://prom.mon:9090\\..\\secrets',
    'http://user:pw@prom.mon:9090',
    'http://prom.mon:9090:80/',
    'http://pr%6fm.mon/',
    'http://prom.mon/a b',
    'HTTP://prom.mon/',
  ])('asks for nothing at an address that means more than a Service: %s', address => {
    expect(serviceAt(address)).toBeUndefined();
  });

  test('is not asked of Services of other namespaces, and says which input names them', async () => {
    const { now, paths } = await asked(says('1'), TEMPLATE, ['prod']);
    expect(paths).toEqual([]);
    expect(now).toMatchObject({ state: 'unchecked', why: expect.stringContaining('metrics-namespaces') });
  });

  test('says of an answer that is none its status alone', async () => {
    const { now } = await asked(() => Promise.reject(new KubeError(500, 'admin-console: hunter2')));
    expect(now).toMatchObject({ state: 'unchecked', why: 'it answered with 500' });
  });
});
