import type { RequestOptions } from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';
import type { KubeConfig } from '@kubernetes/client-node';
import { type Dispatcher, EnvHttpProxyAgent, request } from 'undici';
import { z } from 'zod';

/** The API server answered with an error; `status` is the HTTP status. */
export class KubeError extends Error {
  override readonly name = 'KubeError';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** No whole answer came: refused, reset, timed out. */
export class KubeUnreachable extends Error {
  override readonly name = 'KubeUnreachable';
}

export interface WatchEvent {
  readonly type: string;
  readonly object: unknown;
}

/** What we need of an API server. Errors are KubeError and KubeUnreachable. */
export interface KubeClient {
  /** Undefined when there is no such object. */
  get(path: string): Promise<unknown>;
  /** The items of a list. */
  list(path: string, query?: Readonly<Record<string, string>>): Promise<readonly unknown[]>;
  /** What is no object: a page behind the API server's proxy. Asked once. */
  text(path: string, timeoutMs: number): Promise<string>;
  mergePatch(path: string, body: unknown): Promise<void>;
  /** Server-side apply. */
  applyPatch(path: string, body: unknown): Promise<void>;
  /** Calls back for each event, until the server ends the watch or `signal` aborts it (which resolves, too). */
  watch(options: {
    readonly path: string;
    readonly query: Readonly<Record<string, string>>;
    readonly signal: AbortSignal;
    readonly onEvent: (event: WatchEvent) => void;
  }): Promise<void>;
  close(): Promise<void>;
}

const REQUEST_TIMEOUT_MS = 15_000;
const RETRIES = 2;
const RETRY_AFTER_MS = 200;
const listSchema = z.object({ items: z.array(z.unknown()).nullable() });
const statusSchema = z.object({ message: z.string() });
const eventSchema = z.object({ type: z.string(), object: z.unknown() });

interface Content {
  readonly body: unknown;
  readonly type: 'application/merge-patch+json' | 'application/apply-patch+yaml';
}

interface Login {
  readonly dispatcher: Dispatcher;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * A client of exactly the calls we make, with client-node's credentials. Its typed API classes would make the action
 * several megabytes larger and hide status codes; its loading of kubeconfigs, exec plugins and OIDC is kept.
 */
export function createKubeClient(options: {
  /** Loaded anew after a 401: tokens in files and of exec plugins end. */
  readonly load: () => KubeConfig;
  readonly env: Readonly<Record<string, string | undefined>>;
}): KubeClient {
  return new Client(options.load, options.env);
}

class Client implements KubeClient {
  private readonly load: () => KubeConfig;
  private readonly env: Readonly<Record<string, string | undefined>>;
  private readonly server: string;
  private config: KubeConfig;
  private login: Promise<Login> | undefined;
  private readonly opened = new Set<Dispatcher>();

  constructor(load: () => KubeConfig, env: Readonly<Record<string, string | undefined>>) {
    this.load = load;
    this.env = env;
    this.config = load();
    this.server = (this.config.getCurrentCluster()?.server ?? '').replace(/\/+$/, '');
  }

  async get(path: string): Promise<unknown> {
    try {
      return await this.repeated(() => this.send('GET', path));
    } catch (error) {
      if (error instanceof KubeError && error.status === 404) return undefined;
      throw error;
    }
  }

  async list(path: string, query: Readonly<Record<string, string>> = {}): Promise<readonly unknown[]> {
    const answer = await this.repeated(() => this.send('GET', withQuery(path, query)));
    return listSchema.parse(answer).items ?? [];
  }

  async text(path: string, timeoutMs: number): Promise<string> {
    return await this.exchange('GET', path, { accept: 'text/plain', timeoutMs });
  }

  async mergePatch(path: string, body: unknown): Promise<void> {
    await this.send('PATCH', path, { body, type: 'application/merge-patch+json' });
  }

  async applyPatch(path: string, body: unknown): Promise<void> {
    // YAML is what the API server asks for; JSON is YAML.
    await this.send('PATCH', path, { body, type: 'application/apply-patch+yaml' });
  }

  async watch(options: Parameters<KubeClient['watch']>[0]): Promise<void> {
    const { dispatcher, headers } = await this.loggedIn();
    const path = withQuery(options.path, { ...options.query, watch: '1' });
    try {
      const answer = await request(`${this.server}${path}`, {
        dispatcher,
        headers,
        signal: options.signal,
        headersTimeout: REQUEST_TIMEOUT_MS,
        bodyTimeout: 0,
      });
      if (answer.statusCode !== 200) throw await this.refused(answer.statusCode, await answer.body.text());
      let rest = '';
      answer.body.setEncoding('utf8');
      for await (const chunk of answer.body) {
        const lines = `${rest}${String(chunk)}`.split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) if (line !== '') options.onEvent(eventSchema.parse(JSON.parse(line)));
      }
    } catch (error) {
      if (options.signal.aborted) return;
      throw asKubeError(error);
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.opened].map(dispatcher => dispatcher.destroy()));
  }

