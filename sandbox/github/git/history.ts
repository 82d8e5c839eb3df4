import type { GitRepository } from './git-repository.ts';
import type { CommitObject } from './object-format.ts';

export type FileStatus = 'added' | 'removed' | 'modified' | 'renamed' | 'copied' | 'changed';

export interface FileChange {
  readonly path: string;
  readonly previousPath?: string;
  readonly status: FileStatus;
  /** The blob after the change; of a removed file the one before it. */
  readonly sha: string;
  readonly additions: number;
  readonly deletions: number;
  readonly patch?: string;
}

function lines(output: Buffer): string[] {
  return output
    .toString()
    .split('\n')
    .filter(line => line !== '');
}

/** Whether `ancestor` is `descendant` or in its history. */
export async function isAncestor(repository: GitRepository, ancestor: string, descendant: string) {
  if (ancestor === descendant) return true;
  // The common question, "is the new commit's parent the branch's head", needs no process.
  if ((await repository.commit(descendant))?.parents.includes(ancestor)) return true;
  return (await repository.tryGit(['merge-base', '--is-ancestor', ancestor, descendant])).code === 0;
}

/** The best common ancestor, undefined for unrelated histories. */
export async function mergeBase(repository: GitRepository, a: string, b: string) {
  const result = await repository.tryGit(['merge-base', a, b]);
  return result.code === 0 ? result.stdout.toString().trim() : undefined;
}

export interface HistoryQuery {
  readonly from: string;
  readonly not?: string;
  readonly path?: string;
  readonly since?: string;
  readonly until?: string;
  readonly author?: string;
  readonly skip?: number;
  readonly limit?: number;
  readonly oldestFirst?: boolean;
}

function revListArguments(query: HistoryQuery): string[] {
  return [
    ...(query.since === undefined ? [] : [`--since=${query.since}`]),
    ...(query.until === undefined ? [] : [`--until=${query.until}`]),
    ...(query.author === undefined ? [] : ['--fixed-strings', `--author=${query.author}`]),
    query.from,
    ...(query.not === undefined ? [] : [`^${query.not}`]),
    ...(query.path === undefined || query.path === '' ? [] : ['--', query.path]),
  ];
}

/** Commits, newest first unless asked otherwise. */
export async function history(repository: GitRepository, query: HistoryQuery): Promise<CommitObject[]> {
  const output = await repository.git([
    'rev-list',
    '--topo-order',
    ...(query.oldestFirst === true ? ['--reverse'] : []),
    ...(query.skip === undefined ? [] : [`--skip=${query.skip}`]),
    ...(query.limit === undefined ? [] : [`--max-count=${query.limit}`]),
    ...revListArguments(query),
  ]);
  const commits = await Promise.all(lines(output).map(sha => repository.commit(sha)));
  return commits.filter(commit => commit !== undefined);
}

export async function countHistory(repository: GitRepository, query: HistoryQuery): Promise<number> {
  return Number(await repository.git(['rev-list', '--count', ...revListArguments(query)]));
}

const statuses: Readonly<Record<string, FileStatus>> = {
  A: 'added',
  D: 'removed',
  M: 'modified',
  R: 'renamed',
  C: 'copied',
  T: 'changed',
};

/**
 * Files that differ between two trees (or commits), renames found as GitHub finds them (half alike). Patches are
 * only there for text that changed.
 */
export async function changedFiles(
  repository: GitRepository,
  from: string,
  to: string,
): Promise<FileChange[]> {
  const diff = ['diff-tree', '-r', '-M', '--no-commit-id'];
  const [rawOutput, patchOutput] = await Promise.all([
    repository.git([...diff, '--raw', '--no-abbrev', '--numstat', '-z', from, to]),
    repository.git([...diff, '-p', '--full-index', from, to]),
  ]);
  const patches = patchOutput
    .toString()
    .split(/^diff --git /m)
    .slice(1);
  const fields = rawOutput.toString().split('\0');
  const changes: Omit<FileChange, 'additions' | 'deletions' | 'patch'>[] = [];
  let at = 0;
  for (; fields[at]?.startsWith(':'); at += 1) {
    const [, , before = '', after = '', letter = 'M'] = (fields[at] ?? '').split(' ');
    const status = statuses[letter.charAt(0)] ?? 'changed';
    const moved = status === 'renamed' || status === 'copied';
    at += 1;
    const first = fields[at] ?? '';
    if (moved) at += 1;
    const path = fields[at] ?? '';
    const sha = status === 'removed' ? before : after;
    changes.push({ path, status, sha, ...(moved ? { previousPath: first } : {}) });
  }
  return changes.map((change, index) => {
    const [additions, deletions, path] = (fields[at++] ?? '').split('\t');
    if (path === '') at += 2; // of a rename the two names follow as fields of their own
    const patch = patches[index];
    const hunk = patch?.indexOf('\n@@') ?? -1;
    return {
      ...change,
      additions: Number(additions) || 0, // "-" for binary files
      deletions: Number(deletions) || 0,
      ...(patch === undefined || hunk < 0 ? {} : { patch: patch.slice(hunk + 1).replace(/\n$/, '') }),
    };
  });
}

/** The tree of a three-way merge of two commits, or undefined when they conflict. */
export async function mergedTree(repository: GitRepository, ours: string, theirs: string) {
  const result = await repository.tryGit(['merge-tree', '--write-tree', ours, theirs]);
  return result.code === 0 ? result.stdout.toString().split('\n')[0] : undefined;
}
