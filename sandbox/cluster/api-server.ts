import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type Fields, fieldsAt, isFields, KINDS, type KubeObject, textAt, valueAt } from './kube-object.ts';
import { checkSpec, type FlaggerKind } from '../../src/flagger/crd-check.ts';
import type { Change, ObjectStore } from './object-store.ts';

/** Flagger's own metrics, through the proxy of its Service. */
const FLAGGER_METRICS = '/api/v1/namespaces/flagger-system/services/flagger:http/proxy/metrics';

const ACCESS_REVIEWS = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';

/** A user of the cluster: what may not be done, as `verb plural` (`patch gitrepositories`, `watch *`). */
export interface ClusterUser {
  readonly name: string;
  readonly forbidden?: readonly string[];
}

interface Route {
  readonly kind: string;
  readonly plural: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
}

export interface ApiRequestNote {
  readonly method: string;
  readonly path: string;
  readonly user: string;
  readonly status: number;
  /** What kind of answer was asked for. */
  readonly accept: string;
}

/** The API server's part that clients see: get, list, watch, patch. Faults are scripted through its fields. */
export class ApiServer {
  readonly requests: ApiRequestNote[] = [];
  /** Kinds whose definitions are not installed, by plural. */
  readonly unserved = new Set<string>();
  /** No connection is answered while true. */
  down = false;
  private readonly store: ObjectStore;
  private readonly users: ReadonlyMap<string, ClusterUser>;
  private readonly gates: ReadonlyMap<string, boolean>;
  private readonly metrics: () => string;
  /** What every Prometheus behind a Service says of a query; undefined: no value. */
  prometheus: (query: string) => number | undefined = () => undefined;
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private readonly watches = new Set<ServerResponse>();
  private readonly scripted: number[] = [];

