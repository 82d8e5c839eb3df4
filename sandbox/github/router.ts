import type { ZodType } from 'zod';
import type { Access, Identity } from './identities.ts';

export type Method = 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';

/** A request after routing. Path parameters are decoded: Octokit sends `heads%2Fmain`, curl sends `heads/main`. */
export interface ApiRequest {
  readonly method: Method;
  readonly path: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: unknown;
  readonly identity: Identity | undefined;
  readonly token: string | undefined;
  /** Refs are to be read as they were before their last change. */
  readonly staleRefs: boolean;
}

/** An answer. A body that is a string or bytes goes out as it is, anything else as JSON. */
export interface ApiAnswer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Requirement {
  readonly permission: string;
  readonly access: Access;
}

export interface Route {
  readonly method: Method;
  /** As in GitHub's OpenAPI description; the parameters in `multiSegment` may hold slashes. */
  readonly template: string;
  /** Any one of these is enough. None: any token. */
  readonly needs?: readonly Requirement[];
  readonly handle: (request: ApiRequest) => Promise<ApiAnswer> | ApiAnswer;
}

/** A refusal, in GitHub's words. */
export class ApiError extends Error {
  readonly status: number;
  readonly errors: readonly unknown[] | undefined;
  readonly headers: Readonly<Record<string, string>>;
  constructor(
    status: number,
    message: string,
    more: { readonly errors?: readonly unknown[]; readonly headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(message);
    this.status = status;
    this.errors = more.errors;
    this.headers = more.headers ?? {};
  }
}

export const notFound = () => new ApiError(404, 'Not Found');
export const unprocessable = (message: string) => new ApiError(422, message);
/** GitHub's form for a field it doesn't accept. */
export function validationFailed(resource: string, field: string, message?: string): ApiError {
  const error =
    message === undefined
      ? { resource, field, code: 'invalid' }
      : { resource, field, code: 'custom', message };
  return new ApiError(422, 'Validation Failed', { errors: [error] });
}

/** The request's body in the shape wanted; otherwise 422 naming what is wrong. */
export function parseBody<T>(schema: ZodType<T>, request: ApiRequest): T {
  const parsed = schema.safeParse(request.body ?? {});
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(issue => `For '${issue.path.join('.')}', ${issue.message}.`);
  throw new ApiError(422, `Invalid request.\n\n${problems.join('\n')}`);
}

const multiSegment = new Set(['ref', 'path', 'branch', 'basehead']);

interface Compiled {
  readonly route: Route;
  readonly pattern: RegExp;
  readonly names: readonly string[];
}

function compile(route: Route): Compiled {
  const names: string[] = [];
  const pattern = route.template.replace(/\{(\w+)\}/g, (_, name: string) => {
    names.push(name);
    return multiSegment.has(name) ? '(.+?)' : '([^/]+)';
  });
  return { route, names, pattern: new RegExp(`^${pattern}/?$`) };
}

export interface Match {
  readonly route: Route;
  readonly parameters: Readonly<Record<string, string>>;
}

/** Finds the route of a request. Routes are tried in the order given. */
export class Router {
  private readonly routes: readonly Compiled[];

  constructor(routes: readonly Route[]) {
    this.routes = routes.map(compile);
  }

  match(method: string, path: string): Match | undefined {
    for (const { route, pattern, names } of this.routes) {
      if (route.method !== method) continue;
      const found = pattern.exec(path);
      if (found === null) continue;
      const values = names.map((name, index) => [name, decode(found[index + 1] ?? '')]);
      return { route, parameters: Object.fromEntries(values) };
    }
    return undefined;
  }
}

export function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
