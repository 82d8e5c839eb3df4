import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ENTRY } from '../sandbox/sandbox.ts';
import { type Budget, median } from './budget.ts';

const RUNS = 9;

/** Start to first request, against the same sources under plain ncc (compiled by Node's own type stripping). */
export async function startRatio(): Promise<Budget> {
  const folder = mkdtempSync(join(tmpdir(), 'gated-rollout-bench-'));
  try {
    const plain = buildPlain(folder);
    const times = { dist: [] as number[], plain: [] as number[] };
    for (let run = 0; run < RUNS; run += 1) {
      times.plain.push(await toFirstRequest(plain));
      times.dist.push(await toFirstRequest(ENTRY));
    }
    const [dist, other] = [median(times.dist), median(times.plain)];
    console.log(
      `     start to first request: ${Math.round(dist)} ms; plain ncc ${Math.round(other)} ms, ${(statSync(plain).size / 1e6).toFixed(1)} MB`,
    );
    return { what: 'start to first request', measured: dist / other, limit: 0.6, unit: '× plain ncc' };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** tsc makes JavaScript of the sources, ncc bundles it with whole packages. */
function buildPlain(folder: string): string {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const require = createRequire(import.meta.url);
  const scratch = join(root, 'node_modules', '.bench');
  const tsc = join(require.resolve('typescript/package.json'), '..', 'bin', 'tsc');
  run([tsc, '-p', join(root, 'bench')], root);
  const ncc = require.resolve('@vercel/ncc/dist/ncc/cli.js');
  run([ncc, 'build', join(scratch, 'index.js'), '-q', '-o', folder], root);
  rmSync(scratch, { recursive: true, force: true });
  return join(folder, 'index.js');
}

function run(args: readonly string[], cwd: string): void {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${args.join(' ')} failed:\n${stdout}${stderr}`);
}

async function toFirstRequest(entry: string): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'gated-rollout-start-'));
  const arrived = Promise.withResolvers<number>();
  const server = createServer((_, response) => {
    arrived.resolve(performance.now());
    response.writeHead(500).end();
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
  writeFileSync(join(folder, 'rollout.yaml'), 'target: [a/b]\nchange: [{image: "c:1"}]\n');
  const began = performance.now();
  const child = spawn(process.execPath, [entry], {
    stdio: 'ignore',
    env: {
      PATH: process.env['PATH'] ?? '',
      INPUT_TOKEN: 'x',
      GITHUB_REPOSITORY: 'a/b',
      GITHUB_SHA: 'a'.repeat(40),
      GITHUB_RUN_ID: '1',
      GITHUB_EVENT_NAME: 'push',
      GITHUB_API_URL: url,
      GITHUB_SERVER_URL: url,
      GITHUB_WORKSPACE: folder,
      RUNNER_TEMP: folder,
    },
  });
  try {
    const failed = new Promise<never>((_, reject) => {
      child.once('exit', code => reject(new Error(`${entry} ended with ${code} before its first request`)));
    });
    return (await Promise.race([arrived.promise, failed])) - began;
  } finally {
    child.kill('SIGKILL');
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
