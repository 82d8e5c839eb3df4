import type { App, Installation } from './apps.ts';
import { actionsAppId, actionsLogin, holds, type Identity, reaches, Tokens } from './identities.ts';
import { type RateLimitOption, RateLimits } from './rate-limit.ts';
import type { RefChange, RepositoryState } from './repository-state.ts';
import { ApiError, type ApiRequest, notFound } from './router.ts';

export interface Account {
  readonly id: number;
  readonly login: string;
  readonly type: 'User' | 'Bot' | 'Organization';
  readonly name: string;
}

export interface Urls {
  /** No slash at the end of either. */
  readonly api: string;
  readonly server: string;
}

const WEB_FLOW = 'web-flow';
/** Committer of the commits that GitHub signs with its own key. */
export const gitHubItself = { name: 'GitHub', email: 'noreply@github.com' } as const;

/** All that the endpoints share. */
export class GitHubState {
  readonly now: () => number;
  readonly tokens = new Tokens();
  readonly rateLimits: RateLimits;
  readonly apps: App[] = [];
  readonly installations: Installation[] = [];
  readonly repositories = new Map<string, RepositoryState>();
  readonly formerNames = new Map<string, RepositoryState>();
  readonly tokenLifetimeMs: number;
  /** Called after any ref moved, however it was moved. */
  readonly refListeners: ((change: RefChange) => void)[] = [];
  private readonly accounts = new Map<string, Account>();
  private lastId = 1_000_000;
  private urlsNow: Urls = { api: '', server: '' };

  constructor(options: {
    readonly now: () => number;
    readonly rateLimit: RateLimitOption;
    readonly tokenLifetimeMs: number;
  }) {
    this.now = options.now;
    this.tokenLifetimeMs = options.tokenLifetimeMs;
    this.rateLimits = new RateLimits(options.rateLimit, options.now);
    // The id that github-actions[bot]'s noreply address has everywhere.
    this.accounts.set(actionsLogin, { id: 41898282, login: actionsLogin, type: 'Bot', name: actionsLogin });
    // Who commits what GitHub itself makes: merges by the button, and commits of Apps through the API.
    this.accounts.set(WEB_FLOW, { id: 19864447, login: WEB_FLOW, type: 'User', name: 'GitHub Web Flow' });
  }

  get urls(): Urls {
    return this.urlsNow;
  }

  listeningAt(urls: Urls): void {
    this.urlsNow = urls;
  }

  /** A new numeric id, unique over everything here. */
  newId(): number {
    this.lastId += 1;
    return this.lastId;
  }

  /** Now as GitHub writes times: whole seconds, UTC. */
  timestamp(at = this.now()): string {
    return `${new Date(at).toISOString().slice(0, 19)}Z`;
  }

  account(login: string, name?: string): Account {
    const known = this.accounts.get(login);
    if (known !== undefined && name === undefined) return known;
    const type = login.endsWith('[bot]') ? 'Bot' : 'User';
    const account = { id: known?.id ?? this.newId(), login, type, name: name ?? login } as const;
    this.accounts.set(login, account);
    return account;
  }

  knownAccount(login: string): Account | undefined {
    return this.accounts.get(login);
  }

  accountByEmail(email: string): Account | undefined {
    if (email === gitHubItself.email) return this.accounts.get(WEB_FLOW);
    const login = /^(?:\d+\+)?(.+)@users\.noreply\.github\.com$/.exec(email)?.[1];
    if (login === undefined) return undefined;
    return this.accounts.get(login);
  }

  noreplyAddress(login: string): string {
    return `${this.account(login).id}+${login}@users.noreply.github.com`;
  }

  find(fullName: string): RepositoryState | undefined {
    return this.repositories.get(fullName.toLowerCase());
  }

  /** A repository that must be there: for the server's own side, not for requests. */
  repository(fullName: string): RepositoryState {
    const repository = this.find(fullName);
    if (repository === undefined) throw new Error(`The embedded GitHub has no repository ${fullName}`);
    return repository;
  }

  /** The repository of a request that its identity may see; otherwise 404, or 301 for a former name. */
  repositoryOf(request: ApiRequest): RepositoryState {
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

  canRead(identity: Identity | undefined, repository: RepositoryState): boolean {
    if (repository.visibility === 'public') return true;
    return identity !== undefined && this.reaches(identity, repository);
  }

  reaches(identity: Identity, repository: RepositoryState): boolean {
    return identity.kind !== 'app-jwt' && reaches(identity, repository.fullName);
  }

  canWrite(identity: Identity | undefined, repository: RepositoryState): boolean {
    if (identity === undefined || !this.reaches(identity, repository)) return false;
    return holds(identity, 'contents', 'write');
  }

  /** An App by its id; the Actions App is always there. */
  app(id: number): Omit<App, 'publicKey' | 'clientId'> | undefined {
    if (id === actionsAppId) {
      const createdAt = '2018-07-30T09:30:17Z';
      return { id, slug: 'github-actions', owner: 'github', permissions: {}, createdAt };
    }
    return this.apps.find(app => app.id === id);
  }
}
