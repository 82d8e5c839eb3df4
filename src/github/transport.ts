import { EnvHttpProxyAgent, fetch } from 'undici';

/** One request and its answer, for logs and counts. Never carries headers, bodies or queries. */
export interface RequestNote {
  readonly method: string;
  /** Path without query, percent-decoding undone. */
  readonly path: string;
  /** Undefined when no answer came. */
  readonly status: number | undefined;
  readonly ms: number;
}

export interface TransportOptions {
  /** Read for HTTPS_PROXY, HTTP_PROXY and NO_PROXY, upper or lower case. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly timeoutMs: number;
  readonly onRequest?: ((note: RequestNote) => void) | undefined;
  readonly now: () => number;
}

export interface FetchInit {
  readonly method?: string;
  readonly body?: string;
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal;
  readonly redirect?: 'follow' | 'error' | 'manual';
}

/** fetch as Octokit calls it. */
export type GitHubFetch = (url: string, init: FetchInit) => Promise<Response>;

/**
 * A fetch that obeys the proxy variables, gives up after `timeoutMs`, and resolves only when the whole body is there.
 *
 * Node's own fetch reads the proxy variables only with NODE_USE_ENV_PROXY=1, which an action cannot set for itself,
 * and does not take the dispatcher of another undici version; so fetch and agent are both undici's own. Own
 * certificate authorities come from NODE_EXTRA_CA_CERTS, which Node's TLS reads at its start.
 *
 * The body is read here because Octokit turns a body that was cut off into an empty answer with status 200
 * (@octokit/request fetch-wrapper, getResponseData).
 */
export function createTransport(options: TransportOptions): GitHubFetch {
  const { env } = options;
  const dispatcher = new EnvHttpProxyAgent({
    // '' and not undefined: undefined would make the agent read the process's environment behind our back.
    httpProxy: env.http_proxy ?? env.HTTP_PROXY ?? '',
    httpsProxy: env.https_proxy ?? env.HTTPS_PROXY ?? '',
    noProxy: env.no_proxy ?? env.NO_PROXY ?? '',
    // Corporate proxies that break HTTP/2 are common, and nothing here needs it.
    allowH2: false,
  });
  return async (url, init) => {
    const method = init.method ?? 'GET';
    const note = { method, path: decodeURIComponent(new URL(url).pathname) };
    const started = options.now();
    const timeout = AbortSignal.timeout(options.timeoutMs);
    const signal = init.signal === undefined ? timeout : AbortSignal.any([init.signal, timeout]);
    let status: number | undefined;
    try {
      const answer = await fetch(url, {
        method,
        dispatcher,
        signal,
        ...(init.headers === undefined ? {} : { headers: init.headers }),
        ...(init.body === undefined ? {} : { body: init.body }),
        ...(init.redirect === undefined ? {} : { redirect: init.redirect }),
      });
      const bytes = await answer.arrayBuffer();
      status = answer.status;
      const bodiless = [204, 205, 304].includes(status);
      return new Response(bodiless ? null : bytes, { status, headers: [...answer.headers] });
    } finally {
      options.onRequest?.({ ...note, status, ms: options.now() - started });
    }
  };
}
