import { join } from 'node:path';
import { emptyTree, GitRepository } from './git/git-repository.ts';
import { history } from './git/history.ts';
import type { CommitObject, TreeMode } from './git/object-format.ts';
import { editTree, listTree, type TreeEdit } from './git/tree-edit.ts';
import type { GitHubState } from './github-state.ts';
import { moveRef } from './ref-updates.ts';
import type { RepositoryState, Ruleset } from './repository-state.ts';

/** A file as a scenario writes it: its text, its text or bytes with a mode, or null for "not there any more". */
export type FileContent = string | { readonly content: string | Buffer; readonly mode?: TreeMode } | null;
export type Files = Readonly<Record<string, FileContent>>;

export interface RepositoryOptions {
  readonly files?: Files;
  readonly defaultBranch?: string;
  /** Of the API; git reads are open to anybody unless the server was told otherwise. Default private. */
  readonly visibility?: 'public' | 'private';
  readonly message?: string;
  readonly rulesets?: readonly Ruleset[];
}

export interface Person {
  readonly name: string;
  readonly email: string;
}

export interface Push {
  readonly branch?: string;
  readonly files: Files;
  readonly message: string;
  readonly author?: Person;
  /** Default: the author. */
  readonly committer?: Person;
  /** With a signature that GitHub knows as the committer's. */
  readonly signed?: true;
  /** Login of who pushes it; default mona. */
  readonly by?: string;
  /** Commits on this commit instead of the branch's head; the branch is then moved there by force. */
  readonly onto?: string;
}

/** A commit as scenarios look at it. */
export interface LoggedCommit {
  readonly sha: string;
  readonly parents: readonly string[];
  readonly title: string;
  readonly message: string;
  readonly author: Person;
  readonly committer: Person;
  readonly verified: boolean;
  readonly date: string;
}

const someone: Person = { name: 'Mona Lisa', email: 'mona@example.com' };

export async function createRepository(
  state: GitHubState,
  place: { readonly root: string; readonly fullName: string },
  options: RepositoryOptions,
): Promise<RepositoryState> {
  const { fullName } = place;
  if (state.find(fullName) !== undefined) throw new Error(`Repository ${fullName} exists already`);
  const defaultBranch = options.defaultBranch ?? 'main';
  const now = state.timestamp();
  const repository: RepositoryState = {
    id: state.newId(),
    fullName,
    git: await GitRepository.create(join(place.root, `${fullName}.git`), defaultBranch),
    defaultBranch,
    visibility: options.visibility ?? 'private',
    createdAt: now,
    pushedAt: now,
    treeLimit: 100_000,
    rulesets: options.rulesets ?? [],
    protection: new Map(),
    verified: new Map(),
    previousRefs: new Map(),
    lastIssue: 0,
    pulls: new Map(),
    issues: new Set(),
    comments: new Map(),
    checkRuns: new Map(),
    suites: new Map(),
    deployments: new Map(),
    runs: new Map(),
    activity: [],
  };
  state.repositories.set(fullName.toLowerCase(), repository);
  if (options.files !== undefined) {
    await push(state, repository, { files: options.files, message: options.message ?? 'Initial commit' });
  }
  return repository;
}

async function toEdit(repository: RepositoryState, path: string, file: FileContent): Promise<TreeEdit> {
  if (file === null) return { path, mode: '100644', sha: null };
  const { content, mode = '100644' } = typeof file === 'string' ? { content: file } : file;
  if (mode === '160000') return { path, mode, sha: String(content) };
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  return { path, mode, sha: await repository.git.writeBlob(bytes) };
}

/** A person's commit on a branch (made when missing, from the default branch). Returns its sha. */
export async function push(state: GitHubState, repository: RepositoryState, wanted: Push): Promise<string> {
  const name = `refs/heads/${wanted.branch ?? repository.defaultBranch}`;
  const edits = await Promise.all(
    Object.entries(wanted.files).map(([path, file]) => toEdit(repository, path, file)),
  );
  for (;;) {
    const current = await repository.git.ref(name);
    const start = current ?? (await repository.git.ref(`refs/heads/${repository.defaultBranch}`));
    const parent = wanted.onto ?? start?.sha;
    const base = parent === undefined ? undefined : await repository.git.commit(parent);
    const tree = edits.length === 0 ? base?.tree : await editTree(repository.git, base?.tree, edits);
    const date = state.timestamp();
    const author = { ...(wanted.author ?? someone), date };
    const commit = await repository.git.writeCommit({
      tree: tree ?? emptyTree,
      parents: parent === undefined ? [] : [parent],
      author,
      committer: { ...(wanted.committer ?? author), date },
      message: wanted.message.endsWith('\n') ? wanted.message : `${wanted.message}\n`,
    });
    // Somebody else may have pushed between our look and our move: a person would pull and try again.
    const { by = 'mona' } = wanted;
    if (wanted.signed) repository.verified.set(commit.sha, date);
    if (await moveRef(state, repository, { name, from: current?.sha, to: commit.sha, by })) return commit.sha;
  }
}

function loggedCommit(repository: RepositoryState, commit: CommitObject): LoggedCommit {
  const message = commit.message.trimEnd();
  const person = ({ name, email }: Person) => ({ name, email });
  return {
    sha: commit.sha,
    parents: commit.parents,
    title: message.split('\n')[0] ?? '',
    message,
    author: person(commit.author),
    committer: person(commit.committer),
    verified: repository.verified.has(commit.sha),
    date: commit.author.date,
  };
}

/** A branch's commits, newest first; none when there is no such branch. */
export async function log(repository: RepositoryState, branch: string): Promise<LoggedCommit[]> {
  const head = await repository.git.resolveCommit(branch);
  if (head === undefined) return [];
  const commits = await history(repository.git, { from: head.sha });
  return commits.map(commit => loggedCommit(repository, commit));
}

/** Every file of a branch, tag or commit. Of a submodule the content is its commit. */
export async function readTree(repository: RepositoryState, ref: string) {
  const commit = await repository.git.resolveCommit(ref);
  if (commit === undefined) throw new Error(`${repository.fullName} has no ${ref}`);
  const { entries } = await listTree(repository.git, {
    tree: commit.tree,
    recursive: true,
    limit: Number.POSITIVE_INFINITY,
  });
  const files = entries.filter(entry => entry.mode !== '040000');
  const contents = files.map(async ({ path, mode, sha }) => {
    const content = mode === '160000' ? sha : (await repository.git.object(sha))?.content.toString();
    return [path, { mode, content: content ?? '' }] as const;
  });
  return new Map(await Promise.all(contents));
}
