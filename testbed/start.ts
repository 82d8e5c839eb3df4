import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BuildOptions, buildTestbed } from './build.ts';
import type { KubeApi } from './kube-api.ts';
import { startKnativeRevisions } from './knative-revisions.ts';
import { kubeconfig } from './kubeconfig.ts';
import { type MetricsControl, startMetrics } from './metrics.ts';
import { type ProcessGroup, startProcessGroup } from './process-group.ts';
import { checkPrometheus } from './prometheus.ts';
import { choosePorts, startCluster } from './start-cluster.ts';
import { type AuditedRequest, auditedRequests } from './audit.ts';
import { dataFiles } from './programs.ts';
import { addLimitedUser, type LimitedUser, usernameOf } from './users.ts';

export interface TestbedOptions extends BuildOptions {
  /** Flagger's -mesh-provider, for canaries without spec.provider; default `nginx`. */
  readonly meshProvider?: string;
  /** Whether helm-controller runs, too; default true. */
  readonly helm?: boolean;
}

/** A running control plane. */
export interface Testbed {
  /** `https://127.0.0.1:PORT`, with a certificate of its own: see `ca`. */
  readonly apiUrl: string;
  /** PEM. */
  readonly ca: string;
  readonly adminToken: string;
  /** The administrator's kubeconfig, YAML. */
  readonly kubeconfig: string;
  readonly api: KubeApi;
  readonly metrics: MetricsControl;
  /** Flagger's `/metrics` and `/healthz`. */
  readonly flaggerUrl: string;
  /** Flagger's load tester: gates (`/gate/open`, `/gate/check` …) and `/rollback/…`. */
  readonly loadtesterUrl: string;
  /** `127.0.0.1:PORT` of an OCI registry without TLS, empty at first. */
  readonly registry: string;
  /** To kill or restart one of the programs, by its name in programs.ts. */
  readonly processes: ProcessGroup;
  /** One file per program. */
  readonly logs: string;
  /** Adds a user who may do only what `rules` say. */
  addUser(user: LimitedUser): Promise<{ readonly token: string; readonly kubeconfig: string }>;
  /** What a user that was added has asked of the API server. */
  audited(user: Pick<LimitedUser, 'name'>): Promise<readonly AuditedRequest[]>;
  /** Kills everything and removes the data; the logs, too, unless they are to be kept. */
  stop(options?: { readonly keepLogs?: boolean }): Promise<void>;
}

/**
 * Builds what is not built yet, starts it all on free ports and resolves when every part is healthy. Nothing of it
 * outlives this process, however that ends.
 *
 * @throws TestbedError with what is missing, or with the end of the log of the program that did not start; the logs
 * are then kept, and the message says where.
 */
export async function startTestbed(options: TestbedOptions = {}): Promise<Testbed> {
  const log = options.log ?? (() => {});
  await checkPrometheus();
  const build = await buildTestbed(options);
  const root = await mkdtemp(join(tmpdir(), 'gated-rollout-testbed-'));
  const folders = { data: join(root, 'data'), logs: join(root, 'logs') };
  await mkdir(folders.data);
  await mkdir(folders.logs);
  const ports = await choosePorts();
  const metrics = await startMetrics(ports.prometheus);
  const processes = startProcessGroup(folders);

  const stop = async ({ keepLogs = false } = {}): Promise<void> => {
    await processes.end();
    await metrics.close();
    if (!keepLogs) await rm(root, { recursive: true, force: true });
  };
  try {
    const cluster = await startCluster({
      build,
      data: folders.data,
      ports,
      metrics,
      processes,
      meshProvider: options.meshProvider ?? 'nginx',
      helm: options.helm ?? true,
    });
    const knative = startKnativeRevisions(cluster.api);
    const server = { url: cluster.url, ca: cluster.ca };
    log(`The testbed runs; logs: ${folders.logs}`);
    return {
      apiUrl: cluster.url,
      ca: cluster.ca,
      adminToken: cluster.token,
      kubeconfig: kubeconfig({ ...server, token: cluster.token, user: 'admin' }),
      api: cluster.api,
      metrics,
      flaggerUrl: `http://127.0.0.1:${ports.flagger}`,
      loadtesterUrl: `http://127.0.0.1:${ports.loadtester}`,
      registry: `127.0.0.1:${ports.registry}`,
      processes,
      logs: folders.logs,
      async addUser(user) {
        const token = await addLimitedUser(cluster.api, user);
        return { token, kubeconfig: kubeconfig({ ...server, token, user: user.name }) };
      },
      audited: user => auditedRequests(dataFiles(folders.data).audit, usernameOf(user)),
      async stop(how) {
        await knative.stop();
        await cluster.api.close();
        await stop(how);
      },
    };
  } catch (cause) {
    await stop({ keepLogs: true });
    log(`The testbed did not start; logs: ${folders.logs}`);
    throw cause;
  }
}
