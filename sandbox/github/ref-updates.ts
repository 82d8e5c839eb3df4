import { history, isAncestor } from './git/history.ts';
import type { GitHubState } from './github-state.ts';
import type { Identity } from './identities.ts';
import { bypassOf, type RefChange, type RepositoryState, type Ruleset } from './repository-state.ts';
import { ApiError } from './router.ts';

export interface RefMove {
  readonly name: string;
  readonly from: string | undefined;
  readonly to: string | undefined;
  /** Login of who moves it. */
  readonly by: string;
  /** Default: a push. */
  readonly kind?: 'pr_merge';
}

const branchPrefix = 'refs/heads/';

/** Remembers and announces that a ref moved. */
export function announceRefChange(state: GitHubState, repository: RepositoryState, move: RefMove): void {
  repository.previousRefs.set(move.name, move.from);
  repository.activity.push({
    id: state.newId(),
    ref: move.name,
    before: move.from,
    after: move.to,
    actor: move.by,
    kind: move.kind ?? 'push',
    at: state.timestamp(),
  });
  repository.pushedAt = state.timestamp();
  const change: RefChange = {
    repository: repository.fullName,
    ref: move.name,
    before: move.from,
    after: move.to,
  };
  for (const pull of repository.pulls.values()) {
    if (pull.state !== 'open' || move.to === undefined) continue;
    if (move.name === `${branchPrefix}${pull.headRef}`) pull.headSha = move.to;
  }
  for (const listener of state.refListeners) listener(change);
}

/** Moves a ref if it is where `from` says; false when it is not. */
export async function moveRef(state: GitHubState, repository: RepositoryState, move: RefMove) {
  const moved = await repository.git.moveRef({
    name: move.name,
    ...(move.from === undefined ? {} : { from: move.from }),
    ...(move.to === undefined ? {} : { to: move.to }),
  });
  if (moved) announceRefChange(state, repository, move);
  return moved;
}

/** What a ref points to, for this request: as it is, or for a lagging replica as it was before its last change. */
export async function readRef(repository: RepositoryState, name: string, stale: boolean) {
  const ref = await repository.git.ref(name);
  if (!stale || !repository.previousRefs.has(name)) return ref;
  const sha = repository.previousRefs.get(name);
  return sha === undefined ? undefined : { name, sha, type: ref?.type ?? 'commit' };
}

async function breaks(repository: RepositoryState, type: string, move: RefMove): Promise<boolean> {
  switch (type) {
    case 'pull_request':
    case 'update':
      return move.from !== undefined && move.to !== undefined;
    case 'creation':
      return move.from === undefined;
    case 'deletion':
      return move.to === undefined;
    case 'non_fast_forward': {
      if (move.from === undefined || move.to === undefined) return false;
      return !(await isAncestor(repository.git, move.from, move.to));
    }
    case 'required_signatures': {
      if (move.to === undefined) return false;
      const added = await history(repository.git, {
        from: move.to,
        ...(move.from === undefined ? {} : { not: move.from }),
      });
      return added.some(commit => !repository.verified.has(commit.sha));
    }
    default:
      return false;
  }
}

function refused(ruleset: Pick<Ruleset, 'refusal'>): ApiError {
  const { status, message } = ruleset.refusal ?? { status: 422, message: 'Reference update failed' };
  return new ApiError(status, message);
}

function protectionRules(protection: Readonly<Record<string, unknown>>, identity: Identity): string[] {
  const rule = (name: string) => protection[name];
  const enabled = (name: string) => {
    const value = rule(name);
    return typeof value === 'object' && value !== null && 'enabled' in value && value.enabled === true;
  };
  const reviews = rule('required_pull_request_reviews');
  // Who may push past a review is listed in the review's own JSON, by login or app slug.
  const allowed = JSON.stringify(reviews ?? {});
  const exempt = allowed.includes(`"${identity.login.replace(/\[bot\]$/, '')}"`);
  return [
    ...(reviews !== undefined && !exempt ? ['pull_request'] : []),
    ...(enabled('required_signatures') ? ['required_signatures'] : []),
    ...(enabled('allow_force_pushes') ? [] : ['non_fast_forward']),
    ...(enabled('allow_deletions') ? [] : ['deletion']),
  ];
}

/** Throws the configured refusal when a ruleset or the branch's protection forbids this identity's move. */
export async function enforceRules(repository: RepositoryState, identity: Identity, move: RefMove) {
  if (!move.name.startsWith(branchPrefix)) return;
  const branch = move.name.slice(branchPrefix.length);
  for (const ruleset of repository.rulesets) {
    if (!ruleset.branches.includes(branch)) continue;
    if (['always', 'exempt'].includes(bypassOf(ruleset, identity))) continue;
    for (const rule of ruleset.rules) {
      if (await breaks(repository, rule.type, move)) throw refused(ruleset);
    }
  }
  const protection = repository.protection.get(branch);
  for (const rule of protection === undefined ? [] : protectionRules(protection, identity)) {
    if (await breaks(repository, rule, move)) throw refused({});
  }
}
