import { createHash } from 'node:crypto';
import { looksLikeJwt, verifyAppJwt } from './apps.ts';
import { accountRoutes } from './endpoints/account.ts';
import { activityRoutes } from './endpoints/activity.ts';
import { appRoutes } from './endpoints/apps.ts';
import { checkRoutes } from './endpoints/checks.ts';
import { commentRoutes } from './endpoints/comments.ts';
import { commitRoutes } from './endpoints/commits.ts';
import { contentRoutes } from './endpoints/contents.ts';
import { deploymentRoutes } from './endpoints/deployments.ts';
import { gitCommitRoutes } from './endpoints/git-commits.ts';
import { pullRoutes } from './endpoints/pulls.ts';
import { refRoutes } from './endpoints/refs.ts';
import { repositoryRoutes } from './endpoints/repositories.ts';
import { treeAndBlobRoutes } from './endpoints/trees-and-blobs.ts';
import type { GitHubState } from './github-state.ts';
import { answerGraphql } from './graphql.ts';
import { holds, type Identity, tokenOf } from './identities.ts';
import { type ApiAnswer, ApiError, type ApiRequest, type Method, type Route, Router } from './router.ts';

/** The API versions that GitHub knows; another is answered with 400 (docs "API Versions"). */
const apiVersions = ['2022-11-28', '2026-03-10'];

export interface IncomingCall {
  readonly method: Method;
  /** Encoded, without the API's prefix. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
  readonly staleRefs: boolean;
}

export interface FinishedCall {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** What goes over the wire; undefined for answers without a body. */
  readonly bytes: Buffer | undefined;
  /** The same before it was written as JSON. */
  readonly body: unknown;
  readonly identity: Identity | undefined;
}

/** Who stands behind a request's Authorization header; throws 401 when nobody does. */
export function authenticate(state: GitHubState, header: string | undefined) {
  const token = tokenOf(header);
  if (token === undefined || token === '') return { token: undefined, identity: undefined };
  if (looksLikeJwt(token)) {
    const app = verifyAppJwt(token, state.apps, state.now());
    const identity = { kind: 'app-jwt', login: app.slug, appId: app.id } as const;
    return { token, identity };
  }
  const identity = state.tokens.find(token, state.now());
  if (identity === undefined) throw new ApiError(401, 'Bad credentials');
  return { token, identity };
}

function acceptedPermissions(route: Route): Record<string, string> {
  if (route.needs === undefined) return {};
  const accepted = route.needs.map(need => `${need.permission}=${need.access}`).join('; ');
  return { 'x-accepted-github-permissions': accepted };
}

/** Refuses what the identity may not do: 404 for what it may not see, 401 for nobody, 403 for a missing right. */
function authorize(state: GitHubState, route: Route, request: ApiRequest): void {
  if (route.needs === undefined) return;
  const repository = state.repositoryOf(request);
  const { identity } = request;
  if (route.needs.every(need => need.access === 'read') && repository.visibility === 'public') return;
  if (identity === undefined) throw new ApiError(401, 'Requires authentication');
  const held = route.needs.some(need => holds(identity, need.permission, need.access));
  if (held && state.reaches(identity, repository)) return;
  const kind = identity.kind === 'user' ? 'personal access token' : 'integration';
  throw new ApiError(403, `Resource not accessible by ${kind}`);
}

function refuseMalformed(call: IncomingCall): void {
  if (call.headers['user-agent'] === undefined) {
    throw new ApiError(
      403,
      'Request forbidden by administrative rules. Please make sure your request has a User-Agent header.',
    );
  }
  const version = call.headers['x-github-api-version'];
  if (version !== undefined && !apiVersions.includes(version)) {
    throw new ApiError(400, `${version} is not a supported version of the REST API`);
  }
}

export function parseJson(body: Buffer): unknown {
  if (body.length === 0) return undefined;
  try {
    return JSON.parse(body.toString());
  } catch {
    throw new ApiError(400, 'Problems parsing JSON');
  }
}

function errorAnswer(error: unknown): ApiAnswer {
  if (!(error instanceof ApiError)) throw error;
  const { status, message, errors, headers } = error;
  const body = {
    message,
    ...(errors === undefined ? {} : { errors }),
    documentation_url: 'https://docs.github.com/rest',
    status: String(status),
  };
  return { status, headers, body };
}

function encodeBody(body: unknown): { readonly type: string; readonly bytes: Buffer } {
  if (Buffer.isBuffer(body)) return { type: 'application/vnd.github.raw; charset=utf-8', bytes: body };
  if (typeof body === 'string') return { type: 'text/plain; charset=utf-8', bytes: Buffer.from(body) };
  return { type: 'application/json; charset=utf-8', bytes: Buffer.from(JSON.stringify(body)) };
}

