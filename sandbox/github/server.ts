import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { authenticate, type FinishedCall, GitHubApi, parseJson } from './api.ts';
import type { Exchange, RequestListener } from './exchange-log.ts';
import { type FaultEffect, Faults } from './faults.ts';
import { type GitHttpRequest, parseGitUrl, serveGit } from './git-http.ts';
import type { GitHubState } from './github-state.ts';
import { announceRefChange } from './ref-updates.ts';
import type { RepositoryState } from './repository-state.ts';
import { ApiError, decode, type Method } from './router.ts';

export interface ServerOptions {
  /** Prefix of the REST API's paths: '' as api.github.com, '/api/v3' as GitHub Enterprise Server. */
  readonly apiPrefix: string;
  /** Whether git may read without a token. */
  readonly anonymousGit: boolean;
}

interface Arrived {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function flatHeaders(request: IncomingMessage): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : value,
    ]),
  );
}

function isMethod(method: string): method is Method {
  return ['GET', 'POST', 'PATCH', 'PUT', 'DELETE'].includes(method);
}

function jsonOf(body: Buffer): unknown {
  try {
    return parseJson(body);
  } catch {
    return body.toString();
  }
}

/** The embedded GitHub on a socket: logs, faults, the API, and git over HTTP. */
export class GitHubServer {
  readonly requests: Exchange[] = [];
  readonly faults = new Faults();
  readonly listeners = new Set<RequestListener>();
  readonly api: GitHubApi;
  /** Defects of this server itself; a test should find none. */
  readonly defects: unknown[] = [];
  private readonly state: GitHubState;
  private readonly options: ServerOptions;
  private readonly server: Server;

  constructor(state: GitHubState, options: ServerOptions) {
    this.state = state;
    this.options = options;
    this.api = new GitHubApi(state);
    this.server = createServer((request, response) => {
      const url = new URL(request.url ?? '/', 'http://127.0.0.1');
      this.handle({ request, response, url }).catch((error: unknown) => {
        this.defects.push(error);
        if (response.headersSent) response.destroy();
        else response.writeHead(500).end(JSON.stringify({ message: String(error) }));
      });
    });
  }

