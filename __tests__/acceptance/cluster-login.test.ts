import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import { midAnalysis, withSandbox } from './with-sandbox.ts';

const kubeconfigSchema = z.looseObject({
  users: z.array(z.object({ name: z.string(), user: z.looseObject({ token: z.string() }) })),
});
const environmentSchema = z.record(z.string(), z.string());

/** The sandbox's kubeconfig, with a program in the place of its token. */
async function withPlugin(
  sandbox: Sandbox,
  folder: string,
  on: { readonly script: string; readonly env?: Readonly<Record<string, string>> },
): Promise<string> {
  const config = kubeconfigSchema.parse(parse(sandbox.cluster.kubeconfig));
  const [user] = config.users;
  const command = join(folder, 'cloud-login');
  const token = JSON.stringify(user?.user.token);
  await writeFile(command, `#!${process.execPath}\nconst TOKEN = ${token};\n${on.script}\n`);
  await chmod(command, 0o755);
  const exec = {
    apiVersion: 'client.authentication.k8s.io/v1',
    command,
    args: ['get-token'],
    env: Object.entries(on.env ?? {}).map(([name, value]) => ({ name, value })),
    interactiveMode: 'Never',
  };
  return stringify({ ...config, users: [{ name: user?.name, user: { exec } }] });
}

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'plugin-'));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const GIVES = `console.log(JSON.stringify({ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status: { token: TOKEN } }));`;

describe.concurrent('a program that the kubeconfig takes its credentials from', () => {
  it('is given what it needs, and no secret of the step', async ({ expect }) => {
    await inFolder(folder =>
      withSandbox({}, async sandbox => {
        const seen = join(folder, 'environ.json');
        const script = `require('node:fs').writeFileSync(${JSON.stringify(seen)}, JSON.stringify(process.env));\n${GIVES}`;
        const kubeconfig = await withPlugin(sandbox, folder, {
          script,
          env: { PLUGIN_SECRET: 'from-kubeconfig' },
        });
        const env = {
          AWS_ACCESS_KEY_ID: 'AKIA',
          AZURE_TENANT_ID: 'tenant',
          CLOUDSDK_CONFIG: '/gcloud',
          GOOGLE_APPLICATION_CREDENTIALS: '/creds',
          no_proxy: '127.0.0.1',
          GITHUB_TOKEN: 'ghs_of-the-job',
          MY_DATABASE_PASSWORD: 'hunter2',
          ACTIONS_RUNTIME_TOKEN: 'runtime',
          ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'oidc',
          NODE_OPTIONS: '--max-old-space-size=512',
        };
        const { outputs, log } = await sandbox.release('6.14.1', { inputs: { kubeconfig }, env });
        expect(outputs).toMatchObject({ verdict: 'promoted' });
        const given = environmentSchema.parse(JSON.parse(await readFile(seen, 'utf8')));
        const { PATH, HOME, KUBERNETES_EXEC_INFO, ...rest } = given;
        expect([PATH, HOME].every(value => value !== undefined && value !== '')).toBe(true);
        expect(JSON.parse(KUBERNETES_EXEC_INFO ?? '')).toMatchObject({ spec: { interactive: false } });
        expect(rest).toEqual({
          PLUGIN_SECRET: 'from-kubeconfig',
          AWS_ACCESS_KEY_ID: 'AKIA',
          AZURE_TENANT_ID: 'tenant',
          CLOUDSDK_CONFIG: '/gcloud',
          GOOGLE_APPLICATION_CREDENTIALS: '/creds',
          no_proxy: '127.0.0.1',
        });
        expect(log.masks).toContain('from-kubeconfig');
      }),
    );
  });

  it('and fails is named, with what to install; its own words stay in the log', async ({ expect }) => {
    await inFolder(folder =>
      withSandbox({}, async sandbox => {
        const script = `console.error('boom-KSECRET-STDERR'); console.error('::set-output name=a::b'); process.exit(7);`;
        const kubeconfig = await withPlugin(sandbox, folder, { script });
        const report = join(folder, 'report.html');
        const { outputs, log, summary } = await sandbox.release('6.14.1', {
          inputs: { kubeconfig, 'report-file': report },
        });
        expect(outputs).toMatchObject({ verdict: 'refused', reason: 'credential-plugin-failed' });
        expect(outputs['result']).toContain(
          'The credential plugin cloud-login, which the kubeconfig names, ended with 7.',
        );
        expect(log.text).toContain('cloud-login: boom-KSECRET-STDERR');
        const bodies = JSON.stringify(sandbox.github.requests.map(({ body }) => body));
        const published = [JSON.stringify(outputs), summary, bodies, await readFile(report, 'utf8')];
        for (const text of published) expect(text).not.toContain('KSECRET');
      }),
    );
  });

  it('and is not there is named', async ({ expect }) => {
    await inFolder(folder =>
      withSandbox({}, async sandbox => {
        const kubeconfig = await withPlugin(sandbox, folder, { script: GIVES });
        const missing = kubeconfig.replace(/command: .*/, 'command: gke-gcloud-auth-plugin');
        const { outputs } = await sandbox.release('6.14.1', {
          inputs: { kubeconfig: missing },
          env: { PATH: folder },
        });
        expect(outputs).toMatchObject({ reason: 'credential-plugin-failed' });
        expect(outputs['result']).toContain(
          'gke-gcloud-auth-plugin, which the kubeconfig names, is not installed',
        );
        expect(outputs['result']).toContain('google-github-actions/setup-gcloud');
      }),
    );
  });

  it('is asked again before what it gave ends, so that a long analysis outlives it', async ({ expect }) => {
    await inFolder(folder =>
      withSandbox({}, async sandbox => {
        const calls = join(folder, 'calls');
        const script = `require('node:fs').appendFileSync(${JSON.stringify(calls)}, 'x');
const expirationTimestamp = new Date(Date.now() + 61_000).toISOString();
console.log(JSON.stringify({ kind: 'ExecCredential', status: { token: TOKEN, expirationTimestamp } }));`;
        const kubeconfig = await withPlugin(sandbox, folder, { script });
        const { outputs } = await sandbox.release('6.14.1', { inputs: { kubeconfig } });
        expect(outputs).toMatchObject({ verdict: 'promoted' });
        expect((await readFile(calls, 'utf8')).length).toBeGreaterThan(1);
      }),
    );
  });
});

