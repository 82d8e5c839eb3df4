import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import { z } from 'zod';
import { type Labels, type MetricsExporter, startMetricsExporter } from './metrics-exporter.ts';
import { type MetricsGateway, startMetricsGateway } from './metrics-gateway.ts';
import { TestbedError } from './testbed-error.ts';

/** What a scenario does to the metrics that Flagger asks for. */
export interface MetricsControl {
  /** Sets a gauge; Prometheus knows it within a second, see `settled`. */
  set(name: string, labels: Labels, value: number): void;
  /** Makes a counter that grows by `perSecond`, for queries with `rate()` such as Flagger's built-in ones. */
  rate(name: string, labels: Labels, perSecond: number): void;
  /** Takes a series away: its query then finds no value. */
  remove(name: string, labels: Labels): void;
  /** Resolves when Prometheus has all changes made so far. */
  settled(): Promise<void>;
  /** Prometheus answers nobody, or nobody who asks through one namespace's `server`. */
  down(namespace?: string): void;
  up(namespace?: string): void;
  /** Prometheus' address; with a namespace one that can be taken down by itself. */
  server(namespace?: string): string;
  /** Address of the exporter: `POST /values` sets values from outside this process. */
  readonly exporter: string;
  close(): Promise<void>;
}

const instant = z.object({
  data: z.object({ result: z.array(z.object({ value: z.tuple([z.number(), z.string()]) })) }),
});

/** Starts the exporter and the gateway; `prometheus` is the port where Prometheus will listen. */
export async function startMetrics(prometheus: number): Promise<MetricsControl> {
  const exporter: MetricsExporter = await startMetricsExporter();
  const gateway: MetricsGateway = await startMetricsGateway(prometheus);
  return {
    set: exporter.set,
    rate: exporter.rate,
    remove: exporter.remove,
    down: gateway.down,
    up: gateway.up,
    server: namespace => (namespace === undefined ? gateway.url : `${gateway.url}/ns/${namespace}`),
    exporter: exporter.url,
    async settled() {
      const wanted = exporter.changes();
      const end = Date.now() + 30_000;
      while ((await knownChanges(prometheus)) < wanted) {
        if (Date.now() > end) throw new TestbedError('Prometheus has not read the metrics for 30 s.');
        await sleep(100);
      }
    },
    async close() {
      await exporter.close();
      await gateway.close();
    },
  };
}

async function knownChanges(prometheus: number): Promise<number> {
  const answer = await request(`http://127.0.0.1:${prometheus}/api/v1/query?query=testbed_changes`);
  const { data } = instant.parse(await answer.body.json());
  return Number(data.result[0]?.value[1] ?? -1);
}
