import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { RepositoryName } from '../config/settings.ts';

const run = promisify(execFile);

export interface GitFolder {
  readonly head: string;
  /** Of its remote `origin`; undefined when there is none that looks like a repository of a forge. */
  readonly origin?: { readonly host: string; readonly repository: RepositoryName };
}

/** What Git knows of a folder; of a folder without Git only that. */
export async function gitFolder(folder: string): Promise<GitFolder> {
  const git = (...args: readonly string[]): Promise<string> =>
    run('git', ['-C', folder, ...args]).then(
      ({ stdout }) => stdout.trim(),
      () => '',
    );
  const [head, url] = await Promise.all([git('rev-parse', 'HEAD'), git('remote', 'get-url', 'origin')]);
  const [, host, owner, repo] =
    /^(?:[a-z+]+:\/\/)?(?:[^@/]+@)?([^:/]+)(?::\d+)?[:/](?:.*\/)?([^/]+)\/([^/]+?)(?:\.git)?\/?$/.exec(url) ??
    [];
  return {
    head: head === '' ? 'not a Git repository' : head,
    ...(host !== undefined && owner !== undefined && repo !== undefined
      ? { origin: { host, repository: { owner, repo } } }
      : {}),
  };
}
