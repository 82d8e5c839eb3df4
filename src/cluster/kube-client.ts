import { setTimeout as pause } from 'node:timers/promises';
import { request } from 'undici';
import { z } from 'zod';
import { PluginFailed } from './login/exec-plugin.ts';
import { KubeError, KubeUnreachable, messageOf } from './kube-errors.ts';
import { KubeLogin, type KubeLoginOptions } from './login/kube-login.ts';
import { acceptOf } from './metadata-only.ts';
import { withoutUrlSecrets } from '../secrets/public-urls.ts';

export { KubeError, KubeUnreachable } from './kube-errors.ts';

export interface WatchEvent {
  readonly type: string;
  readonly object: unknown;
}

/** What we need of an API server. Errors are KubeError, KubeUnreachable and PluginFailed. */
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
const statusSchema = z.object({ kind: z.literal('Status'), message: z.string() });
/** A page of whatever serves behind the API server. */
const PAGE = 'text/plain';
const eventSchema = z.object({ type: z.string(), object: z.unknown() });

type Method = 'GET' | 'PATCH' | 'POST';

interface Content {
  readonly body: unknown;
  readonly type: 'application/json' | 'application/merge-patch+json' | 'application/apply-patch+yaml';
}

/**
 * A client of exactly the calls we make, with client-node's credentials. Its typed API classes would make the action
 * several megabytes larger and hide status codes; its loading of kubeconfigs, exec plugins and OIDC is kept.
 */
export function createKubeClient(options: KubeLoginOptions): ClusterConnection {
  return new Client(options);
}

export interface ClusterConnection extends KubeClient {
  /** What of the way to the API server is not protected; for people. */
  readonly warnings: readonly string[];
  /** Posts a question that the server answers and does not keep. */
  review(path: string, body: unknown): Promise<unknown>;
}

class Client implements ClusterConnection {
  readonly warnings: readonly string[];
  private readonly server: string;
  private readonly login: KubeLogin;

  constructor(options: KubeLoginOptions) {
    this.login = new KubeLogin(options);
    this.warnings = this.login.warnings;
    this.server = this.login.server;
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
    return await this.exchange('GET', path, { accept: PAGE, timeoutMs });
  }

  async mergePatch(path: string, body: unknown): Promise<void> {
    await this.send('PATCH', path, { body, type: 'application/merge-patch+json' });
  }

  async review(path: string, body: unknown): Promise<unknown> {
    return await this.repeated(() => this.send('POST', path, { body, type: 'application/json' }));
  }

  async applyPatch(path: string, body: unknown): Promise<void> {
    // YAML is what the API server asks for; JSON is YAML.
    await this.send('PATCH', path, { body, type: 'application/apply-patch+yaml' });
  }

  async watch(options: Parameters<KubeClient['watch']>[0]): Promise<void> {
    const { dispatcher, headers } = await this.login.now();
    const path = withQuery(options.path, { ...options.query, watch: '1' });
    try {
      const answer = await request(`${this.server}${path}`, {
        dispatcher,
        headers: { ...headers, accept: acceptOf(path) },
        signal: options.signal,
        headersTimeout: REQUEST_TIMEOUT_MS,
        bodyTimeout: 0,
      });
      if (answer.statusCode !== 200)
        throw this.refused(answer.statusCode, await answer.body.text(), acceptOf(path));
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
    await this.login.close();
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

  private async send(method: Method, path: string, content?: Content): Promise<unknown> {
    const on = { accept: acceptOf(path), timeoutMs: REQUEST_TIMEOUT_MS, content };
    const text = await this.exchange(method, path, on);
    try {
      return JSON.parse(text);
    } catch (error) {
      throw asKubeError(error);
    }
  }

  private async exchange(
    method: Method,
    path: string,
    on: { readonly accept: string; readonly timeoutMs: number; readonly content?: Content | undefined },
  ): Promise<string> {
    const { accept, timeoutMs, content } = on;
    const { dispatcher, headers } = await this.login.now();
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
      if (answer.statusCode >= 300) throw this.refused(answer.statusCode, text, accept);
      return text;
    } catch (error) {
      throw asKubeError(error);
    }
  }

  private refused(status: number, text: string, accept: string): KubeError {
    if (status === 401) this.login.anew();
    // Not a word of what is no answer of the API server: it may say what is nobody's to see.
    if (accept === PAGE) return new KubeError(status, `status ${status}`);
    // An API server says it in JSON, or in plain words of a kind that it does not serve; a page is some proxy's.
    if (status === 404 && /^\s*</.test(text)) {
      return new KubeError(502, 'something before the API server answered 404');
    }
    const message = statusSchema.safeParse(json(text)).data?.message ?? '';
    return new KubeError(status, withoutUrlSecrets(message) || `status ${status}`);
  }
}

/** A closed connection, an ended token, an overloaded server: the same read may succeed in a moment. */
function isPassing(error: unknown): boolean {
  if (error instanceof KubeUnreachable) return true;
  return error instanceof KubeError && (error.status === 401 || error.status === 429 || error.status >= 500);
}

function withQuery(path: string, query: Readonly<Record<string, string>>): string {
  const text = new URLSearchParams(query).toString();
  return text === '' ? path : `${path}?${text}`;
}

function asKubeError(error: unknown): KubeError | KubeUnreachable | PluginFailed {
  if (error instanceof KubeError || error instanceof KubeUnreachable || error instanceof PluginFailed)
    return error;
  return new KubeUnreachable(messageOf(error), { cause: error });
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
