import { z } from 'zod';
import { canaryRow, eventRow, ingressRow, kustomizationRow, workloadRow } from './record-rows.js';
import { TestbedError } from './testbed-error.js';
function watchedPaths({ namespace, fluxNamespace = namespace }) {
  const of = (group, resource, where = namespace) => `/${group}/namespaces/${where}/${resource}`;
  return [
    { path: of('apis/flagger.app/v1beta1', 'canaries'), row: canaryRow, baseline: true },
    {
      path: of('apis/apps/v1', 'deployments'),
      row: object => workloadRow('Deployment', object),
      baseline: true,
    },
    {
      path: of('apis/apps/v1', 'daemonsets'),
      row: object => workloadRow('DaemonSet', object),
      baseline: true,
    },
    { path: of('apis/networking.k8s.io/v1', 'ingresses'), row: ingressRow, baseline: true },
    {
      path: of('apis/kustomize.toolkit.fluxcd.io/v1', 'kustomizations', fluxNamespace),
      row: kustomizationRow,
      baseline: true,
    },
    { path: of('api/v1', 'events'), row: eventRow, baseline: false },
  ];
}
const objectList = z.object({
  metadata: z.object({ resourceVersion: z.string() }),
  items: z.array(z.unknown()),
});
/** Starts to record; resolves when the baseline is written and every watch runs on from there. */
export async function startRecording(options) {
  const start = Date.now();
  const ending = new AbortController();
  const rows = [];
  const last = new Map();
  const listeners = new Set();
  let failure;
  let stepAt = 0;
  const now = () => Math.round((Date.now() - start) / 100) / 10;
  const push = row => {
    rows.push(row);
    for (const listener of listeners) listener();
  };
  /** Keeps a row when it differs from the object's last one. */
  const keep = (row, baseline) => {
    if (row === undefined) return;
    const key = rowKey(row);
    const content = JSON.stringify(row);
    if (last.get(key) === content) return;
    last.set(key, content);
    push(baseline ? { t: 0, baseline, ...row } : { t: now(), ...row });
  };
  const forget = row => {
    // Events are deleted by age, which tells nothing.
    if (row === undefined || row.kind === 'Event') return;
    last.delete(rowKey(row));
    push({ t: now(), kind: row.kind, name: row.name, deleted: true });
  };
  const list = async (watched, baseline) => {
    const { metadata, items } = objectList.parse(await options.api.send({ path: watched.path }));
    if (!baseline || watched.baseline) for (const item of items) keep(watched.row(item), baseline);
    return metadata.resourceVersion;
  };
  const follow = async (watched, from) => {
    let version = from;
    while (!ending.signal.aborted) {
      await options.api.watch({
        path: `${watched.path}?watch=1&resourceVersion=${version}`,
        signal: ending.signal,
        onEvent: ({ type, object }) => {
          if (type === 'DELETED') forget(watched.row(object));
          else if (type !== 'ERROR') keep(watched.row(object), false);
        },
      });
      // The server ends a watch after some minutes, or with an ERROR (410) when the version is too old. What was missed
      // in between shows as one change.
      if (!ending.signal.aborted) version = await list(watched, false);
    }
  };
  const watched = watchedPaths(options);
  const versions = await Promise.all(watched.map(async each => [each, await list(each, true)]));
  const following = versions.map(([each, version]) =>
    follow(each, version).catch(cause => {
      failure = cause;
      for (const listener of listeners) listener();
    }),
  );
  return {
    rows: () => rows,
    step: what => {
      stepAt = rows.length;
      push({ t: now(), step: what });
    },
    waitFor: (what, matches, limitMs) =>
      new Promise((resolve, reject) => {
        const finish = end => {
          clearTimeout(timer);
          listeners.delete(look);
          end();
        };
        const look = () => {
          const found = rows.slice(stepAt).find(matches);
          if (found !== undefined) finish(() => resolve(found));
          else if (failure !== undefined) finish(() => reject(failure));
        };
        const timer = setTimeout(() => {
          const end = toJsonLines(rows.slice(-10));
          finish(() =>
            reject(new TestbedError(`Not seen within ${limitMs / 1000} s: ${what}. The last rows:\n${end}`)),
          );
        }, limitMs);
        listeners.add(look);
        look();
      }),
    async stop() {
      ending.abort();
      await Promise.all(following);
    },
  };
}
function rowKey(row) {
  return `${row.kind}/${row.name}${row.kind === 'Event' ? `/${row.message}` : ''}`;
}
/** A recording as it is kept in a file, one row a line. */
export function toJsonLines(rows) {
  return rows.map(row => `${JSON.stringify(row)}\n`).join('');
}
