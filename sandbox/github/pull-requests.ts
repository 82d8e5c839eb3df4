import { history, isAncestor, mergeBase, mergedTree } from './git/history.ts';
import type { CommitObject } from './git/object-format.ts';
import { gitHubItself, type GitHubState } from './github-state.ts';
import { moveRef } from './ref-updates.ts';
import type { PullRequestState, RepositoryState } from './repository-state.ts';
import { ApiError, notFound, validationFailed } from './router.ts';

export type MergeMethod = 'merge' | 'squash' | 'rebase';

export interface NewPullRequest {
  readonly title: string;
  readonly head: string;
  readonly base: string;
  readonly body?: string | null;
  readonly draft?: boolean;
  readonly maintainerCanModify?: boolean;
  readonly user: string;
}

/** Opens a pull request between two branches of the repository. Throws 422 as GitHub words it. */
export async function openPullRequest(
  state: GitHubState,
  repository: RepositoryState,
  wanted: NewPullRequest,
) {
  const headRef = wanted.head.includes(':') ? wanted.head.slice(wanted.head.indexOf(':') + 1) : wanted.head;
  const head = await repository.git.ref(`refs/heads/${headRef}`);
  const base = await repository.git.ref(`refs/heads/${wanted.base}`);
  if (head === undefined) throw validationFailed('PullRequest', 'head');
  if (base === undefined) throw validationFailed('PullRequest', 'base');
  const pulls = [...repository.pulls.values()];
  if (pulls.some(pull => pull.state === 'open' && pull.headRef === headRef && pull.baseRef === wanted.base)) {
    const owner = repository.fullName.split('/')[0];
    const message = `A pull request already exists for ${owner}:${headRef}.`;
    throw new ApiError(422, 'Validation Failed', {
      errors: [{ resource: 'PullRequest', code: 'custom', message }],
    });
  }
  if (await isAncestor(repository.git, head.sha, base.sha)) {
    const message = `No commits between ${wanted.base} and ${headRef}`;
    throw new ApiError(422, 'Validation Failed', {
      errors: [{ resource: 'PullRequest', code: 'custom', message }],
    });
  }
  repository.lastIssue += 1;
  const now = state.timestamp();
  const pull: PullRequestState = {
    id: state.newId(),
    number: repository.lastIssue,
    title: wanted.title,
    body: wanted.body ?? null,
    state: 'open',
    user: wanted.user,
    headRef,
    headSha: head.sha,
    baseRef: wanted.base,
    baseSha: base.sha,
    draft: wanted.draft ?? false,
    maintainerCanModify: wanted.maintainerCanModify ?? false,
    createdAt: now,
    updatedAt: now,
    closedAt: null,
    mergedCommits: new Set(),
    associationLag: 0,
  };
  repository.pulls.set(pull.number, pull);
  await repository.git.moveRef({ name: `refs/pull/${pull.number}/head`, to: head.sha });
  return pull;
}

export function findPullRequest(repository: RepositoryState, number: number): PullRequestState {
  const pull = repository.pulls.get(number);
  if (pull === undefined) throw notFound();
  return pull;
}

/** Commits on the pull request's branch that its base doesn't have, oldest first. */
export async function pullRequestCommits(repository: RepositoryState, pull: PullRequestState) {
  const base = (await repository.git.ref(`refs/heads/${pull.baseRef}`))?.sha ?? pull.baseSha;
  const fork = await mergeBase(repository.git, pull.merge === undefined ? base : pull.baseSha, pull.headSha);
  return await history(repository.git, {
    from: pull.headSha,
    ...(fork === undefined ? {} : { not: fork }),
    oldestFirst: true,
  });
}

interface Merge {
  readonly method: MergeMethod;
  readonly by: string;
  readonly title?: string;
  readonly message?: string;
}

interface MergeContext extends Merge {
  readonly state: GitHubState;
  readonly repository: RepositoryState;
  readonly pull: PullRequestState;
  readonly base: string;
  readonly commits: readonly CommitObject[];
}

const conflict = () => new ApiError(405, 'Pull Request is not mergeable');

function identityAt(context: MergeContext, login: string) {
  const { state } = context;
  const date = state.timestamp();
  return { name: state.account(login).name, email: state.noreplyAddress(login), date };
}

/** GitHub's own signature stands on what its merge button makes. */
async function writeMerged(
  context: MergeContext,
  commit: Pick<CommitObject, 'tree' | 'parents' | 'message'> & Partial<Pick<CommitObject, 'author'>>,
): Promise<string> {
  const author = commit.author ?? identityAt(context, context.by);
  const committer = { ...gitHubItself, date: context.state.timestamp() };
  const written = await context.repository.git.writeCommit({ ...commit, author, committer });
  context.repository.verified.set(written.sha, context.state.timestamp());
  return written.sha;
}

