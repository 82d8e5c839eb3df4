/** A refusal, in GitHub's words. */
export class ApiError extends Error {
  status;
  errors;
  headers;
  constructor(status, message, more = {}) {
    super(message);
    this.status = status;
    this.errors = more.errors;
    this.headers = more.headers ?? {};
  }
}
export const notFound = () => new ApiError(404, 'Not Found');
export const unprocessable = message => new ApiError(422, message);
/** GitHub's form for a field it doesn't accept. */
export function validationFailed(resource, field, message) {
  const error =
    message === undefined
      ? { resource, field, code: 'invalid' }
      : { resource, field, code: 'custom', message };
  return new ApiError(422, 'Validation Failed', { errors: [error] });
}
/** The request's body in the shape wanted; otherwise 422 naming what is wrong. */
export function parseBody(schema, request) {
  const parsed = schema.safeParse(request.body ?? {});
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(issue => `For '${issue.path.join('.')}', ${issue.message}.`);
  throw new ApiError(422, `Invalid request.\n\n${problems.join('\n')}`);
}
const multiSegment = new Set(['ref', 'path', 'branch', 'basehead']);
function compile(route) {
  const names = [];
  const pattern = route.template.replace(/\{(\w+)\}/g, (_, name) => {
    names.push(name);
    return multiSegment.has(name) ? '(.+?)' : '([^/]+)';
  });
  return { route, names, pattern: new RegExp(`^${pattern}/?$`) };
}
/** Finds the route of a request. Routes are tried in the order given. */
export class Router {
  routes;
  constructor(routes) {
    this.routes = routes.map(compile);
  }
  match(method, path) {
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
export function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
