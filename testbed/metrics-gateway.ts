import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { listen } from './listen.ts';

/**
 * The address under which Prometheus is reached: `URL` for everybody, `URL/ns/NAME` for one test namespace
 * (`spec.metricsServer` of a Canary, `address` of a MetricTemplate). Each can be taken down by itself, so scenarios that
 * run side by side do not see each other's outage.
 */
export interface MetricsGateway {
  readonly url: string;
  /** Drops every connection without an answer; for one namespace's address, or for all. */
  down(namespace?: string): void;
  up(namespace?: string): void;
  close(): Promise<void>;
}

/** @param prometheus port on 127.0.0.1 */
export async function startMetricsGateway(prometheus: number): Promise<MetricsGateway> {
  const closed = new Set<string>();
  const everybody = '';

  const pass = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    const [, namespace, rest] = /^\/ns\/([^/]+)(\/.*)$/.exec(incoming.url ?? '/') ?? [];
    if (closed.has(everybody) || (namespace !== undefined && closed.has(namespace))) {
      incoming.socket.destroy();
      return;
    }
    const onward = request(
      {
        host: '127.0.0.1',
        port: prometheus,
        method: incoming.method,
        path: rest ?? incoming.url,
        headers: incoming.headers,
      },
      answer => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      },
    );
    onward.on('error', () => incoming.socket.destroy());
    incoming.pipe(onward);
  };

  return {
    ...(await listen(createServer(pass))),
    down: namespace => {
      closed.add(namespace ?? everybody);
    },
    up: namespace => {
      closed.delete(namespace ?? everybody);
    },
  };
}
