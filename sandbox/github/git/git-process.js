import { spawn } from 'node:child_process';
/** A git process ended with an exit code that the caller did not expect. */
export class GitError extends Error {
  code;
  constructor(args, result) {
    super(`git ${args[0] ?? ''} ended with ${result.code}: ${result.stderr.trim()}`);
    this.name = 'GitError';
    this.code = result.code;
  }
}
/** The environment of every git process: neither the user's configuration nor a prompt may change what we do. */
export function gitEnvironment(gitDir) {
  return {
    PATH: process.env['PATH'],
    HOME: gitDir,
    GIT_DIR: gitDir,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_AUTHOR_NAME: 'Embedded GitHub',
    GIT_AUTHOR_EMAIL: 'noreply@github.com',
    GIT_COMMITTER_NAME: 'Embedded GitHub',
    GIT_COMMITTER_EMAIL: 'noreply@github.com',
    LC_ALL: 'C',
  };
}
/** Runs git and returns whatever exit code it ends with. Rejects only when git can't be started. */
export function tryGit(run) {
  return new Promise((resolve, reject) => {
    const child = spawn('git', [...run.args], { env: gitEnvironment(run.gitDir), stdio: 'pipe' });
    const stdout = [];
    const stderr = [];
    child.stdout.on('data', chunk => stdout.push(chunk));
    child.stderr.on('data', chunk => stderr.push(chunk));
    child.on('error', reject);
    child.on('close', code => {
      resolve({ code: code ?? -1, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() });
    });
    child.stdin.on('error', () => {}); // git may end without reading what it is given; its exit code tells
    child.stdin.end(run.input);
  });
}
/** Runs git and returns its output. Throws {@link GitError} on any exit code but 0. */
export async function git(run) {
  const result = await tryGit(run);
  if (result.code !== 0) throw new GitError(run.args, result);
  return result.stdout;
}