/** GitHub's REST and GraphQL API over a state: a call in, an answer out, without a socket. */
export class GitHubApi {
  /** Endpoints that were asked for and that this server doesn't have. */
  readonly unsupported: string[] = [];
  private readonly state: GitHubState;
  private readonly router: Router;

  constructor(state: GitHubState) {
    this.state = state;
    // What comes first wins: `commits/{ref}` takes slashes and would swallow the more exact ones.
    this.router = new Router([
      ...accountRoutes(state),
      ...appRoutes(state),
      ...repositoryRoutes(state),
      ...activityRoutes(state),
      ...refRoutes(state),
      ...treeAndBlobRoutes(state),
      ...gitCommitRoutes(state),
      ...pullRoutes(state),
      ...commentRoutes(state),
      ...checkRoutes(state),
      ...commitRoutes(state),
      ...contentRoutes(state),
      ...deploymentRoutes(state),
    ]);
  }

  /** Answers a call. Throws only for what is a defect of this server. */
  async answer(call: IncomingCall): Promise<FinishedCall> {
    const path = this.byName(call.path);
    const resource = path === '/graphql' ? 'graphql' : 'core';
    let identity: Identity | undefined;
    let headers: Record<string, string> = {};
    let answer: ApiAnswer;
    try {
      refuseMalformed(call);
      const authenticated = authenticate(this.state, call.headers['authorization']);
      identity = authenticated.identity;
      if (path !== '/rate_limit') this.requireBudget(identity, resource);
      const body = parseJson(call.body);
      const request = { ...call, ...authenticated, path, body, parameters: {} };
      const routed = await this.route(request);
      headers = routed.headers;
      answer = await routed.run();
    } catch (error) {
      answer = errorAnswer(error);
    }
    return this.finish(call, { answer, headers, identity, resource, path });
  }

  private finish(
    call: IncomingCall,
    done: {
      readonly answer: ApiAnswer;
      readonly headers: Readonly<Record<string, string>>;
      readonly identity: Identity | undefined;
      readonly resource: string;
      readonly path: string;
    },
  ): FinishedCall {
    const { answer, identity, resource } = done;
    const encoded = answer.body === undefined ? undefined : encodeBody(answer.body);
    const etag = encoded && `W/"${createHash('sha256').update(encoded.bytes).digest('hex')}"`;
    const tagged = call.method === 'GET' && answer.status === 200 && etag !== undefined;
    const unchanged = tagged && call.headers['if-none-match'] === etag;
    const free = unchanged || done.path === '/rate_limit';
    if (!free) this.state.rateLimits.spend(identity, resource);
    const headers = {
      ...(encoded === undefined ? {} : { 'content-type': encoded.type }),
      ...(tagged ? { etag, 'cache-control': 'private, max-age=60, s-maxage=60' } : {}),
      'x-github-media-type': 'github.v3; format=json',
      'x-github-api-version-selected': call.headers['x-github-api-version'] ?? '2022-11-28',
      ...this.state.rateLimits.headers(identity, resource),
      ...done.headers,
      ...answer.headers,
    };
    if (unchanged) return { status: 304, headers, bytes: undefined, body: undefined, identity };
    return { status: answer.status, headers, bytes: encoded?.bytes, body: answer.body, identity };
  }

  /** `/repositories/ID/…`, where redirects of renamed repositories point, is another name of `/repos/…`. */
  private byName(path: string): string {
    const match = /^\/repositories\/(\d+)(\/.*)?$/.exec(path);
    if (match === null) return path;
    const found = [...this.state.repositories.values()].find(({ id }) => id === Number(match[1]));
    return found === undefined ? path : `/repos/${found.fullName}${match[2] ?? ''}`;
  }

  private requireBudget(identity: Identity | undefined, resource: string): void {
    if (!this.state.rateLimits.enabled) return;
    const budget = this.state.rateLimits.current(identity, resource);
    if (budget.used < budget.limit) return;
    const whom = identity === undefined ? 'this address' : `${identity.kind} ID ${identity.login}`;
    throw new ApiError(403, `API rate limit exceeded for ${whom}.`);
  }

  private async route(request: ApiRequest) {
    if (request.path === '/graphql' && request.method === 'POST') {
      if (request.identity === undefined)
        throw new ApiError(401, 'This endpoint requires you to be authenticated.');
      return { headers: {}, run: () => answerGraphql(this.state, request) };
    }
    const match = this.router.match(request.method, request.path);
    if (match === undefined) {
      this.unsupported.push(`${request.method} ${request.path}`);
      throw new ApiError(501, `The embedded GitHub has no ${request.method} ${request.path}`);
    }
    const routed = { ...request, parameters: match.parameters };
    const run = async () => {
      authorize(this.state, match.route, routed);
      return await match.route.handle(routed);
    };
    return { headers: acceptedPermissions(match.route), run };
  }
}
