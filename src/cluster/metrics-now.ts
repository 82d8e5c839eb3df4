import { z } from 'zod';
import { metricModel, renderQuery } from '../flagger/metric-query.ts';
import type { MetricNow, RenderedObject, ScheduledAnalysis } from '../plan/plan.ts';
import { withoutUrlSecrets } from '../secrets/public-urls.ts';
import { type KubeClient, KubeError } from './kube-client.ts';
import { objectPath } from './resources.ts';

/** Longer than a query takes; shorter than anybody should wait for a plan (ms). */
const TIMEOUT_MS = 5_000;

const templateSchema = z.looseObject({
  spec: z.looseObject({
    provider: z.looseObject({
      type: z.string(),
      address: z.string().default(''),
      secretRef: z.unknown().optional(),
    }),
    query: z.string(),
  }),
});

const analysisSchema = z.looseObject({
  analysis: z.looseObject({
    metrics: z
      .array(
        z.looseObject({
          name: z.string(),
          interval: z.string().default('1m'),
          thresholdRange: z
            .looseObject({ min: z.number().optional(), max: z.number().optional() })
            .default({}),
          templateRef: z.looseObject({ name: z.string(), namespace: z.string().optional() }).optional(),
          templateVariables: z.record(z.string(), z.string()).default({}),
        }),
      )
      .default([]),
  }),
});

const answerSchema = z.looseObject({
  data: z.looseObject({ result: z.array(z.looseObject({ value: z.tuple([z.number(), z.string()]) })) }),
});

type Metric = z.infer<typeof analysisSchema>['analysis']['metrics'][number];

export interface MetricsQuery {
  readonly schedule: readonly ScheduledAnalysis[];
  readonly rendered: readonly RenderedObject[];
  /** Whose Services may be asked: a MetricTemplate of a pull request could name any in the cluster. */
  readonly namespaces: readonly string[];
}

/**
 * What the metrics of an analysis say now of the workload that serves: the primary. A query that finds nothing for it
 * will hardly find something for the canary. Only Prometheus behind a Service can be asked, through the API server;
 * whatever else, and whatever goes wrong, is said and costs nothing.
 */
export async function metricsNow(kube: KubeClient, on: MetricsQuery): Promise<readonly MetricNow[]> {
  const asked = on.schedule.flatMap(({ target, canary }) => {
    const metrics = canary && analysisSchema.safeParse(canary.spec).data?.analysis.metrics;
    return canary && metrics ? metrics.map(metric => ({ target, canary, metric })) : [];
  });
  return await Promise.all(
    asked.map(async ({ target, canary, metric }): Promise<MetricNow> => {
      const { min, max } = metric.thresholdRange;
      const range = { ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) };
      const found = await ask(kube, { canary, metric, ...on });
      return { target, metric: metric.name, ...range, ...found };
    }),
  );
}

type Found = Pick<MetricNow, 'state' | 'value' | 'why'>;

async function ask(
  kube: KubeClient,
  on: {
    readonly canary: NonNullable<ScheduledAnalysis['canary']>;
    readonly metric: Metric;
  } & Pick<MetricsQuery, 'rendered' | 'namespaces'>,
): Promise<Found> {
  const { canary, metric } = on;
  const reference = metric.templateRef;
  if (!reference) return unchecked('Flagger’s own query');
  const namespace = reference.namespace ?? canary.namespace;
  const rendered = on.rendered.find(
    ({ kind, metadata }) => kind === 'MetricTemplate' && metadata.name === reference.name,
  );
  const path = objectPath({ kind: 'MetricTemplate', namespace, name: reference.name });
  const object = rendered ?? (await kube.get(path).catch(() => undefined));
  const template = templateSchema.safeParse(object).data?.spec;
  if (!template) return unchecked(`MetricTemplate ${namespace}/${reference.name} cannot be read`);
  const { provider, query } = template;
  if (provider.type !== 'prometheus') return unchecked(`asked of ${provider.type}`);
  if (provider.secretRef !== undefined) return unchecked('its Prometheus wants credentials');
  // ingress-nginx labels requests by the canary Ingress, which there is only during an analysis.
  if (/\bcanary\s*!=\s*""/.test(query)) return unchecked('its series exist only while there is a canary');
  const service = serviceAt(provider.address);
  if (service === undefined)
    return unchecked(`${withoutUrlSecrets(provider.address)} is no Service of the cluster`);
  if (!on.namespaces.includes(service.namespace)) {
    return unchecked(`Services of ${service.namespace} are not asked (input metrics-namespaces)`);
  }
  const { interval, templateVariables: variables } = metric;
  const model = metricModel(canary, { interval, variables });
  const rendering = renderQuery(query, { ...model, target: `${model.target}-primary` });
  if (rendering === undefined) return unchecked('its query is more than can be filled in here');
  return await answered(kube, `${service.path}/api/v1/query?query=${encodeURIComponent(rendering)}`);
}

async function answered(kube: KubeClient, path: string): Promise<Found> {
  try {
    const { result } = answerSchema.parse(JSON.parse(await kube.text(path, TIMEOUT_MS))).data;
    // Flagger metrics/providers/prometheus.go: the last one counts, NaN is no value.
    const value = Number(result.at(-1)?.value[1] ?? Number.NaN);
    return Number.isNaN(value) ? { state: 'none' } : { state: 'value', value };
  } catch (error) {
    if (!(error instanceof KubeError)) return unchecked('it gave no answer');
    // Not a word of its answer: whatever serves there may say what is nobody's to see.
    return unchecked(
      error.status === 403 ? 'it is not allowed (get services/proxy)' : `it answered with ${error.status}`,
    );
  }
}

function unchecked(why: string): Found {
  return { state: 'unchecked', why };
}

/** A segment that means itself: no `%2f..` that a server behind the proxy could read as a path of its own. */
const SEGMENT = /^(?!\.{1,2}$)[A-Za-z0-9._~-]+$/;

/** `http://prometheus.monitoring:9090/base` through the API server; undefined when it is no Service by name. */
export function serviceAt(
  address: string,
): { readonly namespace: string; readonly path: string } | undefined {
  const [, scheme = '', name, namespace, port, base = ''] =
    /^(https?):\/\/([a-z0-9-]{1,63})\.([a-z0-9-]{1,63})(?:\.svc(?:\.cluster\.local)?)?(?::(\d{1,5}))?((?:\/[^/?#]*)*)$/.exec(
      address,
    ) ?? [];
  if (name === undefined || namespace === undefined) return undefined;
  const segments = base.split('/').filter(segment => segment !== '');
  if (!segments.every(segment => SEGMENT.test(segment))) return undefined;
  const at = port ?? (scheme === 'https' ? '443' : '80');
  const path = [
    '',
    'api',
    'v1',
    'namespaces',
    namespace,
    'services',
    `${scheme}:${name}:${at}`,
    'proxy',
    ...segments,
  ];
  return { namespace, path: path.join('/') };
}
