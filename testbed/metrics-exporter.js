import { createServer } from 'node:http';
import { z } from 'zod';
import { listen } from './listen.js';
const posted = z.object({
  name: z.string().regex(/^[a-zA-Z_:][a-zA-Z0-9_:]*$/),
  labels: z.record(z.string(), z.string()).default({}),
  value: z.number().optional(),
  rate: z.number().optional(),
});
/** Starts the exporter on a free port of 127.0.0.1. */
export async function startMetricsExporter() {
  const table = new Map();
  let changes = 0;
  const put = (key, series) => {
    table.set(key, series);
    changes += 1;
  };
  const values = {
    set: (name, labels, value) => put(seriesKey(name, labels), { start: value, since: 0, perSecond: 0 }),
    rate: (name, labels, perSecond) => {
      const key = seriesKey(name, labels);
      const now = Date.now();
      const before = table.get(key);
      put(key, { start: before === undefined ? 0 : valueAt(before, now), since: now, perSecond });
    },
    remove: (name, labels) => {
      table.delete(seriesKey(name, labels));
      changes += 1;
    },
    changes: () => changes,
  };
  const server = createServer(async (request, response) => {
    if (request.method === 'POST' && request.url === '/values') {
      let body = '';
      for await (const chunk of request.setEncoding('utf8')) body += chunk;
      const parsed = z.string().transform(parseJson).pipe(posted).safeParse(body);
      if (!parsed.success) {
        response.writeHead(400).end(`${z.prettifyError(parsed.error)}\n`);
        return;
      }
      const { name, labels, value, rate } = parsed.data;
      if (rate !== undefined) values.rate(name, labels, rate);
      else if (value !== undefined) values.set(name, labels, value);
      else values.remove(name, labels);
      response.writeHead(204).end();
      return;
    }
    const now = Date.now();
    const lines = [...table].map(([key, series]) => `${key} ${valueAt(series, now)}\n`);
    response.setHeader('content-type', 'text/plain; version=0.0.4');
    response.end(`${lines.join('')}testbed_changes ${changes}\n`);
  });
  const { url, close } = await listen(server);
  return { ...values, url, close };
}
function parseJson(text, context) {
  try {
    return JSON.parse(text);
  } catch {
    context.addIssue('not JSON');
    return z.NEVER;
  }
}
function valueAt(series, now) {
  return series.perSecond === 0
    ? series.start
    : series.start + (series.perSecond * (now - series.since)) / 1000;
}
function seriesKey(name, labels) {
  const escaped = value => value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
  const pairs = Object.entries(labels)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([label, value]) => `${label}="${escaped(value)}"`);
  return pairs.length === 0 ? name : `${name}{${pairs.join(',')}}`;
}
