import type {
  AlertSettings,
  CanarySettings,
  MetricSettings,
  WebhookSettings,
} from '../../config/settings.ts';
import { METRIC_PRESETS, type MetricPreset } from '../../flagger/metric-presets.ts';
import { record } from '../../build/json.ts';

type Fields = Readonly<Record<string, unknown>>;

interface CanaryName {
  readonly name: string;
  readonly namespace?: string;
}

/** What rollout.yaml says in short, in Flagger's own fields, and the objects that go with it. */
export function withShortForms(
  settings: CanarySettings,
  canary: CanaryName,
): { readonly spec: Fields; readonly objects: readonly Fields[] } {
  const { metrics, alerts, webhooks } = settings;
  const analysis = {
    ...record(settings.spec['analysis']),
    ...(metrics ? { metrics: metrics.map(metric => analysisMetric(metric, canary)) } : {}),
    ...(webhooks ? { webhooks: webhooks.map(webhook) } : {}),
    ...(alerts ? { alerts: alerts.map(alert => analysisAlert(alert, canary)) } : {}),
  };
  const given = Object.keys(analysis).length > 0 ? { ...settings.spec, analysis } : settings.spec;
  const objects = [
    ...(metrics ?? []).map(metric => metricTemplate(metric, canary)).filter(object => object !== undefined),
    ...(alerts ?? []).map(alert => alertProvider(alert, canary)),
  ];
  return { spec: withWholeIngressRef(given), objects };
}

function analysisMetric(metric: MetricSettings, canary: CanaryName): Fields {
  const { name, min, max, interval, templateRef, templateVariables } = metric;
  const own = queryOf(metric) !== undefined;
  const reference = own ? { name: templateName(metric, canary) } : templateRef;
  return {
    name,
    ...(reference ? { templateRef: reference } : {}),
    thresholdRange: { ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) },
    interval: interval ?? '1m',
    ...(templateVariables ? { templateVariables } : {}),
  };
}

function metricTemplate(metric: MetricSettings, canary: CanaryName): Fields | undefined {
  const query = queryOf(metric);
  if (query === undefined) return undefined;
  const preset = presetOf(metric);
  const provider = preset
    ? { type: 'prometheus', address: preset.address, ...metric.provider }
    : metric.provider;
  return {
    apiVersion: 'flagger.app/v1beta1',
    kind: 'MetricTemplate',
    metadata: metadata(templateName(metric, canary), canary),
    spec: { provider: providerOf(provider), query },
  };
}

function queryOf(metric: MetricSettings): string | undefined {
  return metric.query ?? presetOf(metric)?.query;
}

function presetOf({ preset }: MetricSettings): MetricPreset | undefined {
  return preset === undefined ? undefined : METRIC_PRESETS[preset];
}

function templateName(metric: MetricSettings, canary: CanaryName): string {
  return `${canary.name}-${metric.name}`;
}

/** `secretRef: name` for Flagger's `secretRef: {name}`; what is not given is left out. */
function providerOf(provider: Fields | undefined): Fields {
  const given = Object.entries(provider ?? {}).filter(([, value]) => value !== undefined);
  const { secretRef, ...rest } = Object.fromEntries(given);
  if (secretRef === undefined) return rest;
  return { ...rest, secretRef: typeof secretRef === 'string' ? { name: secretRef } : secretRef };
}

function analysisAlert(alert: AlertSettings, canary: CanaryName): Fields {
  const name = alertName(alert, canary);
  return { name, severity: alert.severity, providerRef: { name } };
}

function alertProvider(alert: AlertSettings, canary: CanaryName): Fields {
  const { type, channel, username, address, proxy, secretRef } = alert;
  return {
    apiVersion: 'flagger.app/v1beta1',
    kind: 'AlertProvider',
    metadata: metadata(alertName(alert, canary), canary),
    spec: {
      type,
      ...(channel === undefined ? {} : { channel }),
      ...(username === undefined ? {} : { username }),
      ...(address === undefined ? {} : { address }),
      ...(proxy === undefined ? {} : { proxy }),
      ...(secretRef === undefined ? {} : { secretRef: { name: secretRef } }),
    },
  };
}

function alertName(alert: AlertSettings, canary: CanaryName): string {
  return alert.name ?? `${canary.name}-${alert.type}`;
}

function metadata(name: string, { namespace }: CanaryName): Fields {
  return { name, ...(namespace === undefined ? {} : { namespace }) };
}

/** Flagger pkg/loadtester/server.go: tasks by metadata.type, gates by their own paths. */
function webhook(settings: WebhookSettings): Fields {
  if ('load' in settings && typeof settings['load'] === 'string') {
    const { load, tester, name = 'load' } = settings;
    const metadata = { type: 'cmd', cmd: load, logCmdOutput: 'true' };
    return { name, type: 'rollout', url: `${base(tester)}/`, timeout: '5s', metadata };
  }
  if ('test' in settings && typeof settings['test'] === 'string') {
    const { test, tester, name = 'test', timeout } = settings;
    const metadata = { type: 'bash', cmd: test };
    return { name, type: 'pre-rollout', url: `${base(tester)}/`, timeout: timeout ?? '30s', metadata };
  }
  if ('gate' in settings && typeof settings['gate'] === 'string') {
    const { gate, tester, name = gate } = settings;
    const path = gate === 'rollback' ? 'rollback/check' : 'gate/check';
    return { name, type: gate, url: `${base(tester)}/${path}` };
  }
  return settings;
}

function base(tester: unknown): string {
  return String(tester).replace(/\/+$/, '');
}

/** The CRD wants all three; only the name is anybody's choice. */
function withWholeIngressRef(spec: Fields): Fields {
  const { ingressRef } = spec;
  if (ingressRef === undefined) return spec;
  const whole = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', ...record(ingressRef) };
  return { ...spec, ingressRef: whole };
}
