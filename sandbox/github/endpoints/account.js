import { privateUser } from '../json/accounts.js';
import { ApiError, notFound } from '../router.js';
function getUser(state, request) {
  const { identity } = request;
  if (identity === undefined) throw new ApiError(401, 'Requires authentication');
  if (identity.kind !== 'user') throw new ApiError(403, 'Resource not accessible by integration');
  return { status: 200, body: privateUser(state, identity.login) };
}
function getRateLimit(state, request) {
  // GHES with limits off: 404 "Rate limiting is not enabled." (docs, GHES)
  if (!state.rateLimits.enabled) throw new ApiError(404, 'Rate limiting is not enabled.');
  const resource = name => {
    const { limit, used, resetAt } = state.rateLimits.current(request.identity, name);
    return { limit, used, remaining: limit - used, reset: Math.ceil(resetAt / 1000), resource: name };
  };
  const resources = { core: resource('core'), search: resource('search'), graphql: resource('graphql') };
  return { status: 200, body: { resources, rate: resource('core') } };
}
function getMeta() {
  return { status: 200, body: { verifiable_password_authentication: false } };
}
/** Who asks, what is left of the budget, and the server's own description. */
export function accountRoutes(state) {
  return [
    { method: 'GET', template: '/user', handle: request => getUser(state, request) },
    { method: 'GET', template: '/rate_limit', handle: request => getRateLimit(state, request) },
    { method: 'GET', template: '/meta', handle: getMeta },
    {
      method: 'GET',
      template: '/users/{username}',
      handle: request => {
        const login = request.parameters['username'] ?? '';
        const known = state.knownAccount(login);
        if (known === undefined) throw notFound();
        return { status: 200, body: { ...privateUser(state, login), user_view_type: 'public' } };
      },
    },
  ];
}
