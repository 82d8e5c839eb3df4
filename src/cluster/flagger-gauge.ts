import { KubeError, type KubeClient } from './kube-client.ts';

/** Where Flagger serves its metrics, as the input `flagger-metrics` names it: `namespace/service:port`. */
export interface FlaggerService {
  readonly namespace: string;
  readonly name: string;
  /** Name or number of the Service's port. */
  readonly port: string;
}

/** By target (`namespace/name`) and metric; in the unit of the metric's threshold. */
export type GaugeValues = ReadonlyMap<string, Readonly<Record<string, number>>>;

/** Longer than a metrics page takes; shorter than anybody should wait for a chart (ms). */
const TIMEOUT_MS = 3_000;
const LINE = /^flagger_canary_metric_analysis\{(.*)\} (\S+)$/gm;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;

/**
 * The last value of every metric that Flagger has checked, from its own gauge (Flagger pkg/metrics/recorder.go), read
 * through the API server. It is for charts only: whatever goes wrong costs nothing but the values.
 */
export class FlaggerGauge {
  private readonly kube: KubeClient;
  private readonly path: string;
  private readonly onMissing: (why: string) => void;
  /** It is not there, or not for us: asking again would change nothing. */
  private off = false;

  constructor(on: {
    readonly kube: KubeClient;
    readonly service: FlaggerService;
    /** Called once, when it will not be asked any more. */
    readonly onMissing: (why: string) => void;
  }) {
    const { namespace, name, port } = on.service;
    this.kube = on.kube;
    this.path = `/api/v1/namespaces/${namespace}/services/${name}:${port}/proxy/metrics`;
    this.onMissing = on.onMissing;
  }

  /** Undefined when nothing can be said now. Never throws. */
  async values(): Promise<GaugeValues | undefined> {
    if (this.off) return undefined;
    try {
      return parseGauge(await this.kube.text(this.path, TIMEOUT_MS));
    } catch (error) {
      if (error instanceof KubeError && [400, 403, 404].includes(error.status)) {
        this.off = true;
        this.onMissing(
          error.status === 403 ? 'it is not allowed (get services/proxy)' : `status ${error.status}`,
        );
      }
      return undefined;
    }
  }
}

export function parseGauge(text: string): GaugeValues {
  const values = new Map<string, Record<string, number>>();
  for (const [, labels = '', number = ''] of text.matchAll(LINE)) {
    const label = Object.fromEntries(
      [...labels.matchAll(LABEL)].map(([, name, value = '']) => [name, value.replace(/\\(.)/g, '$1')]),
    );
    const { name, namespace, metric } = label;
    const value = Number(number);
    if (name === undefined || namespace === undefined || metric === undefined || !Number.isFinite(value))
      continue;
    const target = `${namespace}/${name}`;
    const known = values.get(target) ?? {};
    // Flagger writes seconds here and compares milliseconds (scheduler_metrics.go).
    known[metric] = metric === 'request-duration' ? value * 1000 : value;
    values.set(target, known);
  }
  return values;
}
