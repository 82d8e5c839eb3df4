import { fieldsAt, type KubeObject, listAt, numberAt, textAt } from './kube-object.ts';

/** What a scenario makes a metric say: a value, nothing at all, or a provider that does not answer. */
export type MetricValue = number | 'no-values' | 'unavailable';

/** The result of one round of checks: undefined when all passed, else Flagger's words. */
export type Halt = string | undefined;

/** Flagger scheduler_metrics.go: each metric against its range, the first that does not hold. */
export function checkMetrics(
  canary: KubeObject,
  lookup: (metric: string) => MetricValue | undefined,
  onValue: (metric: string, value: number) => void = () => {},
): Halt {
  const { name, namespace } = canary.metadata;
  for (const metric of listAt(canary, 'spec', 'analysis', 'metrics')) {
    const metricName = textAt(metric, 'name');
    const value = lookup(metricName) ?? goodValue(metric);
    if (value === 'no-values') {
      return `Halt advancement no values found for custom metric: ${metricName}: no values found`;
    }
    if (value === 'unavailable') {
      return `Metric query failed for ${metricName}: request failed: dial tcp 127.0.0.1:9090: connect: connection refused`;
    }
    onValue(metricName, value);
    const min = numberAt(metric, 'thresholdRange', 'min');
    const max = numberAt(metric, 'thresholdRange', 'max');
    const halt = `Halt ${name}.${namespace} advancement ${metricName} ${value.toFixed(2)}`;
    if (min !== undefined && value < min) return `${halt} < ${min}`;
    if (max !== undefined && value > max) return `${halt} > ${max}`;
  }
  return undefined;
}

function goodValue(metric: unknown): number {
  const { min, max } = fieldsAt(metric, 'thresholdRange');
  if (typeof min === 'number') return min + 0.5;
  return typeof max === 'number' ? max / 2 : 1;
}

export type WebhookType =
  | 'confirm-rollout'
  | 'pre-rollout'
  | 'rollout'
  | 'confirm-promotion'
  | 'post-rollout'
  | 'rollback';

/** The first webhook of a type that does not answer 2xx, in the words of the Go client; undefined when all do. */
export async function callWebhooks(
  canary: KubeObject,
  type: WebhookType,
): Promise<{ readonly name: string; readonly error: string } | undefined> {
  for (const webhook of webhooksOf(canary, type)) {
    const url = textAt(webhook, 'url');
    const error = await post(url, canary);
    if (error !== undefined) return { name: textAt(webhook, 'name'), error };
  }
  return undefined;
}

export function webhooksOf(canary: KubeObject, type: WebhookType): readonly unknown[] {
  return listAt(canary, 'spec', 'analysis', 'webhooks').filter(
    webhook => (textAt(webhook, 'type') || 'rollout') === type,
  );
}

async function post(url: string, canary: KubeObject): Promise<string | undefined> {
  const { name, namespace } = canary.metadata;
  try {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name, namespace, phase: textAt(canary, 'status', 'phase') }),
      signal: AbortSignal.timeout(3_000),
    });
    return answer.ok ? undefined : (await answer.text()).trim() || `${answer.status}`;
  } catch {
    return `Post "${url}": dial tcp ${new URL(url).host}: connect: connection refused`;
  }
}
