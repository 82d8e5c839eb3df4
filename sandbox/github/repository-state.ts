import type { GitRepository } from './git/git-repository.ts';
import type { Identity } from './identities.ts';

export type Bypass = 'always' | 'pull_requests_only' | 'never' | 'exempt';

/** Rules of some branches. Those enforced here: required_signatures, pull_request, non_fast_forward, deletion. */
export interface Ruleset {
  readonly id: number;
  readonly name: string;
  /** Branch names, without refs/heads/. */
  readonly branches: readonly string[];
  readonly rules: readonly {
    readonly type: string;
    readonly parameters?: Readonly<Record<string, unknown>>;
  }[];
  /** Logins that the rules don't bind. */
  readonly bypass?: Readonly<Record<string, Bypass>>;
  /** How a refused update is answered; `422 Reference update failed` unless given (also seen: 409). */
  readonly refusal?: { readonly status: 409 | 422; readonly message: string };
}

export interface PullRequestState {
  readonly id: number;
  readonly number: number;
  title: string;
  body: string | null;
  state: 'open' | 'closed';
  readonly user: string;
  readonly headRef: string;
  headSha: string;
  baseRef: string;
  baseSha: string;
  draft: boolean;
  maintainerCanModify: boolean;
  readonly createdAt: string;
  updatedAt: string;
  closedAt: string | null;
  merge?: { readonly sha: string; readonly at: string; readonly by: string };
  /** Commits of the merged pull request, as they were on its branch and as they are on the base. */
  mergedCommits: ReadonlySet<string>;
  /** How many more questions for a commit's pull requests are answered without this one. */
  associationLag: number;
}

export interface CommentState {
  readonly id: number;
  readonly issue: number;
  readonly user: string;
  readonly appId?: number;
  body: string;
  readonly createdAt: string;
  updatedAt: string;
}

export interface CheckOutput {
  readonly title: string | null;
  readonly summary: string | null;
  readonly text: string | null;
}

export interface CheckRunState {
  readonly id: number;
  readonly appId: number;
  readonly suite: number;
  readonly headSha: string;
  name: string;
  status: string;
  conclusion: string | null;
  externalId: string;
  detailsUrl: string;
  startedAt: string;
  completedAt: string | null;
  output: CheckOutput;
  annotations: readonly unknown[];
  actions: readonly unknown[];
}

export interface DeploymentStatusState {
  readonly id: number;
  state: string;
  readonly creator: string;
  readonly description: string;
  readonly environment: string;
  readonly logUrl: string;
  readonly environmentUrl: string;
  readonly createdAt: string;
}

export interface DeploymentState {
  readonly id: number;
  readonly sha: string;
  readonly ref: string;
  readonly task: string;
  readonly payload: unknown;
  readonly environment: string;
  readonly description: string | null;
  readonly creator: string;
  readonly transient: boolean;
  readonly production: boolean;
  readonly createdAt: string;
  updatedAt: string;
  readonly statuses: DeploymentStatusState[];
}

/** A workflow run; what is not said is made up plausibly. */
export interface WorkflowRunState {
  readonly id: number;
  readonly headSha: string;
  readonly headBranch?: string;
  readonly event?: string;
  readonly status?: string;
  readonly conclusion?: string | null;
  readonly runAttempt?: number;
  readonly runNumber?: number;
  readonly path?: string;
  readonly name?: string;
  readonly actor?: string;
  readonly createdAt?: string;
}

export interface RefChange {
  readonly repository: string;
  readonly ref: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/** One entry of a repository's activity: who moved which ref, and how. */
export interface ActivityState {
  readonly id: number;
  readonly ref: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
  readonly actor: string;
  readonly kind: 'push' | 'pr_merge';
  readonly at: string;
}

/** Everything this server knows of one repository. */
export interface RepositoryState {
  readonly id: number;
  fullName: string;
  readonly git: GitRepository;
  readonly defaultBranch: string;
  readonly visibility: 'public' | 'private';
  readonly createdAt: string;
  pushedAt: string;
  /** Recursive listings stop at this many entries and say `truncated`. */
  treeLimit: number;
  rulesets: readonly Ruleset[];
  /** Classic branch protection as GitHub's JSON, by branch. */
  readonly protection: Map<string, Readonly<Record<string, unknown>>>;
  /** Commits that GitHub itself signed. */
  readonly verified: Map<string, string>;
  /** What each ref was before its last change; undefined: not there. */
  readonly previousRefs: Map<string, string | undefined>;
  lastIssue: number;
  readonly pulls: Map<number, PullRequestState>;
  /** Numbers of issues that are not pull requests. */
  readonly issues: Set<number>;
  readonly comments: Map<number, CommentState>;
  readonly checkRuns: Map<number, CheckRunState>;
  readonly suites: Map<string, number>;
  readonly deployments: Map<number, DeploymentState>;
  readonly runs: Map<number, WorkflowRunState>;
  /** Oldest first. */
  readonly activity: ActivityState[];
}

export function ownerOf(repository: RepositoryState): string {
  return repository.fullName.split('/')[0] ?? '';
}

export function nameOf(repository: RepositoryState): string {
  return repository.fullName.split('/')[1] ?? '';
}

export function bypassOf(ruleset: Ruleset, identity: Identity | undefined): Bypass {
  return (identity === undefined ? undefined : ruleset.bypass?.[identity.login]) ?? 'never';
}
