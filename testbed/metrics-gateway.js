import { createServer, request } from 'node:http';
import { listen } from './listen.js';
/** @param prometheus port on 127.0.0.1 */
export async function startMetricsGateway(prometheus) {
  const closed = new Set();
  const everybody = '';
  const pass = (incoming, outgoing) => {
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
