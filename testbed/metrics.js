import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import { z } from 'zod';
import { startMetricsExporter } from './metrics-exporter.js';
import { startMetricsGateway } from './metrics-gateway.js';
import { TestbedError } from './testbed-error.js';
const instant = z.object({
  data: z.object({ result: z.array(z.object({ value: z.tuple([z.number(), z.string()]) })) }),
});
/** Starts the exporter and the gateway; `prometheus` is the port where Prometheus will listen. */
export async function startMetrics(prometheus) {
  const exporter = await startMetricsExporter();
  const gateway = await startMetricsGateway(prometheus);
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
async function knownChanges(prometheus) {
  const answer = await request(`http://127.0.0.1:${prometheus}/api/v1/query?query=testbed_changes`);
  const { data } = instant.parse(await answer.body.json());
  return Number(data.result[0]?.value[1] ?? -1);
}
