import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
const run = promisify(execFile);
const ENVIRONMENT = {
  PATH: process.env['PATH'] ?? '',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_TERMINAL_PROMPT: '0',
};
/** Commits of a remote repository as folders on disk, as source-controller keeps artifacts. */
export class GitCheckouts {
  root = mkdtemp(join(tmpdir(), 'sandbox-flux-'));
  repositories = new Map();
  folders = new Map();
  /** The commit that a branch is at, and its files. @throws with git's own words. */
  async fetch(url, branch) {
    const repository = await this.repository(url);
    await git(repository, ['fetch', '--quiet', '--depth=1', url, `+refs/heads/${branch}:refs/heads/fetched`]);
    const sha = (await git(repository, ['rev-parse', 'refs/heads/fetched'])).trim();
    const folder = this.folders.get(sha) ?? this.checkOut(repository, sha);
    this.folders.set(sha, folder);
    return { sha, folder: await folder };
  }
  async close() {
    await rm(await this.root, { recursive: true, force: true, maxRetries: 3 });
  }
  repository(url) {
    const known = this.repositories.get(url);
    if (known) return known;
    const created = this.create(this.repositories.size);
    this.repositories.set(url, created);
    return created;
  }
  async create(index) {
    const folder = join(await this.root, `repository-${index}`);
    await run('git', ['init', '--quiet', '--bare', folder], { env: ENVIRONMENT });
    return folder;
  }
  async checkOut(repository, sha) {
    const folder = join(await this.root, sha);
    await mkdir(folder, { recursive: true });
    await run(
      'git',
      ['--git-dir', repository, '--work-tree', folder, 'checkout', '--quiet', '--force', sha, '--', '.'],
      {
        env: { ...ENVIRONMENT, GIT_INDEX_FILE: `${folder}.index` },
      },
    );
    return folder;
  }
}
async function git(repository, args) {
  const { stdout } = await run('git', ['--git-dir', repository, ...args], { env: ENVIRONMENT });
  return stdout;
}