  constructor(on: {
    readonly store: ObjectStore;
    readonly users: ReadonlyMap<string, ClusterUser>;
    readonly gates: ReadonlyMap<string, boolean>;
    /** What Flagger serves at /metrics. */
    readonly metrics: () => string;
  }) {
    this.store = on.store;
    this.users = on.users;
    this.gates = on.gates;
    this.metrics = on.metrics;
    this.server = createServer((request, response) => {
      this.handle(request, response).catch((error: unknown) => {
        if (response.headersSent) response.destroy();
        else fail(response, 500, String(error));
      });
    });
    this.server.on('connection', socket => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
      if (this.down) socket.destroy();
    });
  }

  listen(): Promise<string> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(0, '127.0.0.1', () => {
        const address = this.server.address();
        resolve(`http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`);
      });
    });
  }

  /** The next requests are answered with these statuses and nothing else. */
  answerNext(...statuses: readonly number[]): void {
    this.scripted.push(...statuses);
  }

  /** Ends every watch in the middle of a line. */
  dropWatches(): void {
    for (const watch of this.watches) watch.socket?.destroy();
  }

  goDown(): void {
    this.down = true;
    for (const socket of this.sockets) socket.destroy();
  }

  close(): Promise<void> {
    return new Promise(resolve => {
      this.server.close(() => resolve());
      this.server.closeAllConnections();
    });
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    const method = request.method ?? 'GET';
    if (url.pathname.startsWith('/gates/')) {
      const open = this.gates.get(url.pathname.slice('/gates/'.length)) === true;
      response.writeHead(open ? 200 : 403).end(open ? 'approved' : 'waiting for approval');
      return;
    }
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    const user = this.users.get(token);
    const note = (status: number) =>
      this.requests.push({
        method,
        path: `${url.pathname}${url.search}`,
        user: user?.name ?? '',
        status,
        accept: request.headers.accept ?? '',
      });
    const scripted = this.scripted.shift();
    if (scripted !== undefined || !user) {
      const status = scripted ?? 401;
      note(status);
      fail(response, status, status === 401 ? 'Unauthorized' : `scripted answer ${status}`);
      return;
    }
    if (url.pathname === FLAGGER_METRICS) {
      const forbidden = user.forbidden?.some(rule => rule === 'get services/proxy') === true;
      note(forbidden ? 403 : 200);
      if (forbidden) fail(response, 403, 'services "flagger" is forbidden: no services/proxy');
      else response.writeHead(200, { 'content-type': 'text/plain' }).end(this.metrics());
      return;
    }
    if (/^\/api\/v1\/namespaces\/[^/]+\/services\/[^/]+\/proxy\/api\/v1\/query$/.test(url.pathname)) {
      const value = this.prometheus(url.searchParams.get('query') ?? '');
      note(200);
      const result = value === undefined ? [] : [{ metric: {}, value: [0, String(value)] }];
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ status: 'success', data: { resultType: 'vector', result } }));
      return;
    }
    if (url.pathname === ACCESS_REVIEWS && method === 'POST') {
      note(201);
      const asked = fieldsAt(await body(request), 'spec', 'resourceAttributes');
      const allowed = !isForbidden(user, textAt(asked, 'verb'), pluralAsked(asked));
      return send(response, { kind: 'SelfSubjectAccessReview', status: { allowed } });
    }
    const route = routeOf(url.pathname);
    if (!route || this.unserved.has(route.plural)) {
      note(404);
      // A kind whose definition is not installed: plain text, and no Status.
      response.writeHead(404, { ...HEADERS, 'content-type': 'text/plain' }).end('404 page not found\n');
      return;
    }
    const verb = verbOf(method, route, url);
    if (isForbidden(user, verb, route.plural)) {
      note(403);
      fail(
        response,
        403,
        `${route.plural} is forbidden: User "${user.name}" cannot ${verb} resource "${route.plural}" in the namespace "${route.namespace ?? ''}"`,
      );
      return;
    }
    note(200);
    if (verb === 'watch') return this.watch(route, url, response);
    if (verb === 'list') return this.list(route, url, response);
    if (verb === 'patch' && url.searchParams.get('dryRun') === 'All')
      return await dryRun(route, request, response);
    const object = this.store.get(route.kind, route.namespace ?? '', route.name ?? '');
    if (!object) return fail(response, 404, `${route.plural} "${route.name ?? ''}" not found`);
    if (verb === 'get') return send(response, asAccepted(object, request.headers.accept));
    if (verb === 'patch') {
      const patch = await body(request);
      const version = valueAt(patch, 'metadata', 'resourceVersion');
      if (version !== undefined && version !== object.metadata.resourceVersion) {
        return fail(
          response,
          409,
          'the object has been modified; please apply your changes to the latest version',
        );
      }
      return send(response, this.store.patch(object, patch, { manager: user.name }));
    }
    fail(response, 405, `${method} is not emulated`);
  }

  private list(route: Route, url: URL, response: ServerResponse): void {
    const items = this.store.list(route.kind, route.namespace).filter(selected(url));
    send(response, {
      apiVersion: 'v1',
      kind: `${route.kind}List`,
      metadata: { resourceVersion: this.store.resourceVersion },
      items,
    });
  }

  /** Without a resourceVersion a watch begins with the state as it is (API concepts, "Semantics for watch"). */
  private watch(route: Route, url: URL, response: ServerResponse): void {
    const wanted = selected(url);
    response.writeHead(200, { 'content-type': 'application/json' });
    const write = (change: Change | { readonly type: string; readonly object: unknown }) =>
      response.write(`${JSON.stringify(change)}\n`);
    const since = url.searchParams.get('resourceVersion');
    if (since !== null && since !== '' && since !== '0' && since !== this.store.resourceVersion) {
      write({
        type: 'ERROR',
        object: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' },
      });
      response.end();
      return;
    }
    for (const object of this.store.list(route.kind, route.namespace).filter(wanted))
      write({ type: 'ADDED', object });
    const stop = this.store.onChange(change => {
      const { kind, metadata } = change.object;
      const here =
        kind === route.kind && (route.namespace === undefined || metadata.namespace === route.namespace);
      if (here && wanted(change.object)) write(change);
    });
    this.watches.add(response);
    const seconds = Number(url.searchParams.get('timeoutSeconds') ?? '300');
    const timer = setTimeout(() => response.end(), seconds * 1000);
    response.on('close', () => {
      clearTimeout(timer);
      stop();
      this.watches.delete(response);
    });
  }
}

