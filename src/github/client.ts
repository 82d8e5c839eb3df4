import type { Octokit } from '@octokit/rest';
import type { z } from 'zod';
import type { Clock } from '../rollout/ports.ts';
import { httpFailure, UnexpectedAnswer } from './http-errors.ts';
import { createOctokit } from './octokit.ts';
import { RateLimitObserver } from './rate-limit.ts';
import { type RetryPolicy, retrying } from './retry.ts';
import type { TokenSource } from './tokens/token-source.ts';
import { createTransport, type GitHubFetch, type RequestNote } from './transport.ts';

/** GitHub cuts requests at 10 s itself (docs "Timeouts"). */
const REQUEST_TIMEOUT_MS = 10_000;

export interface ClientOptions {
  /** `https://api.github.com`, or `https://HOST/api/v3`; GITHUB_API_URL or the input `gitops-api-url`. */
  readonly apiUrl: string;
  readonly tokens: TokenSource;
  readonly clock: Clock;
  readonly random: () => number;
  /** Read for the proxy variables only. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Called after each request; told nothing secret. */
  readonly onRequest?: (note: RequestNote) => void;
  /** Deprecations and the like. */
  readonly warn?: (message: string) => void;
  /** Shared between clients of one host, so that connections are; made new unless given. */
  readonly fetch?: GitHubFetch;
}

export interface Call<T> {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  /** A route of GitHub's documentation: `/repos/{owner}/{repo}/git/trees`. */
  readonly route: string;
  /** Fills the route, then the query or the body. */
  readonly parameters?: Readonly<Record<string, unknown>>;
  readonly schema: z.ZodType<T>;
  /**
   * `repeat`: reads and idempotent writes, sent again on lost answers, 5xx and limits. `once`: everything else;
   * whoever calls reads back what came of it.
   */
  readonly resend: 'repeat' | 'once';
  /** How long `repeat` may go on, ms; default a minute. */
  readonly budgetMs?: number;
  readonly signal?: AbortSignal | undefined;
  /** Awaited before each time that it is sent, a repetition too. */
  readonly turn?: () => Promise<void>;
}

/** Everything that talks to one GitHub as one identity. */
export interface GitHubClient {
  readonly apiUrl: string;
  /** Authenticated, observed, never retried: for calls with a policy of their own. */
  readonly octokit: Octokit;
  readonly rateLimit: RateLimitObserver;
  readonly tokens: TokenSource;
  readonly clock: Clock;
  readonly random: () => number;
  /**
   * One call, its answer checked against the schema.
   * @throws Octokit's RequestError (see `httpFailure`), or UnexpectedAnswer.
   */
  call<T>(call: Call<T>): Promise<T>;
}

export const USER_AGENT = 'gated-rollout';

/** The transport of a client: proxies, time limits. Share one between clients. */
export function createClientTransport(
  options: Pick<ClientOptions, 'env' | 'clock' | 'onRequest'>,
): GitHubFetch {
  return createTransport({
    env: options.env,
    timeoutMs: REQUEST_TIMEOUT_MS,
    now: () => options.clock.now(),
    onRequest: options.onRequest,
  });
}

export function createGitHubClient(options: ClientOptions): GitHubClient {
  const { apiUrl, tokens, clock, random } = options;
  const fetch = options.fetch ?? createClientTransport(options);
  const octokit = createOctokit({ apiUrl, userAgent: USER_AGENT, fetch, warn: options.warn ?? (() => {}) });
  const rateLimit = new RateLimitObserver();
  authenticate(octokit, { tokens, rateLimit });

  async function send<T>(call: Call<T>): Promise<T> {
    await call.turn?.();
    const response = await octokit.request({
      method: call.method,
      url: call.route,
      ...call.parameters,
      ...(call.signal === undefined ? {} : { request: { signal: call.signal } }),
    });
    const data: unknown = response.data;
    const parsed = call.schema.safeParse(data);
    if (parsed.success) return parsed.data;
    const what = `${call.method} ${call.route} was answered with something else than GitHub documents`;
    throw new UnexpectedAnswer(`${what}: ${parsed.error.issues[0]?.message ?? ''}`, { cause: parsed.error });
  }

  return {
    apiUrl,
    octokit,
    rateLimit,
    tokens,
    clock,
    random,
    call: call => {
      if (call.resend === 'once') return send(call);
      const policy: RetryPolicy = {
        clock,
        random,
        budgetMs: call.budgetMs ?? 60_000,
        maxDelayMs: 10_000,
        signal: call.signal,
      };
      return retrying(() => send(call), policy);
    },
  };
}

/** A token on each request; once more with a new one when GitHub did not take it; the limit read from each answer. */
function authenticate(
  octokit: Octokit,
  { tokens, rateLimit }: { readonly tokens: TokenSource; readonly rateLimit: RateLimitObserver },
): void {
  octokit.hook.wrap('request', async (request, options) => {
    const attempt = async () => {
      options.headers.authorization = `Bearer ${await tokens.token()}`;
      const response = await request(options);
      rateLimit.observe(strings(response.headers));
      return response;
    };
    try {
      return await attempt();
    } catch (error) {
      const failure = httpFailure(error);
      if (failure?.kind !== 'answer') throw error;
      rateLimit.observe(failure.headers);
      // 401 is said before anything is done, so even a write may be sent again.
      if (failure.status !== 401 || !tokens.renew()) throw error;
      return await attempt();
    }
  });
}

function strings(
  headers: Readonly<Record<string, string | number | undefined>>,
): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, value === undefined ? undefined : String(value)]),
  );
}
