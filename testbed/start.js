import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildTestbed } from './build.js';
import { kubeconfig } from './kubeconfig.js';
import { startMetrics } from './metrics.js';
import { startProcessGroup } from './process-group.js';
import { checkPrometheus } from './prometheus.js';
import { choosePorts, startCluster } from './start-cluster.js';
import { addLimitedUser } from './users.js';
/**
 * Builds what is not built yet, starts it all on free ports and resolves when every part is healthy. Nothing of it
 * outlives this process, however that ends.
 *
 * @throws TestbedError with what is missing, or with the end of the log of the program that did not start; the logs
 * are then kept, and the message says where.
 */
export async function startTestbed(options = {}) {
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
  const stop = async ({ keepLogs = false } = {}) => {
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
      processes,
      logs: folders.logs,
      async addUser(user) {
        const token = await addLimitedUser(cluster.api, user);
        return { token, kubeconfig: kubeconfig({ ...server, token, user: user.name }) };
      },
      async stop(how) {
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
