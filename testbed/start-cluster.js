import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { applyBase, applyDefinitions } from './cluster-objects.js';
import { fillDataFolder } from './data-folder.js';
import { freePorts } from './free-ports.js';
import { hasCondition, isHealthy, waitUntil } from './health.js';
import { kubeApi } from './kube-api.js';
import { kubeconfig } from './kubeconfig.js';
import * as programs from './programs.js';
export async function choosePorts() {
  const next = freePorts();
  return {
    etcd: await next(),
    etcdPeer: await next(),
    apiServer: await next(),
    flagger: await next(),
    loadtester: await next(),
    prometheus: await next(),
    artifacts: await next(),
    sourceHealth: await next(),
    kustomizeHealth: await next(),
    helmHealth: await next(),
  };
}
/**
 * Starts every program in the order in which they need each other: etcd, the API server, the definitions, then all
 * controllers at once.
 */
export async function startCluster(parts) {
  const { build, data, ports, metrics, processes } = parts;
  const files = programs.dataFiles(data);
  const token = await fillDataFolder({
    files,
    stages: join(build.manifests, 'kwok'),
    exporter: metrics.exporter,
  });
  const options = { build, ports, files, metricsServer: metrics.server(), meshProvider: parts.meshProvider };
  const healthy = (name, port, path) =>
    waitUntil(`${name} is healthy`, () => isHealthy(`http://127.0.0.1:${port}${path}`), processes.check);
  await Promise.all([
    processes.start(programs.etcd(options)),
    processes.start(programs.prometheus(options)),
    processes.start(programs.loadtester(options)),
  ]);
  await healthy('etcd', ports.etcd, '/health');
  await processes.start(programs.kubeApiServer(options));
  const server = await connect({ ports, files, token, processes });
  await writeFile(files.kubeconfig, kubeconfig({ ...server, token, user: 'admin' }), { mode: 0o600 });
  await processes.start(programs.kubeControllerManager(options));
  await processes.start(programs.kubeScheduler(options));
  await applyBase(server.api);
  await processes.start(programs.kwok(options));
  await applyDefinitions(server.api, join(build.manifests, 'crds'));
  const controllers = [programs.sourceController, programs.kustomizeController, programs.flagger];
  if (parts.helm) controllers.push(programs.helmController);
  await Promise.all(controllers.map(program => processes.start(program(options))));
  await Promise.all([
    healthy('Prometheus', ports.prometheus, '/-/ready'),
    healthy('the load tester', ports.loadtester, '/healthz'),
    healthy('source-controller', ports.sourceHealth, '/readyz'),
    healthy('kustomize-controller', ports.kustomizeHealth, '/readyz'),
    healthy('Flagger', ports.flagger, '/healthz'),
    ...(parts.helm ? [healthy('helm-controller', ports.helmHealth, '/readyz')] : []),
    waitUntil('the node is ready', () => nodeReady(server.api), processes.check),
  ]);
  return { ...server, token };
}
/** Waits for the API server's certificate, then for the server. */
async function connect(options) {
  const { ports, files, token, processes } = options;
  const url = `https://127.0.0.1:${ports.apiServer}`;
  let server;
  await waitUntil(
    'kube-apiserver is ready',
    async () => {
      if (server === undefined) {
        // The file holds the certificate and the authority that kube-apiserver made for it.
        const ca = await readFile(join(files.certificates, 'apiserver.crt'), 'utf8');
        server = { ca, api: kubeApi({ url, ca, token }) };
      }
      return (await server.api.send({ path: '/readyz' })) === 'ok';
    },
    processes.check,
  );
  if (server === undefined) throw new Error('unreachable: the server answered');
  return { url, ...server };
}
async function nodeReady(api) {
  return hasCondition(await api.send({ path: '/api/v1/nodes/testbed' }), 'Ready');
}
