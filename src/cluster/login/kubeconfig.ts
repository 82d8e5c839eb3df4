import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { isMap, isScalar, parseAllDocuments, visit } from 'yaml';
import { EMPTY_SECRET } from '../../config/gitops-credentials.ts';
import { isSecureUrl } from '../../config/secure-url.ts';
import { Refusal } from '../../rollout/verdict.ts';
import { secretsIn } from './kubeconfig-secrets.ts';

export interface KubeconfigChoice {
  /**
   * Text of a kubeconfig (YAML or JSON, also as base64), or the path of one; undefined = KUBECONFIG, ~/.kube/config, or
   * the pod's own account.
   */
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  /** Called with every secret in it, before it is used; those of other contexts, too. */
  readonly mask: (secret: string) => void;
}

/**
 * Loads the credentials of the cluster as kubectl would: exec plugins, OIDC and client certificates included.
 * @throws Refusal `bad-config` when there are none, or they cannot be used. Nothing of them is shown.
 */
export function loadKubeconfig({ kubeconfig, context, mask }: KubeconfigChoice): KubeConfig {
  const config = kubeconfig === undefined ? defaultConfig() : givenConfig(kubeconfig, mask);
  for (const secret of secretsIn(config)) mask(secret);
  // Files of tokens end with their line.
  config.users = config.users.map(user =>
    user.token === undefined ? user : { ...user, token: user.token.trim() },
  );
  if (context !== undefined) {
    const names = config.getContexts().map(({ name }) => name);
    if (!names.includes(context))
      throw invalid(`it has no context ${context}; it has ${names.join(', ') || 'none'}`);
    config.setCurrentContext(context);
  }
  const cluster = config.getCurrentCluster();
  // client-node falls back to this address when it finds no credentials anywhere.
  if (kubeconfig === undefined && cluster?.server === 'http://localhost:8080') {
    throw invalid(
      `none was given, and none was found in KUBECONFIG, ~/.kube/config or a pod. ${EMPTY_SECRET.slice(0, -1)}`,
    );
  }
  if (!cluster) throw invalid('it names no cluster for its current context');
  checkUse(config, cluster.server);
  // Where there is no TLS there is nothing to verify; client-node demands that this is said.
  config.clusters = config.clusters.map(each =>
    each.server.startsWith('http:') ? { ...each, skipTLSVerify: true } : each,
  );
  return config;
}

/** What of the way to the cluster is not protected, in words. */
export function tlsWarnings(
  config: KubeConfig,
  env: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  const cluster = config.getCurrentCluster();
  const skips = cluster?.skipTLSVerify === true && cluster.server.startsWith('https:');
  return [
    ...(skips
      ? [
          `The kubeconfig says insecure-skip-tls-verify for the cluster ${cluster.name}: whoever is in between can read the credentials and answer in the cluster’s place. Give certificate-authority-data instead.`,
        ]
      : []),
    ...(env['NODE_TLS_REJECT_UNAUTHORIZED'] === '0'
      ? [
          'NODE_TLS_REJECT_UNAUTHORIZED=0 is set: no certificate is verified, neither GitHub’s nor the cluster’s. Give own authorities by NODE_EXTRA_CA_CERTS instead.',
        ]
      : []),
  ];
}

function defaultConfig(): KubeConfig {
  const config = new KubeConfig();
  loading(() => config.loadFromDefault());
  return config;
}

function givenConfig(given: string, mask: (secret: string) => void): KubeConfig {
  const config = new KubeConfig();
  const decoded = fromBase64(given);
  if (decoded !== undefined) mask(given);
  const text = decoded ?? given;
  if (decoded !== undefined || text.includes('\n') || text.trimStart().startsWith('{')) {
    const json = asJson(text);
    loading(() => config.loadFromString(json));
    return config;
  }
  // What was given may be a secret in another form: it is never shown, because reports are public.
  if (!existsSync(text)) {
    throw invalid('it is neither the text of a kubeconfig, nor base64 of one, nor the path of a file');
  }
  const json = asJson(loading(() => readFileSync(text, 'utf8')));
  loading(() => config.loadFromString(json));
  config.makePathsAbsolute(dirname(text));
  return config;
}

/** Undefined when it is not base64 of a kubeconfig. */
function fromBase64(text: string): string | undefined {
  const packed = text.replace(/\s+/g, '');
  if (!/^[\w+/-]{40,}={0,2}$/.test(packed)) return undefined;
  const decoded = Buffer.from(packed, 'base64').toString('utf8');
  return /\b(?:clusters|kind|apiVersion)\b/.test(decoded) ? decoded : undefined;
}

/** JSON is YAML that every parser reads alike: what is looked at here is what client-node reads. */
function asJson(text: string): string {
  const parsed = parseAllDocuments(text, { merge: true });
  const documents = Array.isArray(parsed) ? parsed : [];
  const [document] = documents;
  const [error] = document?.errors ?? [];
  if (error) {
    // The words of the error are left out: they may quote the kubeconfig, credentials included.
    const { line, col } = error.linePos?.[0] ?? { line: 1, col: 1 };
    throw invalid(`it is no YAML that can be read (line ${line}, column ${col})`);
  }
  if (documents.length !== 1 || !isMap(document?.contents)) {
    throw invalid('it is not one YAML or JSON object with clusters, users and contexts');
  }
  visit(document, {
    // A token of digits is text all the same.
    Scalar: (_, node) => {
      if (typeof node.value === 'number' && node.source !== undefined) node.value = node.source;
    },
    // client-node knows it by the name of kubectl's flag only.
    Pair: (_, { key }) => {
      if (isScalar(key) && key.value === 'tokenFile') key.value = 'token-file';
    },
  });
  return loading(() => JSON.stringify(document.toJS()));
}

/** client-node's errors quote what they read, but for those that only name a field. */
function loading<T>(load: () => T): T {
  try {
    return load();
  } catch (error) {
    const message = error instanceof Error ? error.message : '';
    throw invalid(
      /^(?:clusters|users|contexts)\[\d+\][\w.]* is missing$/.test(message)
        ? message
        : 'it, or a file that it names, cannot be read as a kubeconfig',
    );
  }
}

const GONE = ['gcp', 'azure', 'exec'];

/** @throws Refusal `bad-config` for what would send credentials in clear, or run programs as nobody does any more. */
function checkUse(config: KubeConfig, server: string): void {
  if (!isSecureUrl(server)) {
    throw invalid(
      'its server is not reached by https; http is taken for this machine itself only (kubectl proxy)',
    );
  }
  const provider: unknown = config.getCurrentUser()?.authProvider?.name;
  if (typeof provider === 'string' && GONE.includes(provider)) {
    throw invalid(
      `its auth-provider ${provider} was taken out of kubectl in 1.26; an exec plugin (gke-gcloud-auth-plugin, kubelogin) has its place`,
    );
  }
}

function invalid(what: string): Refusal {
  return new Refusal('bad-config', `The kubeconfig cannot be used: ${what}.`, {
    remedy:
      'Give the input kubeconfig the text of a kubeconfig or base64 of it (a secret), or the path of one.',
  });
}