function isForbidden({ forbidden = [] }: ClusterUser, verb: string, plural: string): boolean {
  return forbidden.some(rule => {
    const [ofVerb = '', ofPlural = ''] = rule.split(' ');
    return [verb, '*'].includes(ofVerb) && [plural, '*'].includes(ofPlural);
  });
}

function pluralAsked(asked: Fields): string {
  const subresource = textAt(asked, 'subresource');
  return subresource === '' ? textAt(asked, 'resource') : `${textAt(asked, 'resource')}/${subresource}`;
}

/** API concepts, "Metadata-only fetches": the first of the accepted forms that the server knows. */
function asAccepted(object: KubeObject, accept = ''): unknown {
  if (!accept.includes('as=PartialObjectMetadata;')) return object;
  const { metadata } = object;
  return { apiVersion: 'meta.k8s.io/v1', kind: 'PartialObjectMetadata', metadata };
}

function routeOf(path: string): Route | undefined {
  for (const { api, plural, kind } of KINDS) {
    const match = new RegExp(`^/${api}(?:/namespaces/([^/]+))?/${plural}(?:/([^/]+))?$`).exec(path);
    if (!match) continue;
    const [, namespace, name] = match;
    return { kind, plural, namespace, name };
  }
  return undefined;
}

function verbOf(method: string, route: Route, url: URL): string {
  if (url.searchParams.get('watch') === '1' || url.searchParams.get('watch') === 'true') return 'watch';
  if (method === 'PATCH') return 'patch';
  if (method !== 'GET') return method.toLowerCase();
  return route.name === undefined ? 'list' : 'get';
}

function selected(url: URL): (object: KubeObject) => boolean {
  const labels = pairs(url.searchParams.get('labelSelector'));
  const fields = pairs(url.searchParams.get('fieldSelector'));
  return object =>
    labels.every(([key, value]) => object.metadata.labels?.[key] === value) &&
    fields.every(([key, value]) => valueAt(object, ...key.split('.')) === value);
}

function pairs(selector: string | null): readonly (readonly [string, string])[] {
  return (selector ?? '')
    .split(',')
    .filter(part => part.includes('='))
    .map(part => [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1).replace(/^=/, '')]);
}

const FLAGGER_KINDS: readonly string[] = [
  'Canary',
  'MetricTemplate',
  'AlertProvider',
] satisfies readonly FlaggerKind[];

/** A server-side apply that is not kept: the object is checked by its definition, in words like the API server's. */
async function dryRun(route: Route, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const object = await body(request);
  const kind = FLAGGER_KINDS.includes(route.kind) ? (route.kind as FlaggerKind) : undefined;
  const [problem] = kind ? checkSpec(kind, object['spec']) : [];
  if (!problem) return send(response, object);
  const words = `${route.kind}.flagger.app "${route.name ?? ''}" is invalid: ${problem.field}: Invalid value: ${problem.found}`;
  fail(response, 422, words);
}

async function body(request: IncomingMessage): Promise<Fields> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  const parsed: unknown = JSON.parse(Buffer.concat(chunks).toString());
  return isFields(parsed) ? parsed : {};
}

function send(response: ServerResponse, value: unknown): void {
  response.writeHead(200, HEADERS).end(JSON.stringify(value));
}

/** The first is on every answer of an API server (apiserver endpoints/filters/audit_init.go). */
const HEADERS = { 'audit-id': '0'.repeat(8), 'content-type': 'application/json' };

/** apimachinery meta/v1 types.go: StatusReason. */
const REASONS: Readonly<Record<number, string>> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  409: 'Conflict',
  422: 'Invalid',
  429: 'TooManyRequests',
};

function fail(response: ServerResponse, code: number, message: string): void {
  const reason = REASONS[code] ?? 'InternalError';
  const status = { apiVersion: 'v1', kind: 'Status', status: 'Failure', reason, code, message };
  response.writeHead(code, HEADERS).end(JSON.stringify(status));
}
