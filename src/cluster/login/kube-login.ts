import type { RequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';
import { type Dispatcher, EnvHttpProxyAgent } from 'undici';
import { z } from 'zod';
import { loginByPlugin, PluginFailed, type PluginOptions } from './exec-plugin.ts';
import { tlsWarnings } from './kubeconfig.ts';
import { KubeUnreachable, messageOf } from '../kube-errors.ts';

/** A login is made anew so long before it ends (ms). */
const RENEW_BEFORE_MS = 60_000;

/** `mask` and `say` are for what exec plugins give and say; `env` is read for proxies, and passed on to them in part. */
export interface KubeLoginOptions extends PluginOptions {
  /** Loaded anew after a 401: tokens in files and of exec plugins end. */
  readonly load: () => KubeConfig;
}

/** What every request to the API server needs. */
export interface Login {
  /** When it ends, ms; undefined when that is not known. */
  readonly until: number | undefined;
  readonly dispatcher: Dispatcher;
  readonly headers: Readonly<Record<string, string>>;
}

/** The login to one cluster, made when needed and again when it ends. */
export class KubeLogin {
  readonly server: string;
  readonly warnings: readonly string[];
  private readonly options: KubeLoginOptions;
  private config: KubeConfig;
  private login: Promise<Login> | undefined;
  private readonly opened = new Set<Dispatcher>();

  constructor(options: KubeLoginOptions) {
    this.options = options;
    this.config = options.load();
    this.warnings = tlsWarnings(this.config, options.env);
    this.server = (this.config.getCurrentCluster()?.server ?? '').replace(/\/+$/, '');
  }

  /** The server did not accept it. */
  anew(): void {
    try {
      this.config = this.options.load();
    } catch {
      // The file may be written just now; the old credentials are tried again.
    }
    this.login = undefined;
  }

  /** @throws PluginFailed, KubeUnreachable. */
  async now(): Promise<Login> {
    const made = this.login;
    const { until } = (await made) ?? {};
    const ends = until !== undefined && until - RENEW_BEFORE_MS < Date.now();
    if (ends && this.login === made) this.login = undefined;
    this.login ??= this.makeLogin().catch((error: unknown) => {
      this.login = undefined;
      if (error instanceof PluginFailed) throw error;
      throw new KubeUnreachable(`the credentials could not be made ready: ${messageOf(error)}`, {
        cause: error,
      });
    });
    return await this.login;
  }

  private async makeLogin(): Promise<Login> {
    const { env } = this.options;
    const plugin = this.config.getCurrentUser()?.exec
      ? await loginByPlugin(this.config, this.options)
      : undefined;
    const options: RequestOptions = {};
    await (plugin?.config ?? this.config).applyToHTTPSOptions(options);
    const { ca, cert, key, pfx, passphrase, rejectUnauthorized, servername, auth } = options;
    // The kubeconfig's own proxy is for this cluster, and wins over the environment's.
    const own = this.config.getCurrentCluster()?.proxyUrl;
    const dispatcher = new EnvHttpProxyAgent({
      httpProxy: own ?? env['http_proxy'] ?? env['HTTP_PROXY'] ?? '',
      httpsProxy: own ?? env['https_proxy'] ?? env['HTTPS_PROXY'] ?? '',
      noProxy: own === undefined ? (env['no_proxy'] ?? env['NO_PROXY'] ?? '') : '',
      allowH2: false,
      connect: defined({ ca, cert, key, pfx, passphrase, rejectUnauthorized, servername }),
      requestTls: defined({ ca, cert, key, pfx, passphrase, rejectUnauthorized, servername }),
    });
    this.opened.add(dispatcher);
    const headers = plainHeaders(options.headers);
    // Of whatever made it: a plugin, a file, OIDC.
    const [, token] = /^Bearer (.+)$/.exec(headers['Authorization'] ?? '') ?? [];
    if (token !== undefined) this.options.mask(token);
    const basic = auth ? { authorization: `Basic ${Buffer.from(auth).toString('base64')}` } : {};
    return { until: plugin?.until, dispatcher, headers: { ...basic, ...headers } };
  }

  async close(): Promise<void> {
    await Promise.all([...this.opened].map(dispatcher => dispatcher.destroy()));
  }
}

function plainHeaders(headers: unknown): Readonly<Record<string, string>> {
  const parsed = z.record(z.string(), z.union([z.string(), z.number()])).safeParse(headers ?? {});
  return Object.fromEntries(Object.entries(parsed.data ?? {}).map(([name, value]) => [name, String(value)]));
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined | null> };

function defined<T extends object>(given: T): Defined<T> {
  const kept = Object.entries(given).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(kept) as Defined<T>;
}
