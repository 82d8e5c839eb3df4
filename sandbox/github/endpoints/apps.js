import { z } from 'zod';
import { appJson, installationJson } from '../json/accounts.js';
import { repositoryJson } from '../json/repositories.js';
import { paginate } from '../pagination.js';
import { ownerOf } from '../repository-state.js';
import { ApiError, notFound, parseBody, unprocessable } from '../router.js';
function authenticatedApp(state, request) {
  const { identity } = request;
  const app =
    identity?.kind === 'app-jwt' ? state.apps.find(known => known.id === identity.appId) : undefined;
  if (app === undefined) throw new ApiError(401, 'A JSON web token could not be decoded');
  return app;
}
function covers(installation, repository) {
  if (installation.account.toLowerCase() !== ownerOf(repository).toLowerCase()) return false;
  if (installation.repositories === undefined) return true;
  return installation.repositories.some(name => name.toLowerCase() === repository.fullName.toLowerCase());
}
function installationOfRepository(state, request) {
  const app = authenticatedApp(state, request);
  const fullName = `${request.parameters['owner']}/${request.parameters['repo']}`;
  const repository = state.find(fullName);
  const found = state.installations.find(
    installation =>
      installation.appId === app.id && repository !== undefined && covers(installation, repository),
  );
  if (found === undefined) throw notFound();
  return { status: 200, body: installationJson(state, found) };
}
function listInstallations(state, request) {
  const app = authenticatedApp(state, request);
  const own = state.installations.filter(installation => installation.appId === app.id);
  const { items, headers } = paginate(request, own, state.urls.api);
  return { status: 200, body: items.map(item => installationJson(state, item)), headers };
}
const tokenSchema = z.object({
  repositories: z.array(z.string()).optional(),
  repository_ids: z.array(z.int()).optional(),
  permissions: z.record(z.string(), z.enum(['read', 'write', 'admin'])).optional(),
});
function narrowedRepositories(state, installation, wanted) {
  if (wanted.repositories === undefined && wanted.repository_ids === undefined) return undefined;
  const named = (wanted.repositories ?? []).map(name => state.find(`${installation.account}/${name}`));
  const byId = (wanted.repository_ids ?? []).map(id =>
    [...state.repositories.values()].find(repository => repository.id === id),
  );
  return [...named, ...byId].map(repository => {
    if (repository === undefined || !covers(installation, repository)) {
      throw unprocessable(
        'There is at least one repository that does not exist or is not accessible to the parent installation.',
      );
    }
    return repository;
  });
}
function narrowedPermissions(installation, wanted) {
  const levels = ['read', 'write', 'admin'];
  for (const [name, access] of Object.entries(wanted ?? {})) {
    const granted = installation.permissions[name];
    if (granted === undefined || levels.indexOf(granted) < levels.indexOf(access)) {
      throw unprocessable('The permissions requested are not granted to this installation.');
    }
  }
  return { metadata: 'read', ...(wanted ?? installation.permissions) };
}
function createToken(state, request) {
  const app = authenticatedApp(state, request);
  const installation = state.installations.find(
    known => known.appId === app.id && String(known.id) === request.parameters['installation_id'],
  );
  if (installation === undefined) throw notFound();
  const wanted = parseBody(tokenSchema, request);
  const chosen = narrowedRepositories(state, installation, wanted);
  const permissions = narrowedPermissions(installation, wanted.permissions);
  const reachable =
    chosen ?? [...state.repositories.values()].filter(repository => covers(installation, repository));
  const expiresAt = state.now() + state.tokenLifetimeMs;
  const token = state.tokens.add({
    kind: 'app',
    login: `${app.slug}[bot]`,
    appId: app.id,
    installationId: installation.id,
    permissions,
    repositories: reachable.map(repository => repository.fullName),
    expiresAt,
  });
  const all = chosen === undefined && installation.repositories === undefined;
  const repositories = chosen?.map(repository => repositoryJson(state, repository));
  return {
    status: 201,
    body: {
      token,
      expires_at: state.timestamp(expiresAt),
      permissions,
      repository_selection: all ? 'all' : 'selected',
      ...(repositories === undefined ? {} : { repositories }),
    },
  };
}
function listRepositories(state, request) {
  const { identity } = request;
  if (identity?.kind !== 'app' && identity?.kind !== 'actions') {
    throw new ApiError(403, 'You must authenticate with an installation access token');
  }
  const reached = [...state.repositories.values()].filter(repository => state.reaches(identity, repository));
  const { items, headers } = paginate(request, reached, state.urls.api);
  const repositories = items.map(repository => repositoryJson(state, repository, identity));
  const body = { total_count: reached.length, repository_selection: 'selected', repositories };
  return { status: 200, body, headers };
}
function revokeToken(state, request) {
  const { identity, token } = request;
  if (token === undefined || (identity?.kind !== 'app' && identity?.kind !== 'actions')) throw notFound();
  state.tokens.revoke(token);
  return { status: 204 };
}
/** Apps, their installations and tokens. */
export function appRoutes(state) {
  const tokens = '/app/installations/{installation_id}/access_tokens';
  const installation = '/repos/{owner}/{repo}/installation';
  return [
    {
      method: 'GET',
      template: '/app',
      handle: request => ({ status: 200, body: appJson(state, authenticatedApp(state, request)) }),
    },
    { method: 'GET', template: '/app/installations', handle: r => listInstallations(state, r) },
    { method: 'GET', template: installation, handle: r => installationOfRepository(state, r) },
    { method: 'POST', template: tokens, handle: r => createToken(state, r) },
    { method: 'GET', template: '/installation/repositories', handle: r => listRepositories(state, r) },
    { method: 'DELETE', template: '/installation/token', handle: r => revokeToken(state, r) },
  ];
}
