import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readPublicKey } from './apps.js';
import { GitHubState } from './github-state.js';
import { actionsAppId, actionsLogin, actionsPermissions } from './identities.js';
import { findPullRequest, mergePullRequest, openPullRequest } from './pull-requests.js';
import { createRepository, log, push, readTree } from './repository-setup.js';
import { GitHubServer } from './server.js';
const hour = 3_600_000;
/** GitHub on 127.0.0.1: its API, and its repositories over git. See {@link startGitHub}. */
export class EmbeddedGitHub {
  /** What GITHUB_API_URL is set to. */
  apiUrl;
  /** What GITHUB_SERVER_URL is set to. */
  serverUrl;
  state;
  server;
  root;
  constructor(parts) {
    this.state = parts.state;
    this.server = parts.server;
    this.root = parts.root;
    this.apiUrl = parts.state.urls.api;
    this.serverUrl = parts.state.urls.server;
  }
  /** Every request so far, in order of arrival. */
  get requests() {
    return this.server.requests;
  }
  /** Endpoints that were asked for and that this server lacks, and its own defects. A run should leave none. */
  get shortcomings() {
    return [...this.server.api.unsupported, ...this.server.defects];
  }
  cloneUrl(fullName) {
    return `${this.serverUrl}/${this.state.repository(fullName).fullName}.git`;
  }
  /** Arms a fault; the function returned disarms it. */
  fault(fault) {
    return this.server.faults.add(fault);
  }
  /** Calls back before a request is worked on, and waits for it: the place to push a commit in between. */
  onRequest(listener) {
    this.server.listeners.add(listener);
    return () => this.server.listeners.delete(listener);
  }
  /** Calls back whenever a ref moved: through the API, git, a merge, or a scenario's push. */
  onRefChange(listener) {
    this.state.refListeners.push(listener);
    return () => {
      const at = this.state.refListeners.indexOf(listener);
      if (at >= 0) this.state.refListeners.splice(at, 1);
    };
  }
  async createRepository(fullName, options = {}) {
    await createRepository(this.state, { root: this.root, fullName }, options);
  }
  /** Renames it; the old name redirects from then on. */
  renameRepository(fullName, to) {
    const repository = this.state.repository(fullName);
    this.state.repositories.delete(fullName.toLowerCase());
    this.state.formerNames.set(fullName.toLowerCase(), repository);
    repository.fullName = to;
    this.state.repositories.set(to.toLowerCase(), repository);
  }
  /** A person's commit, rules or not. Returns its sha. */
  async push(fullName, wanted) {
    return await push(this.state, this.state.repository(fullName), wanted);
  }
  /** The sha a branch is at, undefined when there is none. */
  async head(fullName, branch) {
    const repository = this.state.repository(fullName);
    return (await repository.git.ref(`refs/heads/${branch ?? repository.defaultBranch}`))?.sha;
  }
  async log(fullName, branch) {
    const repository = this.state.repository(fullName);
    return await log(repository, branch ?? repository.defaultBranch);
  }
  /** Every file at a branch, tag or commit. */
  async tree(fullName, ref) {
    const repository = this.state.repository(fullName);
    return await readTree(repository, ref ?? repository.defaultBranch);
  }
  async openPullRequest(fullName, wanted) {
    return (await openPullRequest(this.state, this.state.repository(fullName), wanted)).number;
  }
  /** Pushes files to a branch of their own and opens a pull request for it. Returns its number. */
  async proposeChange(fullName, change) {
    const { branch, files, title, user = 'mona' } = change;
    await this.push(fullName, { branch, files, message: title });
    const base = this.state.repository(fullName).defaultBranch;
    return await this.openPullRequest(fullName, { title, head: branch, base, user });
  }
  /** Merges as by the button; `associationLag` questions for the commit's pull requests don't know it yet. */
  async mergePullRequest(fullName, number, merge = {}) {
    const repository = this.state.repository(fullName);
    const pull = findPullRequest(repository, number);
    const wanted = { method: merge.method ?? 'merge', by: merge.by ?? 'mona' };
    const sha = await mergePullRequest(this.state, repository, pull, wanted);
    pull.associationLag = merge.associationLag ?? 0;
    return sha;
  }
  /** An issue that is not a pull request; returns its number. */
  openIssue(fullName) {
    const repository = this.state.repository(fullName);
    repository.lastIssue += 1;
    repository.issues.add(repository.lastIssue);
    return repository.lastIssue;
  }
  pullRequests(fullName) {
    return [...this.state.repository(fullName).pulls.values()];
  }
  comments(fullName, issue) {
    return [...this.state.repository(fullName).comments.values()].filter(comment => comment.issue === issue);
  }
  /** Check runs in the order they were made, of one commit or of all. */
  checkRuns(fullName, sha) {
    const runs = [...this.state.repository(fullName).checkRuns.values()];
    return runs.filter(run => sha === undefined || run.headSha === sha);
  }
  deployments(fullName) {
    return [...this.state.repository(fullName).deployments.values()];
  }
  setRulesets(fullName, rulesets) {
    this.state.repository(fullName).rulesets = rulesets;
  }
  /** Sets or (undefined) lifts a branch's classic protection, in GitHub's JSON. */
  setProtection(fullName, branch, protection) {
    const known = this.state.repository(fullName).protection;
    if (protection === undefined) known.delete(branch);
    else known.set(branch, protection);
  }
  /** Recursive listings of more entries than this come back truncated. */
  setTreeLimit(fullName, entries) {
    this.state.repository(fullName).treeLimit = entries;
  }
  addWorkflowRun(fullName, run) {
    this.state.repository(fullName).runs.set(run.id, run);
  }
  /** Registers who a token stands for and returns the token. */
  addToken(wanted) {
    const { token, expiresAt } = wanted;
    const expiry = expiresAt === undefined ? {} : { expiresAt };
    switch (wanted.kind) {
      case 'actions': {
        const permissions = wanted.permissions ?? actionsPermissions;
        const repositories = [wanted.repository];
        const who = { kind: 'actions', login: actionsLogin, appId: actionsAppId };
        return this.state.tokens.add({ ...who, permissions, repositories, ...expiry }, token);
      }
      case 'app': {
        const { slug, permissions, repositories } = wanted;
        const appId = this.state.apps.find(app => app.slug === slug)?.id ?? this.addApp({ slug }).appId;
        const installation = this.state.installations.find(known => known.appId === appId);
        const identity = {
          kind: 'app',
          login: `${slug}[bot]`,
          appId,
          installationId: installation?.id ?? appId,
          ...(permissions === undefined ? {} : { permissions }),
          ...(repositories === undefined ? {} : { repositories }),
          ...expiry,
        };
        return this.state.tokens.add(identity, token);
      }
      case 'user': {
        const { kind, login, permissions, repositories } = wanted;
        this.state.account(login);
        const limits = {
          ...(permissions === undefined ? {} : { permissions }),
          ...(repositories === undefined ? {} : { repositories }),
        };
        return this.state.tokens.add({ kind, login, ...limits, ...expiry }, token);
      }
    }
  }
  /** Ends a token's life now. */
  expireToken(token) {
    this.state.tokens.expire(token, this.state.now());
  }
  /** Sets what is left of the budget that a token is counted for. */
  setRateLimit(token, budget) {
    this.state.rateLimits.set(this.state.tokens.find(token, this.state.now()), budget);
  }
  addApp(wanted) {
    const { slug, publicKey, owner = 'acme' } = wanted;
    const permissions = wanted.permissions ?? { ...actionsPermissions, administration: 'read' };
    const createdAt = this.state.timestamp();
    const id = this.state.newId();
    const clientId = `Iv23${randomBytes(8).toString('hex')}`;
    const key = publicKey === undefined ? {} : { publicKey: readPublicKey(publicKey) };
    this.state.apps.push({ id, clientId, slug, owner, permissions, createdAt, ...key });
    this.state.account(`${slug}[bot]`);
    const installationIds = (wanted.installations ?? []).map(installation => {
      const installationId = this.state.newId();
      this.state.installations.push({
        permissions,
        ...installation,
        id: installationId,
        appId: id,
        createdAt,
      });
      return installationId;
    });
    return { appId: id, clientId, installationIds };
  }
  /** Stops listening, ends the git processes and removes the repositories. */
  async close() {
    await this.server.close();
    await Promise.all([...this.state.repositories.values()].map(repository => repository.git.close()));
    await rm(this.root, { recursive: true, force: true, maxRetries: 3 });
  }
}
/** Starts an embedded GitHub without repositories or tokens on 127.0.0.1. Close it when done. */
export async function startGitHub(options = {}) {
  const root = await mkdtemp(join(tmpdir(), 'embedded-github-'));
  const apiPrefix = options.apiPrefix ?? '';
  const state = new GitHubState({
    now: options.now ?? Date.now,
    rateLimit: options.rateLimit ?? {},
    tokenLifetimeMs: options.tokenLifetimeMs ?? hour,
  });
  const server = new GitHubServer(state, { apiPrefix, anonymousGit: options.anonymousGit ?? true });
  const address = await server.listen(options.port);
  state.listeningAt({ api: `${address}${apiPrefix}`, server: address });
  return new EmbeddedGitHub({ state, server, root });
}
