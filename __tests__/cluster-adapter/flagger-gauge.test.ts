import { describe, expect, test } from 'vitest';
import { FlaggerGauge, parseGauge } from '../../src/cluster/flagger-gauge.ts';
import { type KubeClient, KubeError, KubeUnreachable } from '../../src/cluster/kube-client.ts';

const PAGE = `# HELP flagger_canary_metric_analysis Last canary analysis result per metric
# TYPE flagger_canary_metric_analysis gauge
flagger_canary_metric_analysis{metric="success",name="podinfo",namespace="prod"} 99.5
flagger_canary_metric_analysis{metric="request-duration",name="podinfo",namespace="prod"} 0.25
flagger_canary_metric_analysis{metric="odd \\"name\\"",name="podinfo",namespace="prod"} 1e-3
flagger_canary_metric_analysis{metric="success",name="frontend",namespace="prod"} NaN
flagger_canary_weight{namespace="prod",workload="podinfo"} 25
`;

function gaugeOf(text: () => Promise<string>) {
  const missing: string[] = [];
  const kube: Partial<KubeClient> = { text };
  const service = { namespace: 'flagger-system', name: 'flagger', port: 'http' };
  // Only `text` is called.
  const gauge = new FlaggerGauge({ kube: kube as KubeClient, service, onMissing: why => missing.push(why) });
  return { gauge, missing };
}

describe('Flagger’s own gauge', () => {
  test('is read by target and metric, durations in ms', () => {
    expect(Object.fromEntries(parseGauge(PAGE))).toEqual({
      'prod/podinfo': { success: 99.5, 'request-duration': 250, 'odd "name"': 0.001 },
    });
  });

  test('is not asked again where it may not be read', async () => {
    let asked = 0;
    const { gauge, missing } = gaugeOf(() => {
      asked += 1;
      return Promise.reject(new KubeError(403, 'forbidden'));
    });
    expect([await gauge.values(), await gauge.values()]).toEqual([undefined, undefined]);
    expect(asked).toBe(1);
    expect(missing).toEqual(['it is not allowed (get services/proxy)']);
  });

  test('is asked again when it was only out of reach', async () => {
    let asked = 0;
    const { gauge, missing } = gaugeOf(() => {
      asked += 1;
      return asked === 1 ? Promise.reject(new KubeUnreachable('reset')) : Promise.resolve(PAGE);
    });
    expect(await gauge.values()).toBeUndefined();
    expect((await gauge.values())?.get('prod/podinfo')).toMatchObject({ success: 99.5 });
    expect(missing).toEqual([]);
  });
});
