import { spawn } from 'node:child_process';
import { basename } from 'node:path';
import { type Cluster, KubeConfig } from '@kubernetes/client-node';
import { z } from 'zod';
import { pluginEnvironment } from './plugin-environment.ts';

/** The program that a kubeconfig takes its credentials from gave none. Its own words are in the log, and only there. */
export class PluginFailed extends Error {
  override readonly name = 'PluginFailed';
  readonly remedy: string;

  constructor(plugin: string, how: string) {
    super(`The credential plugin ${plugin}, which the kubeconfig names, ${how}.`);
    this.remedy = remedyFor(plugin);
  }
}

export interface PluginOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly mask: (secret: string) => void;
  /** What the plugin says, line by line: for the log, and for nothing that is published. */
  readonly say: (line: string) => void;
}

const TIMEOUT_MS = 60_000;
const LONGEST_OUTPUT = 1_000_000;

/** client.authentication.k8s.io/v1 and v1beta1. */
const execSchema = z.object({
  apiVersion: z.string().default('client.authentication.k8s.io/v1'),
  command: z.string().min(1),
  args: z.array(z.string()).nullish(),
  env: z.array(z.object({ name: z.string(), value: z.string() })).nullish(),
  provideClusterInfo: z.boolean().nullish(),
});

const credentialSchema = z.object({
  kind: z.literal('ExecCredential'),
  status: z.object({
    token: z.string().min(1).optional(),
    clientCertificateData: z.string().optional(),
    clientKeyData: z.string().optional(),
    expirationTimestamp: z.string().optional(),
  }),
});

/** A kubeconfig with what its plugin gave in the place of the plugin. */
export interface PluginLogin {
  readonly config: KubeConfig;
  /** When the credentials end, ms; undefined when the plugin does not say. */
  readonly until: number | undefined;
}

/**
 * Runs the exec plugin of a kubeconfig's user. client-node's own way gives it the whole environment of this process,
 * secrets of the step included, and publishes what it says.
 * @throws PluginFailed.
 */
export async function loginByPlugin(config: KubeConfig, options: PluginOptions): Promise<PluginLogin> {
  const cluster = config.getCurrentCluster();
  const user = config.getCurrentUser();
  const parsed = execSchema.safeParse(user?.exec);
  if (!parsed.success || !user) throw new PluginFailed('(none)', 'is not named by a command');
  const exec = parsed.data;
  const plugin = basename(exec.command).replace(/\.exe$/i, '');
  const given = exec.env ?? [];
  const info = clusterInfo(exec, exec.provideClusterInfo === true ? cluster : null);
  const environment = {
    ...pluginEnvironment(options.env, plugin),
    ...Object.fromEntries(given.map(({ name, value }) => [name, value])),
    KUBERNETES_EXEC_INFO: info,
  };
  const answer = await run({ ...exec, plugin, environment }, options.say);
  const credential = credentialSchema.safeParse(json(answer)).data?.status;
  const { token, clientCertificateData: cert, clientKeyData: key } = credential ?? {};
  if (!credential || (token === undefined && (cert === undefined || key === undefined))) {
    throw new PluginFailed(plugin, 'ended well and gave no credentials');
  }
  for (const secret of [token, key]) if (secret !== undefined) options.mask(secret);
  const base64 = (pem: string) => Buffer.from(pem).toString('base64');
  const withCredential = new KubeConfig();
  withCredential.loadFromOptions({
    clusters: config.getClusters(),
    contexts: config.getContexts(),
    currentContext: config.getCurrentContext(),
    users: [
      {
        name: user.name,
        ...(user.impersonateUser === undefined ? {} : { impersonateUser: user.impersonateUser }),
        ...(token === undefined ? {} : { token }),
        ...(cert === undefined || key === undefined ? {} : { certData: base64(cert), keyData: base64(key) }),
      },
    ],
  });
  const until = Date.parse(credential.expirationTimestamp ?? '');
  return { config: withCredential, until: Number.isNaN(until) ? undefined : until };
}

/** What plugins are told in KUBERNETES_EXEC_INFO; client-go's exec.go. */
function clusterInfo(exec: z.infer<typeof execSchema>, cluster: Cluster | null): string {
  const info = cluster && {
    server: cluster.server,
    ...(cluster.caData === undefined ? {} : { 'certificate-authority-data': cluster.caData }),
    ...(cluster.tlsServerName === undefined ? {} : { 'tls-server-name': cluster.tlsServerName }),
    ...(cluster.skipTLSVerify ? { 'insecure-skip-tls-verify': true } : {}),
    ...(cluster.proxyUrl === undefined ? {} : { 'proxy-url': cluster.proxyUrl }),
  };
  return JSON.stringify({
    apiVersion: exec.apiVersion,
    kind: 'ExecCredential',
    spec: { interactive: false, ...(info ? { cluster: info } : {}) },
  });
}

interface Running {
  readonly command: string;
  readonly args?: readonly string[] | null | undefined;
  readonly plugin: string;
  readonly environment: Record<string, string>;
}

/** Its output. @throws PluginFailed. */
function run({ command, args, plugin, environment }: Running, say: (line: string) => void): Promise<string> {
  return new Promise((resolve, reject) => {
    const notStarted = () => reject(new PluginFailed(plugin, 'could not be started'));
    const child = started({ command, args, environment });
    if (!child) return notStarted();
    let output = '';
    let words = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (output.length < LONGEST_OUTPUT) output += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (words.length < LONGEST_OUTPUT) words += text;
    });
    child.once('error', error => {
      const missing = 'code' in error && (error.code === 'ENOENT' || error.code === 'EACCES');
      if (missing) reject(new PluginFailed(plugin, 'is not installed here'));
      else notStarted();
    });
    child.once('close', (code, signal) => {
      for (const line of words.split('\n')) if (line.trim() !== '') say(`${plugin}: ${line}`);
      if (code === 0) resolve(output);
      else if (signal === null) reject(new PluginFailed(plugin, `ended with ${code}`));
      else reject(new PluginFailed(plugin, `was ended by ${signal}; it has ${TIMEOUT_MS / 1000} s`));
    });
  });
}

/** Undefined where the system would not even try: its error would quote the arguments. */
function started({ command, args, environment }: Omit<Running, 'plugin'>) {
  try {
    return spawn(command, [...(args ?? [])], {
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: TIMEOUT_MS,
      windowsHide: true,
    });
  } catch {
    return undefined;
  }
}

const LOG = 'What it said is in the log of the step.';
const REMEDIES: Readonly<Record<string, string>> = {
  aws: 'Log in to AWS in an earlier step of the job (aws-actions/configure-aws-credentials), and make the kubeconfig by “aws eks update-kubeconfig”; the AWS CLI must be on the runner.',
  'aws-iam-authenticator':
    'Install aws-iam-authenticator on the runner, and log in to AWS in an earlier step of the job.',
  'gke-gcloud-auth-plugin':
    'Log in to Google Cloud in an earlier step (google-github-actions/auth), and install the plugin (google-github-actions/setup-gcloud with install_components: gke-gcloud-auth-plugin).',
  kubelogin: 'Log in to Azure in an earlier step (azure/login), and install kubelogin (azure/use-kubelogin).',
};

function remedyFor(plugin: string): string {
  const known = REMEDIES[plugin];
  const words =
    known ??
    'Install it on the runner and configure it in an earlier step of the job. It is given PATH, HOME, the variables of cloud providers and what the kubeconfig says under env.';
  return `${words} ${LOG}`;
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