/** Docs: one commit keeps its own message; several give the pull request's title and a list of theirs. */
function squashMessage(context: MergeContext): string {
  const { pull, commits } = context;
  const only = commits.length === 1 ? commits[0] : undefined;
  const [title = '', ...rest] = (only?.message ?? pull.title).split('\n');
  const list = commits.map(commit => `* ${commit.message.trim()}`).join('\n\n');
  const body = only === undefined ? list : rest.join('\n').trim();
  const message = context.message ?? body;
  return `${context.title ?? `${title} (#${pull.number})`}${message === '' ? '' : `\n\n${message}`}\n`;
}

async function squash(context: MergeContext): Promise<string> {
  const tree = await mergedTree(context.repository.git, context.base, context.pull.headSha);
  if (tree === undefined) throw conflict();
  const author = identityAt(context, context.pull.user);
  return await writeMerged(context, {
    tree,
    parents: [context.base],
    message: squashMessage(context),
    author,
  });
}

async function mergeCommit(context: MergeContext): Promise<string> {
  const { pull, repository } = context;
  const tree = await mergedTree(repository.git, context.base, pull.headSha);
  if (tree === undefined) throw conflict();
  const owner = repository.fullName.split('/')[0];
  const title = context.title ?? `Merge pull request #${pull.number} from ${owner}/${pull.headRef}`;
  const message = `${title}\n\n${context.message ?? pull.title}\n`;
  return await writeMerged(context, { tree, parents: [context.base, pull.headSha], message });
}

/** Each commit again on top of the base, committed by who merges and not signed: GitHub has nobody's key (docs */
/** "About merge methods": "without commit signature verification"). `git merge-tree` takes the base of a merge from history, so a */
/** throw-away commit puts our tip beside the commit to be copied, on the same parent. */
async function rebase(context: MergeContext): Promise<readonly string[]> {
  const { repository } = context;
  let tip = context.base;
  const copies: string[] = [];
  for (const commit of context.commits) {
    const current = await repository.git.commit(tip);
    if (current === undefined || commit.parents.length !== 1) throw conflict();
    const beside = await repository.git.writeCommit({
      ...commit,
      tree: current.tree,
      message: `Beside ${commit.sha}\n`,
    });
    const tree = await mergedTree(repository.git, beside.sha, commit.sha);
    if (tree === undefined) throw conflict();
    const { message, author } = commit;
    const committer = identityAt(context, context.by);
    tip = (await repository.git.writeCommit({ tree, parents: [tip], message, author, committer })).sha;
    copies.push(tip);
  }
  return copies;
}

async function makeMerge(context: MergeContext): Promise<readonly string[]> {
  switch (context.method) {
    case 'squash':
      return [await squash(context)];
    case 'merge':
      return [await mergeCommit(context)];
    case 'rebase':
      return await rebase(context);
  }
}

/**
 * Merges a pull request and returns the sha its base is at then. Throws 405 when it is closed or conflicts, 409
 * when the base moved meanwhile.
 */
export async function mergePullRequest(
  state: GitHubState,
  repository: RepositoryState,
  pull: PullRequestState,
  merge: Merge,
): Promise<string> {
  const name = `refs/heads/${pull.baseRef}`;
  const base = (await repository.git.ref(name))?.sha;
  if (pull.state === 'closed' || base === undefined) throw conflict();
  const commits = await pullRequestCommits(repository, pull);
  const made = await makeMerge({ ...merge, state, repository, pull, base, commits });
  const sha = made.at(-1) ?? base;
  if (!(await moveRef(state, repository, { name, from: base, to: sha, by: merge.by, kind: 'pr_merge' }))) {
    throw new ApiError(409, 'Base branch was modified. Review and try the merge again.');
  }
  const now = state.timestamp();
  pull.state = 'closed';
  pull.baseSha = base;
  pull.closedAt = now;
  pull.updatedAt = now;
  pull.merge = { sha, at: now, by: merge.by };
  pull.mergedCommits = new Set([...commits.map(commit => commit.sha), ...made]);
  return sha;
}

/**
 * The pull requests of a commit (spec: the merged one that introduced it, else the open ones that contain it).
 * Each question counts down a pull request's association lag.
 */
export async function pullRequestsOf(repository: RepositoryState, sha: string) {
  const found: PullRequestState[] = [];
  for (const pull of repository.pulls.values()) {
    const commits =
      pull.merge === undefined
        ? (await pullRequestCommits(repository, pull)).map(commit => commit.sha)
        : [...pull.mergedCommits];
    if (!commits.includes(sha)) continue;
    if (pull.associationLag > 0) pull.associationLag -= 1;
    else found.push(pull);
  }
  const merged = found.filter(pull => pull.merge !== undefined);
  return merged.length > 0 ? merged : found;
}
