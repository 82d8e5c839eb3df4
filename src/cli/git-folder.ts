import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { RepositoryName } from '../config/settings.ts';
import type { SourceView } from '../rollout/observation.ts';

const run = promisify(execFile);

/**
 * A folder must not tell git what to run: a bare repository that lies in the tree has a config of its own
 * (core.fsmonitor is a command), and git would obey it.
 */
const CAREFULLY = ['safe.bareRepository=explicit', 'core.fsmonitor=false', 'core.hooksPath=/dev/null'];

export interface GitFolder {
  /** The commit that it is at; undefined: it is no repository of Git, or an empty one. */
  readonly head?: string;
  /** Undefined where no branch is checked out. */
  readonly branch?: string;
  /** Files that are not as the head has them, those that are not ignored and not known included. */
  readonly changed: readonly string[];
  /** Of its remote `origin`; undefined when there is none that looks like a repository of a forge. */
  readonly origin?: { readonly host: string; readonly repository: RepositoryName };
  /** How the head stands to another commit. */
  standing(commit: string): Promise<'same' | 'behind' | 'ahead' | 'diverged'>;
}

/** What Git knows of a folder; of a folder without Git only that. */
export async function gitFolder(folder: string): Promise<GitFolder> {
  const git = (...args: readonly string[]): Promise<string | undefined> =>
    run('git', [...CAREFULLY.flatMap(setting => ['-c', setting]), '-C', folder, ...args], {
      maxBuffer: 64 << 20,
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], GIT_OPTIONAL_LOCKS: '0' },
    }).then(
      ({ stdout }) => stdout.trimEnd(),
      () => undefined,
    );
  const [head, branch, status, url] = await Promise.all([
    git('rev-parse', '--verify', 'HEAD'),
    git('symbolic-ref', '--short', '-q', 'HEAD'),
    git('status', '--porcelain', '-z'),
    git('remote', 'get-url', 'origin'),
  ]);
  const isAncestor = async (one: string, other: string): Promise<boolean> =>
    (await git('merge-base', '--is-ancestor', one, other)) !== undefined;
  return {
    ...(head === undefined ? {} : { head }),
    ...(branch ? { branch } : {}),
    changed: (status ?? '').split('\0').flatMap(line => (/^.. /.test(line) ? [line.slice(3)] : [])),
    ...originOf(url ?? ''),
    standing: async commit => {
      if (head === undefined || head === commit) return 'same';
      // A commit that the clone does not have came after its last fetch.
      if ((await git('cat-file', '-e', `${commit}^{commit}`)) === undefined) return 'behind';
      if (await isAncestor(head, commit)) return 'behind';
      return (await isAncestor(commit, head)) ? 'ahead' : 'diverged';
    },
  };
}

function originOf(url: string): Pick<GitFolder, 'origin'> {
  const [, host, owner, repo] =
    /^(?:[a-z+]+:\/\/)?(?:[^@/]+@)?([^:/]+)(?::\d+)?[:/](?:.*\/)?([^/]+)\/([^/]+?)(?:\.git)?\/?$/.exec(url) ??
    [];
  return host !== undefined && owner !== undefined && repo !== undefined
    ? { origin: { host, repository: { owner, repo } } }
    : {};
}

/** How a folder differs from what Flux has fetched, and what to do about it. */
export interface FolderDifference {
  readonly words: string;
  /** Undefined: nothing has to be done. */
  readonly remedy?: string;
}

/** Nothing where what lies in the folder is what Flux has. */
export async function differences(
  git: GitFolder,
  source: Pick<SourceView, 'revision' | 'branch'>,
): Promise<readonly FolderDifference[]> {
  const { head, branch, changed } = git;
  if (head === undefined) return [];
  const { revision } = source;
  const found: FolderDifference[] = [];
  const at = `the folder is at ${head.slice(0, 7)}, Flux at ${revision?.slice(0, 7) ?? 'nothing yet'}`;
  switch (revision === undefined ? 'same' : await git.standing(revision)) {
    case 'same':
      break;
    case 'behind':
      found.push({ words: `The clone is behind (${at}).`, remedy: 'git pull' });
      break;
    case 'ahead':
      found.push({ words: `The clone has commits that Flux has not fetched (${at}).`, remedy: 'git push' });
      break;
    case 'diverged': {
      const wanted = source.branch ?? 'the branch that Flux follows';
      const here = branch === undefined ? 'no branch' : `the branch ${branch}`;
      const remedy = `git switch ${source.branch ?? 'BRANCH'} && git pull`;
      found.push({ words: `The clone is on ${here}, and not on ${wanted} (${at}).`, remedy });
    }
  }
  if (changed.length > 0) {
    const more = changed.length > 3 ? ` and ${changed.length - 3} more` : '';
    const names = changed.slice(0, 3).join(', ');
    found.push({ words: `The folder has changes that are not committed: ${names}${more}.` });
  }
  return found;
}
