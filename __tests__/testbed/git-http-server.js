import { execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { listen } from '../../testbed/listen.js';
/** Starts a server on 127.0.0.1 that holds one repository, without a commit at first. */
export async function startGitFixture() {
  const root = await mkdtemp(join(tmpdir(), 'gated-rollout-git-'));
  const tree = join(root, 'tree');
  await mkdir(join(root, 'served'));
  const git = async (...args) =>
    (await promisify(execFile)('git', ['-C', tree, ...args], { env: gitEnvironment() })).stdout.trim();
  await mkdir(tree);
  await git('init', '--quiet', '--initial-branch=main');
  await git('init', '--quiet', '--bare', '--initial-branch=main', join(root, 'served', 'fleet.git'));
  const server = await listen(
    createServer((request, response) => void serve(join(root, 'served'), request, response)),
  );
  return {
    url: `${server.url}/fleet.git`,
    async commit(message, files) {
      for (const [path, content] of Object.entries(files)) {
        await mkdir(dirname(join(tree, path)), { recursive: true });
        await writeFile(join(tree, path), content);
      }
      await git('add', '--all');
      await git('commit', '--quiet', '-m', message);
      await git('push', '--quiet', join(root, 'served', 'fleet.git'), 'main');
      return git('rev-parse', 'HEAD');
    },
    async close() {
      await server.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}
function gitEnvironment() {
  const who = { NAME: 'Test', EMAIL: 'test@example.com' };
  return {
    PATH: process.env.PATH,
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    ...Object.fromEntries(
      Object.entries(who).flatMap(([key, value]) => [
        [`GIT_AUTHOR_${key}`, value],
        [`GIT_COMMITTER_${key}`, value],
      ]),
    ),
  };
}
/** Runs `git http-backend`, a CGI program: the request in variables and stdin, status and headers before its output. */
async function serve(root, request, response) {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const backend = spawn('git', ['http-backend'], {
    env: {
      ...gitEnvironment(),
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: url.pathname,
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method ?? 'GET',
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  backend.stdin.on('error', () => {});
  request.pipe(backend.stdin);
  const chunks = [];
  for await (const chunk of backend.stdout) chunks.push(Buffer.from(chunk));
  const output = Buffer.concat(chunks);
  const end = output.indexOf('\r\n\r\n');
  for (const line of output.subarray(0, end).toString().split('\r\n')) {
    const [, name = '', value = ''] = /^([^:]+): (.*)$/.exec(line) ?? [];
    if (name === 'Status') response.statusCode = Number.parseInt(value, 10);
    else if (name !== '') response.setHeader(name, value);
  }
  response.end(output.subarray(end + 4));
}
