/** Ready-made queries, so that nobody has to write PromQL for the usual ones. In per cent and milliseconds. */
export interface MetricPreset {
  readonly query: string;
  /** Address of the Prometheus that usually has these series. */
  readonly address?: string;
  readonly unit: '%' | 'ms';
  readonly what: string;
}

const LINKERD = 'http://prometheus.linkerd-viz:9090';
/** Series of the target's own pods, as Linkerd's proxy counts them on the way in. */
const INBOUND = 'namespace="{{ namespace }}", deployment="{{ target }}", direction="inbound"';
/** Series of the Ingress that Flagger made for the canary. */
const CANARY_INGRESS = 'namespace="{{ namespace }}", ingress="{{ ingress }}", canary!=""';

export const METRIC_PRESETS = {
  'linkerd-success-rate': {
    query: `100 * sum(rate(response_total{${INBOUND}, classification="success"}[{{ interval }}]))
  / sum(rate(response_total{${INBOUND}}[{{ interval }}]))`,
    address: LINKERD,
    unit: '%',
    what: 'Requests that Linkerd counts as successful.',
  },
  'linkerd-latency-p99': {
    query: `histogram_quantile(0.99,
  sum by (le) (rate(response_latency_ms_bucket{${INBOUND}}[{{ interval }}])))`,
    address: LINKERD,
    unit: 'ms',
    what: 'Time in which 99 % of the requests are answered, by Linkerd’s proxy.',
  },
  'nginx-success-rate': {
    query: `100 * sum(rate(nginx_ingress_controller_requests{${CANARY_INGRESS}, status!~"5.."}[{{ interval }}]))
  / sum(rate(nginx_ingress_controller_requests{${CANARY_INGRESS}}[{{ interval }}]))`,
    unit: '%',
    what: 'Requests through the canary Ingress that are not answered with a 5xx.',
  },
  'nginx-latency-p99': {
    query: `1000 * histogram_quantile(0.99,
  sum by (le) (rate(nginx_ingress_controller_response_duration_seconds_bucket{${CANARY_INGRESS}}[{{ interval }}])))`,
    unit: 'ms',
    what: 'Time in which 99 % of the requests through the canary Ingress are answered.',
  },
} as const satisfies Readonly<Record<string, MetricPreset>>;

export type MetricPresetName = keyof typeof METRIC_PRESETS;

/** Keys of the Secret that each metric source reads (Flagger pkg/metrics/providers). */
export const METRIC_SECRET_KEYS = {
  prometheus: ['username and password, or token, where Prometheus asks for them'],
  influxdb: ['token', 'org'],
  datadog: ['datadog_api_key', 'datadog_application_key'],
  newrelic: ['newrelic_account_id', 'newrelic_query_key'],
  cloudwatch: ['none: provider.region, and the role of Flagger’s pod'],
  stackdriver: ['project', 'serviceAccountKey, unless Flagger’s own account may read'],
  graphite: ['username and password, where Graphite asks for them'],
  dynatrace: ['dynatrace_token'],
  splunk: ['sf_token_key'],
  keptn: ['none'],
  externalmetrics: ['token, where the API asks for one'],
} as const satisfies Readonly<Record<string, readonly string[]>>;