  /** Reads are sent again a moment later; longer trouble is the caller's to judge. */
  private async repeated<T>(work: () => Promise<T>): Promise<T> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await work();
      } catch (error) {
        if (!isPassing(error) || attempt >= RETRIES) throw error;
        await pause(RETRY_AFTER_MS * 2 ** attempt);
      }
    }
  }

  private async send(method: 'GET' | 'PATCH', path: string, content?: Content): Promise<unknown> {
    const on = { accept: 'application/json', timeoutMs: REQUEST_TIMEOUT_MS, content };
    const text = await this.exchange(method, path, on);
    try {
      return JSON.parse(text);
    } catch (error) {
      throw asKubeError(error);
    }
  }

  private async exchange(
    method: 'GET' | 'PATCH',
    path: string,
    on: { readonly accept: string; readonly timeoutMs: number; readonly content?: Content | undefined },
  ): Promise<string> {
    const { accept, timeoutMs, content } = on;
    const { dispatcher, headers } = await this.loggedIn();
    try {
      const answer = await request(`${this.server}${path}`, {
        method,
        dispatcher,
        headers: {
          ...headers,
          accept,
          ...(content === undefined ? {} : { 'content-type': content.type }),
        },
        body: content === undefined ? null : JSON.stringify(content.body),
        headersTimeout: timeoutMs,
        bodyTimeout: timeoutMs,
      });
      const text = await answer.body.text();
      if (answer.statusCode >= 300) throw await this.refused(answer.statusCode, text);
      return text;
    } catch (error) {
      throw asKubeError(error);
    }
  }

  private async refused(status: number, text: string): Promise<KubeError> {
    if (status === 401) this.loginAnew();
    // An API server says it in JSON, or in plain words of a kind that it does not serve; a page is some proxy's.
    if (status === 404 && /^\s*</.test(text)) {
      return new KubeError(502, 'something before the API server answered 404');
    }
    const message = statusSchema.safeParse(json(text)).data?.message ?? text.slice(0, 200);
    return new KubeError(status, message || `status ${status}`);
  }

  private loginAnew(): void {
    try {
      this.config = this.load();
    } catch {
      // The file may be written just now; the old credentials are tried again.
    }
    this.login = undefined;
  }

  private loggedIn(): Promise<Login> {
    this.login ??= this.makeLogin().catch((error: unknown) => {
      this.login = undefined;
      throw new KubeUnreachable(`the credentials could not be made ready: ${messageOf(error)}`, {
        cause: error,
      });
    });
    return this.login;
  }

  private async makeLogin(): Promise<Login> {
    const options: RequestOptions = {};
    await this.config.applyToHTTPSOptions(options);
    const { ca, cert, key, pfx, passphrase, rejectUnauthorized, servername, auth } = options;
    // The kubeconfig's own proxy is for this cluster, and wins over the environment's.
    const own = this.config.getCurrentCluster()?.proxyUrl;
    const dispatcher = new EnvHttpProxyAgent({
      httpProxy: own ?? this.env['http_proxy'] ?? this.env['HTTP_PROXY'] ?? '',
      httpsProxy: own ?? this.env['https_proxy'] ?? this.env['HTTPS_PROXY'] ?? '',
      noProxy: own === undefined ? (this.env['no_proxy'] ?? this.env['NO_PROXY'] ?? '') : '',
      allowH2: false,
      connect: defined({ ca, cert, key, pfx, passphrase, rejectUnauthorized, servername }),
      requestTls: defined({ ca, cert, key, pfx, passphrase, rejectUnauthorized, servername }),
    });
    this.opened.add(dispatcher);
    const basic = auth ? { authorization: `Basic ${Buffer.from(auth).toString('base64')}` } : {};
    return { dispatcher, headers: { ...basic, ...plainHeaders(options.headers) } };
  }
}

/** A closed connection, an ended token, an overloaded server: the same read may succeed in a moment. */
function isPassing(error: unknown): boolean {
  if (error instanceof KubeUnreachable) return true;
  return error instanceof KubeError && (error.status === 401 || error.status === 429 || error.status >= 500);
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

function withQuery(path: string, query: Readonly<Record<string, string>>): string {
  const text = new URLSearchParams(query).toString();
  return text === '' ? path : `${path}?${text}`;
}

function asKubeError(error: unknown): KubeError | KubeUnreachable {
  if (error instanceof KubeError || error instanceof KubeUnreachable) return error;
  return new KubeUnreachable(messageOf(error), { cause: error });
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : '';
  return `${error.message || error.name}${cause}`;
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