describe.concurrent('credentials that the cluster does not accept', () => {
  it('have a reason of their own, with the lives of cloud tokens', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      const kubeconfig = sandbox.cluster.kubeconfig.replace(/token: \S+/, 'token: ended-token');
      const { outputs } = await sandbox.release('6.14.1', { inputs: { kubeconfig } });
      expect(outputs).toMatchObject({ verdict: 'refused', reason: 'cluster-unauthorized' });
      expect(outputs['result']).toContain('The API server answered, and did not accept the credentials');
      expect(outputs['result']).toContain('tokens of EKS live 15 minutes');
    });
  });

  it('and end while a rollout is followed, too', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      const kubeconfig = sandbox.cluster.addUser({ name: 'ci' });
      const running = await sandbox.start({
        inputs: { set: 'image=6.14.1', kubeconfig, 'lost-sight-timeout': '1m' },
      });
      const goOn = await midAnalysis(sandbox);
      sandbox.cluster.removeUser('ci');
      const { outputs } = await running.done;
      goOn();
      expect(outputs).toMatchObject({ verdict: 'unknown', reason: 'cluster-unauthorized' });
    });
  });
});

describe.concurrent('a kubeconfig as base64, and one that verifies nothing', () => {
  it('is taken, and every secret in it masked; a warning stands in the report', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      const text = sandbox.cluster.kubeconfig;
      const kubeconfig = Buffer.from(text).toString('base64');
      const env = { NODE_TLS_REJECT_UNAUTHORIZED: '0' };
      const { outputs, log, summary } = await sandbox.release('6.14.1', { inputs: { kubeconfig }, env });
      expect(outputs).toMatchObject({ verdict: 'promoted' });
      expect(log.masks).toContain(/token: (\S+)/.exec(text)?.[1]);
      expect(log.masks).toContain(kubeconfig);
      expect(summary).toContain('NODE\\_TLS\\_REJECT\\_UNAUTHORIZED=0 is set');
    });
  });
});
