import { spawn } from 'node:child_process';
import { gitEnvironment } from './git/git-process.js';
/** The git request that an address stands for; undefined when it is another kind of address. */
export function parseGitUrl(url) {
  const match = /^\/([^/]+)\/([^/]+?)(?:\.git)?\/(info\/refs|git-upload-pack|git-receive-pack|HEAD)$/.exec(
    url.pathname,
  );
  if (match === null) return undefined;
  const [, owner = '', name = '', service = ''] = match;
  const writes = service === 'git-receive-pack' || url.searchParams.get('service') === 'git-receive-pack';
  return { owner, name, service, query: url.search.slice(1), writes };
}
function header(request, name) {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(', ') : (value ?? '');
}
/** Splits a CGI answer's head into a status and headers. */
function parseCgiHead(head) {
  const headers = head
    .split(/\r?\n/)
    .filter(line => line.includes(':'))
    .map(line => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    });
  const status = headers.find(([name]) => name.toLowerCase() === 'status')?.[1];
  return {
    status: status === undefined ? 200 : Number.parseInt(status, 10),
    headers: headers.filter(([name]) => name.toLowerCase() !== 'status'),
  };
}
/**
 * Lets `git http-backend` answer over its CGI interface. `user` is who may push; undefined refuses pushes.
 * Resolves with the status when the answer is out.
 */
export function serveGit(repository, wanted, exchange) {
  const { request, response } = exchange;
  const environment = {
    ...gitEnvironment(repository.gitDir),
    GIT_DIR: undefined,
    GIT_PROJECT_ROOT: repository.gitDir,
    GIT_HTTP_EXPORT_ALL: '1',
    PATH_INFO: `/${wanted.service}`,
    QUERY_STRING: wanted.query,
    REQUEST_METHOD: request.method ?? 'GET',
    CONTENT_TYPE: header(request, 'content-type'),
    CONTENT_LENGTH: header(request, 'content-length'),
    HTTP_CONTENT_ENCODING: header(request, 'content-encoding'),
    GIT_PROTOCOL: header(request, 'git-protocol'),
    ...(wanted.user === undefined ? {} : { REMOTE_USER: wanted.user }),
  };
  return new Promise((resolve, reject) => {
    const child = spawn('git', ['http-backend'], { env: environment, stdio: ['pipe', 'pipe', 'ignore'] });
    let head = Buffer.alloc(0);
    let status = 500;
    child.on('error', reject);
    child.stdin.on('error', () => {});
    request.pipe(child.stdin);
    response.on('close', () => {
      if (!response.writableFinished) child.kill(); // the client left
    });
    child.stdout.on('data', chunk => {
      if (head === undefined) {
        response.write(chunk);
        return;
      }
      head = Buffer.concat([head, chunk]);
      const end = /\r?\n\r?\n/.exec(head.toString('latin1'));
      if (end === null) return;
      const parsed = parseCgiHead(head.toString('latin1', 0, end.index));
      status = parsed.status;
      response.writeHead(parsed.status, Object.fromEntries(parsed.headers));
      response.write(head.subarray(end.index + end[0].length));
      head = undefined;
    });
    child.on('close', () => {
      if (head !== undefined) response.writeHead(500);
      response.end(() => resolve(status));
      if (response.destroyed) resolve(status);
    });
  });
}
