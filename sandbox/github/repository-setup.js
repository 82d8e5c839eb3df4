import { join } from 'node:path';
import { emptyTree, GitRepository } from './git/git-repository.js';
import { history } from './git/history.js';
import { editTree, listTree } from './git/tree-edit.js';
import { moveRef } from './ref-updates.js';
const someone = { name: 'Mona Lisa', email: 'mona@example.com' };
export async function createRepository(state, place, options) {
  const { fullName } = place;
  if (state.find(fullName) !== undefined) throw new Error(`Repository ${fullName} exists already`);
  const defaultBranch = options.defaultBranch ?? 'main';
  const now = state.timestamp();
  const repository = {
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
  };
  state.repositories.set(fullName.toLowerCase(), repository);
  if (options.files !== undefined) {
    await push(state, repository, { files: options.files, message: options.message ?? 'Initial commit' });
  }
  return repository;
}
async function toEdit(repository, path, file) {
  if (file === null) return { path, mode: '100644', sha: null };
  const { content, mode = '100644' } = typeof file === 'string' ? { content: file } : file;
  if (mode === '160000') return { path, mode, sha: String(content) };
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  return { path, mode, sha: await repository.git.writeBlob(bytes) };
}
/** A person's commit on a branch (made when missing, from the default branch). Returns its sha. */
export async function push(state, repository, wanted) {
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
    const author = { ...(wanted.author ?? someone), date: state.timestamp() };
    const commit = await repository.git.writeCommit({
      tree: tree ?? emptyTree,
      parents: parent === undefined ? [] : [parent],
      author,
      committer: author,
      message: wanted.message.endsWith('\n') ? wanted.message : `${wanted.message}\n`,
    });
    // Somebody else may have pushed between our look and our move: a person would pull and try again.
    if (await moveRef(state, repository, { name, from: current?.sha, to: commit.sha })) return commit.sha;
  }
}
function loggedCommit(repository, commit) {
  const message = commit.message.trimEnd();
  const person = ({ name, email }) => ({ name, email });
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
export async function log(repository, branch) {
  const head = await repository.git.resolveCommit(branch);
  if (head === undefined) return [];
  const commits = await history(repository.git, { from: head.sha });
  return commits.map(commit => loggedCommit(repository, commit));
}
/** Every file of a branch, tag or commit. Of a submodule the content is its commit. */
export async function readTree(repository, ref) {
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
    return [path, { mode, content: content ?? '' }];
  });
  return new Map(await Promise.all(contents));
}
