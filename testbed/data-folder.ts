import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { auditPolicy } from './audit.ts';
import type { DataFiles } from './programs.ts';
import { USERS_NAMESPACE } from './users.ts';

/**
 * Writes what the programs read at their start and gives the administrator's token. The API server's certificate is not
 * among it: kube-apiserver makes its own in its --cert-dir, valid for the loopback address.
 */
export async function fillDataFolder(options: {
  readonly files: DataFiles;
  /** Folder with kwok's own stages, as built. */
  readonly stages: string;
  /** The exporter's url. */
  readonly exporter: string;
  /** Port of the OCI registry. */
  readonly registryPort: number;
}): Promise<string> {
  const { files } = options;
  const token = randomBytes(24).toString('hex');
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  for (const folder of [files.certificates, files.artifacts]) await mkdir(folder, { recursive: true });
  await writeFile(files.serviceAccountKey, privateKey.export({ type: 'pkcs1', format: 'pem' }), {
    mode: 0o600,
  });
  await writeFile(files.tokens, `${token},admin,admin,"system:masters"\n`, { mode: 0o600 });
  await writeFile(files.auditPolicy, auditPolicy(`system:serviceaccounts:${USERS_NAMESPACE}`));
  await writeFile(files.audit, '');
  await writeFile(files.prometheusConfig, prometheusConfig(options.exporter));
  await writeFile(files.registryConfig, registryConfig(files.registry, options.registryPort));
  for (const stage of files.kwokStages) {
    const name = stage.slice(dirname(stage).length + 1);
    const source = await readFile(join(options.stages, kwokFile(name)), 'utf8');
    await mkdir(dirname(stage), { recursive: true });
    await writeFile(stage, name === 'pod-ready.yaml' ? exceptNeverReady(source) : source);
  }
  return token;
}

/** Stages are copied under their path in the module: `pod-fast-pod-ready.yaml`. */
function kwokFile(stage: string): string {
  return `${stage.startsWith('node-') ? 'node' : 'pod'}-fast-${stage}`;
}

const podReadyStage = z.looseObject({
  spec: z.looseObject({ selector: z.looseObject({ matchExpressions: z.array(z.unknown()) }) }),
});

/**
 * Leaves a pod alone when one of its images has a tag ending in `-never-ready`: it stays Pending, as one whose image can't
 * be pulled does, so that a release can be broken by its image alone.
 */
function exceptNeverReady(source: string): string {
  const stage = podReadyStage.parse(parse(source));
  stage.spec.selector.matchExpressions.push({
    key: '.spec.containers.[].image | select(endswith("-never-ready"))',
    operator: 'DoesNotExist',
  });
  return stringify(stage);
}

function prometheusConfig(exporter: string): string {
  return stringify({
    global: { scrape_interval: '1s', scrape_timeout: '1s' },
    scrape_configs: [
      {
        job_name: 'testbed',
        // The labels that a scenario gives, namespace above all, stay as they are.
        honor_labels: true,
        static_configs: [{ targets: [new URL(exporter).host] }],
      },
    ],
  });
}

function registryConfig(folder: string, port: number): string {
  return stringify({
    version: '0.1',
    log: { level: 'warn', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: folder } },
    http: { addr: `127.0.0.1:${port}` },
  });
}
