import { actionsAppId, actionsLogin, holds, reaches, Tokens } from './identities.js';
import { RateLimits } from './rate-limit.js';
import { ApiError, notFound } from './router.js';
/** All that the endpoints share. */
export class GitHubState {
  now;
  tokens = new Tokens();
  rateLimits;
  apps = [];
  installations = [];
  repositories = new Map();
  formerNames = new Map();
  tokenLifetimeMs;
  /** Called after any ref moved, however it was moved. */
  refListeners = [];
  accounts = new Map();
  lastId = 1_000_000;
  urlsNow = { api: '', server: '' };
  constructor(options) {
    this.now = options.now;
    this.tokenLifetimeMs = options.tokenLifetimeMs;
    this.rateLimits = new RateLimits(options.rateLimit, options.now);
    // The id that github-actions[bot]'s noreply address has everywhere.
    this.accounts.set(actionsLogin, { id: 41898282, login: actionsLogin, type: 'Bot', name: actionsLogin });
  }
  get urls() {
    return this.urlsNow;
  }
  listeningAt(urls) {
    this.urlsNow = urls;
  }
  /** A new numeric id, unique over everything here. */
  newId() {
    this.lastId += 1;
    return this.lastId;
  }
  /** Now as GitHub writes times: whole seconds, UTC. */
  timestamp(at = this.now()) {
    return `${new Date(at).toISOString().slice(0, 19)}Z`;
  }
  account(login, name) {
    const known = this.accounts.get(login);
    if (known !== undefined && name === undefined) return known;
    const type = login.endsWith('[bot]') ? 'Bot' : 'User';
    const account = { id: known?.id ?? this.newId(), login, type, name: name ?? login };
    this.accounts.set(login, account);
    return account;
  }
  knownAccount(login) {
    return this.accounts.get(login);
  }
  accountByEmail(email) {
    const login = /^(?:\d+\+)?(.+)@users\.noreply\.github\.com$/.exec(email)?.[1];
    if (login === undefined) return undefined;
    return this.accounts.get(login);
  }
  noreplyAddress(login) {
    return `${this.account(login).id}+${login}@users.noreply.github.com`;
  }
  find(fullName) {
    return this.repositories.get(fullName.toLowerCase());
  }
  /** A repository that must be there: for the server's own side, not for requests. */
  repository(fullName) {
    const repository = this.find(fullName);
    if (repository === undefined) throw new Error(`The embedded GitHub has no repository ${fullName}`);
    return repository;
  }
  /** The repository of a request that its identity may see; otherwise 404, or 301 for a former name. */
  repositoryOf(request) {
    const fullName = `${request.parameters['owner']}/${request.parameters['repo']}`.toLowerCase();
    const repository = this.find(fullName) ?? this.formerNames.get(fullName);
    if (repository === undefined || !this.canRead(request.identity, repository)) throw notFound();
    if (this.find(fullName) === undefined) {
      const from = `/repos/${request.parameters['owner']}/${request.parameters['repo']}`;
      const rest = request.path.slice(from.length);
      const query = request.query.size > 0 ? `?${request.query}` : '';
      const moved = request.method === 'GET' ? 301 : 307; // 307 keeps the method and the body
      throw new ApiError(moved, moved === 301 ? 'Moved Permanently' : 'Temporary Redirect', {
        headers: { location: `${this.urls.api}/repositories/${repository.id}${rest}${query}` },
      });
    }
    return repository;
  }
  canRead(identity, repository) {
    if (repository.visibility === 'public') return true;
    return identity !== undefined && this.reaches(identity, repository);
  }
  reaches(identity, repository) {
    return identity.kind !== 'app-jwt' && reaches(identity, repository.fullName);
  }
  canWrite(identity, repository) {
    if (identity === undefined || !this.reaches(identity, repository)) return false;
    return holds(identity, 'contents', 'write');
  }
  /** An App by its id; the Actions App is always there. */
  app(id) {
    if (id === actionsAppId) {
      const createdAt = '2018-07-30T09:30:17Z';
      return { id, slug: 'github-actions', owner: 'github', permissions: {}, createdAt };
    }
    return this.apps.find(app => app.id === id);
  }
}
