import { readFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Sandbox } from '../sandbox.ts';
import { pageState } from './page-state.ts';

const ASSETS = fileURLToPath(new URL('./assets/', import.meta.url));
const MERMAID = dirname(createRequire(import.meta.url).resolve('mermaid'));
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
};
/** Markdown comes from anywhere; only our own script may run, as on GitHub. Mermaid writes styles into its drawings. */
const POLICY =
  "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:";

export interface Page {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  close(): Promise<void>;
}

/** A page that shows the sandbox's pull requests, its GitOps repository and its cluster, as they are right now. */
export async function servePage(sandbox: Sandbox, port = 0): Promise<Page> {
  const server = createServer((request, response) => {
    answer(sandbox, new URL(request.url ?? '/', 'http://page').pathname, response).catch((error: unknown) => {
      response.writeHead(500).end(String(error));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(sandbox: Sandbox, path: string, response: ServerResponse): Promise<void> {
  response.setHeader('content-security-policy', POLICY);
  response.setHeader('cache-control', 'no-store');
  if (path === '/state') {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(await pageState(sandbox)));
    return;
  }
  const file = fileOf(path);
  const content = file === undefined ? undefined : await readFile(file).catch(() => undefined);
  if (file === undefined || content === undefined) {
    response.writeHead(404).end('not found');
    return;
  }
  response.setHeader('content-type', TYPES[extname(file)] ?? 'application/octet-stream');
  response.end(content);
}

/** A file of the page, or of Mermaid; nothing else of the disk. */
function fileOf(path: string): string | undefined {
  if (path === '/') return join(ASSETS, 'page.html');
  const mermaid = /^\/mermaid\/((?:[\w.-]+\/)*[\w.-]+\.mjs)$/.exec(path)?.[1];
  if (mermaid !== undefined && !mermaid.includes('..')) return join(MERMAID, mermaid);
  const asset = /^\/(page\.(?:css|js))$/.exec(path)?.[1];
  return asset === undefined ? undefined : join(ASSETS, asset);
}
