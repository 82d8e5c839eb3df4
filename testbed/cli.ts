/** `npm run testbed`: the testbed by hand, until Ctrl-C. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startTestbed } from './start.ts';
import { TestbedError } from './testbed-error.ts';

const usage = `Usage: npm run testbed -- [options]

Starts etcd, Kubernetes, Flux, Flagger and Prometheus on free ports of this machine and stops them on Ctrl-C.

  --mesh-provider NAME   Flagger's provider for canaries that name none (default: nginx)
  --no-helm              leave helm-controller out
  --jobs N               compilations at the same time, in the first build
  --keep-logs            do not remove the logs at the end
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    allowNegative: true,
    options: {
      help: { type: 'boolean' },
      'mesh-provider': { type: 'string' },
      helm: { type: 'boolean' },
      jobs: { type: 'string' },
      'keep-logs': { type: 'boolean' },
    },
  });
  if (values.help === true) {
    process.stdout.write(usage);
    return;
  }
  const jobs = values.jobs === undefined ? undefined : Number(values.jobs);
  const testbed = await startTestbed({
    log: line => process.stderr.write(`${line}\n`),
    ...(values['mesh-provider'] === undefined ? {} : { meshProvider: values['mesh-provider'] }),
    ...(values.helm === undefined ? {} : { helm: values.helm }),
    ...(jobs === undefined ? {} : { jobs }),
  });
  const stopped = new Promise<void>(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
  });
  const file = join(testbed.logs, 'kubeconfig');
  await writeFile(file, testbed.kubeconfig, { mode: 0o600 });
  process.stdout.write(
    `${[
      `export KUBECONFIG=${file}`,
      `export FLAGGER_URL=${testbed.flaggerUrl}`,
      `export LOADTESTER_URL=${testbed.loadtesterUrl}`,
      `export PROMETHEUS_URL=${testbed.metrics.server()}`,
      `export METRICS_URL=${testbed.metrics.exporter}`,
      `export REGISTRY=${testbed.registry}`,
    ].join('\n')}\n`,
  );
  process.stderr.write(
    'Paste these lines into another terminal: kubectl, flux and gated-rollout work on it there. Ctrl-C stops it all.\n',
  );
  await stopped;
  await testbed.stop({ keepLogs: values['keep-logs'] ?? false });
  process.stderr.write('Stopped; nothing is left running.\n');
}

try {
  await main();
} catch (error) {
  if (!(error instanceof TestbedError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