  /** Listens on 127.0.0.1; returns the server's address without a slash at the end. */
  listen(port = 0): Promise<string> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, '127.0.0.1', () => {
        const address = this.server.address();
        const bound = typeof address === 'object' && address !== null ? address.port : port;
        resolve(`http://127.0.0.1:${bound}`);
      });
    });
  }

  close(): Promise<void> {
    return new Promise(resolve => {
      this.server.close(() => resolve());
      this.server.closeAllConnections();
    });
  }

  private async handle(arrived: Arrived): Promise<void> {
    const git = parseGitUrl(arrived.url);
    const started = performance.now();
    const body = git === undefined ? await readBody(arrived.request) : Buffer.alloc(0);
    const exchange = this.record(arrived, body, git === undefined ? 'api' : 'git');
    for (const listener of this.listeners) await listener(exchange);
    const fault = this.faults.take(exchange.method, `${exchange.path}${decode(arrived.url.search)}`);
    exchange.fault = fault?.kind;
    if (fault?.kind === 'reset') arrived.request.socket.resetAndDestroy();
    else if (fault?.kind === 'respond') this.respond(arrived.response, exchange, fault);
    else {
      if (fault?.kind === 'delay') await sleep(fault.ms);
      if (git === undefined) await this.answerApi(arrived, body, exchange, fault);
      else exchange.status = await this.answerGit(arrived, git);
    }
    exchange.tookMs = performance.now() - started;
  }

  private record({ request, url }: Arrived, body: Buffer, kind: Exchange['kind']): Exchange {
    const exchange: Exchange = {
      time: this.state.now(),
      method: request.method ?? 'GET',
      path: decode(kind === 'api' ? this.apiPath(url) : url.pathname),
      url: `${kind === 'api' ? this.apiPath(url) : url.pathname}${url.search}`,
      kind,
      identity: undefined,
      body: jsonOf(body),
      status: undefined,
      answer: undefined,
      answerHeaders: {},
      fault: undefined,
      tookMs: undefined,
    };
    this.requests.push(exchange);
    return exchange;
  }

  private apiPath(url: URL): string {
    const prefix = this.options.apiPrefix;
    // GitHub Enterprise Server has REST below /api/v3 and GraphQL at /api/graphql.
    if (prefix !== '' && url.pathname === '/api/graphql') return '/graphql';
    return url.pathname.startsWith(prefix) ? url.pathname.slice(prefix.length) : url.pathname;
  }

  private respond(
    response: ServerResponse,
    exchange: Exchange,
    fault: Extract<FaultEffect, { kind: 'respond' }>,
  ): void {
    const message = {
      message: `Scripted answer ${fault.status}`,
      documentation_url: 'https://docs.github.com/rest',
    };
    const body = fault.body ?? message;
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const identity = this.identityOf(response.req);
    exchange.identity = identity;
    exchange.status = fault.status;
    exchange.answer = body;
    exchange.answerHeaders = { ...this.state.rateLimits.headers(identity, 'core'), ...fault.headers };
    response.writeHead(fault.status, {
      'content-type': 'application/json; charset=utf-8',
      'x-github-request-id': requestId(),
      ...exchange.answerHeaders,
    });
    response.end(text);
  }

  private identityOf(request: IncomingMessage) {
    try {
      return authenticate(this.state, request.headers.authorization).identity;
    } catch {
      return undefined;
    }
  }

  private async answerApi(
    { request, response, url }: Arrived,
    body: Buffer,
    exchange: Exchange,
    fault: FaultEffect | undefined,
  ): Promise<void> {
    const method = exchange.method;
    const finished: FinishedCall = await this.api.answer({
      method: isMethod(method) ? method : 'GET',
      path: this.apiPath(url),
      query: url.searchParams,
      headers: flatHeaders(request),
      body,
      staleRefs: fault?.kind === 'stale-refs',
    });
    exchange.identity = finished.identity;
    if (fault?.kind === 'lost-answer') {
      if (fault.answer === 'cut') {
        request.socket.resetAndDestroy();
        return;
      }
      exchange.status = fault.answer;
      response.writeHead(fault.answer, { 'content-type': 'text/html' }).end('<html>Bad gateway</html>');
      return;
    }
    exchange.status = finished.status;
    exchange.answer = finished.body;
    exchange.answerHeaders = finished.headers;
    response.writeHead(finished.status, {
      ...finished.headers,
      'x-github-request-id': requestId(),
      ...(finished.bytes === undefined ? {} : { 'content-length': finished.bytes.length }),
    });
    if (fault?.kind === 'slow-body' && finished.bytes !== undefined) {
      await trickle(response, finished.bytes, fault.ms);
    }
    response.end(fault?.kind === 'slow-body' ? undefined : finished.bytes);
  }

  private async answerGit(arrived: Arrived, git: GitHttpRequest): Promise<number> {
    const { request, response, url } = arrived;
    const fullName = `${git.owner}/${git.name}`;
    const repository = this.state.find(fullName);
    const moved = this.state.formerNames.get(fullName.toLowerCase());
    if (repository === undefined && moved !== undefined) {
      response.writeHead(301, { location: `/${moved.fullName}.git/${git.service}${url.search}` }).end();
      return 301;
    }
    const refused = this.refuseGit(request, git, repository);
    if (repository === undefined || refused !== undefined) {
      const challenge = { 'www-authenticate': 'Basic realm="GitHub"' };
      const status = refused ?? 404;
      response.writeHead(status, status === 401 ? challenge : {}).end();
      return status;
    }
    const user = this.identityOf(request)?.login;
    const before = git.service === 'git-receive-pack' ? await repository.git.refs() : [];
    const status = await serveGit(repository.git, { ...git, user: git.writes ? user : undefined }, arrived);
    if (git.service === 'git-receive-pack') await this.announcePush(repository, before, user ?? '');
    return status;
  }

  /** The status that refuses a git request; undefined lets it through. */
  private refuseGit(request: IncomingMessage, git: GitHttpRequest, repository: RepositoryState | undefined) {
    try {
      const { identity } = authenticate(this.state, request.headers.authorization);
      if (repository === undefined) return identity === undefined ? 401 : 404;
      if (git.writes) {
        if (identity === undefined) return 401;
        return this.state.canWrite(identity, repository) ? undefined : 403;
      }
      if (this.options.anonymousGit || this.state.canRead(identity, repository)) return undefined;
      return identity === undefined ? 401 : 404;
    } catch (error) {
      return error instanceof ApiError ? 401 : 500;
    }
  }

  private async announcePush(
    repository: RepositoryState,
    before: readonly { readonly name: string; readonly sha: string }[],
    by: string,
  ): Promise<void> {
    const old = new Map(before.map(ref => [ref.name, ref.sha]));
    const now = new Map((await repository.git.refs()).map(ref => [ref.name, ref.sha]));
    for (const name of new Set([...old.keys(), ...now.keys()])) {
      const [from, to] = [old.get(name), now.get(name)];
      if (from !== to) announceRefChange(this.state, repository, { name, from, to, by });
    }
  }
}

/** Sends bytes in eight pieces over the time given. */
async function trickle(response: ServerResponse, bytes: Buffer, ms: number): Promise<void> {
  const pieces = 8;
  const size = Math.ceil(bytes.length / pieces);
  for (let at = 0; at < bytes.length && !response.destroyed; at += size) {
    response.write(bytes.subarray(at, at + size));
    await sleep(ms / pieces);
  }
}

function requestId(): string {
  const hex = randomBytes(16).toString('hex').toUpperCase();
  return `${hex.slice(0, 4)}:${hex.slice(4, 9)}:${hex.slice(9, 16)}:${hex.slice(16, 23)}:${hex.slice(23, 31)}`;
}
