import type { RepositoryName } from '../config/settings.ts';
import type { GitHubClient } from '../github/client.ts';
import { asRefusal } from '../github/refusal.ts';
import type { RepositoryFiles } from '../build/repository-files.ts';
import type {
  CommitOutcome,
  CommitRecord,
  CommitRequest,
  RevertOutcome,
  RevertRequest,
  RevisionFacts,
} from '../rollout/ports.ts';
import { commitFiles } from './commit-files.ts';
import { branchLine } from './branch-line.ts';
import {
  type Branch,
  type FoundRollout,
  isIdNamed,
  newestRollout,
  rolloutOfCommit,
  shaOfId,
} from './find-rollouts.ts';
import { GitData } from './git-data.ts';
import { BranchHead } from './landing/branch-head.ts';
import { ObjectStore } from './object-store.ts';
import { OwnCommits } from './own-commit.ts';
import { commitsTouching, type FollowedCommit, recordOfFollowed } from './path-history.ts';
import { GitHubFiles } from './repository-files.ts';
import { revertFiles } from './revert-files.ts';
import { openRevertPullRequest } from './revert-pull-request.ts';
import { RevisionRelations } from './revision-facts.ts';
import { mayDeleteFile } from './three-way.ts';

/** How far back a restore point is looked for. */
const MAX_COMMITS_BACK = 300;

/**
 * A GitOps repository at one branch, through GitHub's API: no clone. Objects are fetched once in a run and shared by
 * everything that reads or writes.
 */
export class GitOpsRepository {
  private readonly store: ObjectStore;
  private readonly branch: Branch;
  private readonly relations: RevisionRelations;

  constructor(options: {
    readonly client: GitHubClient;
    readonly repository: RepositoryName;
    readonly branch: string;
    /** The account that our commits are attributed to, if that is known. */
    readonly login: string | undefined;
    readonly warn: (message: string) => void;
  }) {
    const { branch, login, warn } = options;
    const git = new GitData(options.client, options.repository);
    this.store = new ObjectStore(git);
    const head = new BranchHead(this.store, branch);
    this.branch = { store: this.store, branch, head, own: new OwnCommits({ git, branch, login }), warn };
    this.relations = new RevisionRelations(this.store);
  }

  /** @throws Refusal when GitHub does not let us read the branch. */
  head(): Promise<string> {
    return this.asking(
      `read the branch ${this.branch.branch}`,
      async () => (await this.branch.head.read()).sha,
    );
  }

  filesAt(commit: string): Promise<RepositoryFiles> {
    return GitHubFiles.at(this.store, commit);
  }

  commit(request: CommitRequest): Promise<CommitOutcome> {
    return commitFiles(this.branch, request);
  }

  revert(request: RevertRequest): Promise<RevertOutcome> {
    return revertFiles({ ...this.branch, mayDelete: mayDeleteFile }, request);
  }

  revisionFacts(query: {
    readonly revision: string;
    readonly commit: CommitRecord;
    readonly revert: string | undefined;
  }): Promise<RevisionFacts | undefined> {
    return this.relations.of(query);
  }

  openRevertPullRequest(request: Parameters<typeof openRevertPullRequest>[1]) {
    return openRevertPullRequest(this.branch, request);
  }

  newestRollout(name: string): Promise<FoundRollout | undefined> {
    return this.asking('look for earlier rollouts', () => newestRollout(this.branch, name));
  }

  commitOfId(id: string): Promise<string | undefined> {
    return this.asking(`look for the commit of ${id}`, () => shaOfId(this.branch, id));
  }

  isIdNamed(id: string): Promise<boolean> {
    return this.asking(`look for the commit of ${id}`, () => isIdNamed(this.branch, id));
  }

  rolloutAt(sha: string): Promise<FoundRollout | undefined> {
    return this.asking(`read the commit ${sha}`, () => rolloutOfCommit(this.branch, sha));
  }

  /** Shas of the branch's commits that touched one of the paths, newest first. */
  commitsTouching(paths: readonly string[]): Promise<readonly string[]> {
    return this.asking(`read the history of ${paths.join(', ')}`, async () =>
      commitsTouching(this.store, { head: (await this.branch.head.read()).sha, paths }),
    );
  }

  /** The first parent; undefined for the first commit of all. */
  parentOf(sha: string): Promise<string | undefined> {
    return this.asking(`read the commit ${sha}`, async () => (await this.store.commit(sha)).parents[0]);
  }

  /** Whether the branch was at `sha` once, when or before it was at `before`. */
  hasBeenAt(sha: string, before: string): Promise<boolean> {
    return this.asking(`read the history of ${before}`, async () => {
      const { line } = await branchLine(this.store.git, before, MAX_COMMITS_BACK);
      return line.some(commit => commit.sha === sha);
    });
  }

  followed(commit: FollowedCommit): Promise<CommitRecord> {
    return this.asking(`read the commit ${commit.sha}`, () => recordOfFollowed(this.store, commit));
  }

  holds(sha: string): Promise<boolean> {
    return this.asking(`look for the commit ${sha}`, async () => {
      const { holdsKnown } = await this.branch.head.read(sha);
      if (holdsKnown) this.branch.head.known(sha);
      return holdsKnown;
    });
  }

  private async asking<T>(doing: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw asRefusal(error, { repository: this.store.git.repository, doing });
    }
  }
}
