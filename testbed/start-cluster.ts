import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestbedBuild } from './build.ts';
import { applyBase, applyDefinitions } from './cluster-objects.ts';
import { fillDataFolder } from './data-folder.ts';
import { freePorts } from './free-ports.ts';
import { hasCondition, isHealthy, waitUntil } from './health.ts';
import { type KubeApi, kubeApi } from './kube-api.ts';
import { kubeconfig } from './kubeconfig.ts';
import type { MetricsControl } from './metrics.ts';
import type { ProcessGroup } from './process-group.ts';
import * as programs from './programs.ts';

/** What is known of a started cluster. */
export interface StartedCluster {
  readonly url: string;
  /** PEM. */
  readonly ca: string;
  readonly token: string;
  readonly api: KubeApi;
}

export interface ClusterParts {
  readonly build: TestbedBuild;
  readonly data: string;
  readonly ports: programs.Ports;
  readonly metrics: MetricsControl;
  readonly processes: ProcessGroup;
  readonly meshProvider: string;
  readonly helm: boolean;
}

export async function choosePorts(): Promise<programs.Ports> {
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
    registry: await next(),
  };
}

/**
 * Starts every program in the order in which they need each other: etcd, the API server, the definitions, then all
 * controllers at once.
 */
export async function startCluster(parts: ClusterParts): Promise<StartedCluster> {
  const { build, data, ports, metrics, processes } = parts;
  const files = programs.dataFiles(data);
  const token = await fillDataFolder({
    files,
    stages: join(build.manifests, 'kwok'),
    exporter: metrics.exporter,
    registryPort: ports.registry,
  });
  const options = { build, ports, files, metricsServer: metrics.server(), meshProvider: parts.meshProvider };
  const healthy = (name: string, port: number, path: string): Promise<void> =>
    waitUntil(`${name} is healthy`, () => isHealthy(`http://127.0.0.1:${port}${path}`), processes.check);

  await Promise.all([
    processes.start(programs.etcd(options)),
    processes.start(programs.prometheus(options)),
    processes.start(programs.loadtester(options)),
    processes.start(programs.registry(options)),
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
    healthy('the registry', ports.registry, '/v2/'),
    ...(parts.helm ? [healthy('helm-controller', ports.helmHealth, '/readyz')] : []),
    waitUntil('the node is ready', () => nodeReady(server.api), processes.check),
  ]);
  return { ...server, token };
}

/** Waits for the API server's certificate, then for the server. */
async function connect(options: {
  readonly ports: programs.Ports;
  readonly files: programs.DataFiles;
  readonly token: string;
  readonly processes: ProcessGroup;
}): Promise<{ readonly url: string; readonly ca: string; readonly api: KubeApi }> {
  const { ports, files, token, processes } = options;
  const url = `https://127.0.0.1:${ports.apiServer}`;
  let server: { readonly ca: string; readonly api: KubeApi } | undefined;
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

async function nodeReady(api: KubeApi): Promise<boolean> {
  return hasCondition(await api.send({ path: '/api/v1/nodes/testbed' }), 'Ready');
}
