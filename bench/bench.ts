import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { canary, deployment } from '../sandbox/podinfo.ts';
import { ENTRY, FLEET, ROLLOUT, Sandbox, SOURCE } from '../sandbox/sandbox.ts';

/** `npm run bench`: size, start and requests, against the budgets. Times are compared within one run only. */

interface Budget {
  readonly what: string;
  readonly measured: number;
  readonly limit: number;
  readonly unit: string;
}

const RUNS = 9;

async function main(): Promise<void> {
  const budgets: Budget[] = [
    { what: 'size of dist/index.js', measured: statSync(ENTRY).size / 1e6, limit: 2.2, unit: 'MB' },
    await startRatio(),
    ...(await requestsOfRevert()),
    await requestsOfLongRollout(),
    await requestsOfLargeFolder(),
    ...(await planRatio()),
  ];
  let over = 0;
  for (const { what, measured, limit, unit } of budgets) {
    const holds = measured <= limit;
    if (!holds) over += 1;
    console.log(
      `${holds ? 'ok  ' : 'OVER'} ${what}: ${Number(measured.toFixed(2))} ${unit} (at most ${limit})`,
    );
  }
  process.exitCode = over === 0 ? 0 : 1;
}

/** Start to first request, against the same sources under plain ncc (compiled by Node's own type stripping). */
async function startRatio(): Promise<Budget> {
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

/** From "failure seen" to the branch moved, in a small repository and in one of 5,000 files. */
async function requestsOfRevert(): Promise<readonly Budget[]> {
  const sizes = [0, 5_000];
  const budgets: Budget[] = [];
  for (const extra of sizes) {
    const more = Object.fromEntries(
      Array.from({ length: extra }, (_, index) => [`other/${index % 50}/${index}.yaml`, `n: ${index}\n`]),
    );
    const sandbox = await Sandbox.start({ files: more });
    try {
      sandbox.cluster.setMetric('prod/podinfo', 'success', 90);
      await sandbox.release('6.14.1');
      const writes = sandbox.github.requests.filter(
        ({ identity, kind }) => kind === 'api' && identity?.login === 'rollout[bot]',
      );
      const moved = writes.map(({ method, path }) => method === 'PATCH' && path.includes('/git/refs/'));
      const first = moved.indexOf(true);
      const last = moved.lastIndexOf(true);
      budgets.push({
        what: `failure seen → reverted, ${extra + 3} files`,
        measured: last - first,
        limit: 6,
        unit: 'requests',
      });
    } finally {
      await sandbox.close();
    }
  }
  return budgets;
}

async function requestsOfLongRollout(): Promise<Budget> {
  const names = ['podinfo', 'api', 'web'];
  const steps = '    stepWeight: 3\n    maxWeight: 90\n';
  const sandbox = await Sandbox.start({
    rate: 40,
    files: {
      'apps/kustomization.yaml': null,
      'apps/canary.yaml': null,
      'apps/deployment.yaml': names.map(name => deployment({ name })).join('---\n'),
      'apps/canaries.yaml': names.map(name => canary({ name, analysis: steps })).join('---\n'),
    },
    rollout: ROLLOUT.replace('[prod/podinfo]', `[${names.map(name => `prod/${name}`).join(', ')}]`),
  });
  try {
    const pull = await sandbox.github.proposeChange(SOURCE, { branch: 'b', files: { A: '1' }, title: 'A' });
    const sha = await sandbox.github.mergePullRequest(SOURCE, pull);
    const before = sandbox.github.requests.length;
    const chatter = setInterval(() => sandbox.chatter(), 50);
    const { outputs } = await sandbox.release('6.14.1', { sha }).finally(() => clearInterval(chatter));
    if (outputs['verdict'] !== 'promoted')
      throw new Error(`The long rollout ended ${outputs['verdict'] ?? 'without a verdict'}.`);
    const measured = sandbox.github.requests.slice(before).filter(({ kind }) => kind === 'api').length;
    return {
      what: `30 steps, 3 canaries, chatty events, in ${FLEET}`,
      measured,
      limit: 120,
      unit: 'requests',
    };
  } finally {
    await sandbox.close();
  }
}

const MANIFESTS = 1_000;

/** A folder of so many manifests, podinfo's among them, in folders of a hundred. */
function largeFolder(): Record<string, string> {
  const others = Array.from({ length: MANIFESTS }, (_, index) => {
    const name = `other-${index}`;
    const text = deployment({ name, tag: '1.0.0' });
    return [`apps/${Math.floor(index / 100)}/${name}.yaml`, text] as const;
  });
  const all = Object.fromEntries(others);
  const resources = [
    ...Object.keys(all).map(path => path.slice('apps/'.length)),
    'deployment.yaml',
    'canary.yaml',
  ];
  return {
    ...all,
    'apps/deployment.yaml': deployment(),
    'apps/canary.yaml': canary(),
    'apps/kustomization.yaml': `resources:\n${resources.map(path => `- ${path}\n`).join('')}`,
  };
}

/** What it costs at GitHub to plan a release in it. */
async function requestsOfLargeFolder(): Promise<Budget> {
  const sandbox = await Sandbox.start({ rate: 40, files: largeFolder() });
  try {
    const before = sandbox.github.requests.length;
    const { outputs } = await sandbox.release('6.14.1', { inputs: { mode: 'plan' } });
    if (outputs['reason'] !== 'planned') throw new Error(`The plan ended ${outputs['result'] ?? ''}.`);
    const measured = sandbox.github.requests.slice(before).filter(({ kind }) => kind === 'api').length;
    return { what: `plan of a folder of ${MANIFESTS} manifests`, measured, limit: 40, unit: 'requests' };
  } finally {
    await sandbox.close();
  }
}

/** Planning in it, beside what people run today: set the image, then build the folder. Skipped without kubectl. */
async function planRatio(): Promise<readonly Budget[]> {
  if (spawnSync('kubectl', ['version', '--client']).status !== 0) {
    console.log('     planning beside kubectl kustomize: not measured, there is no kubectl here');
    return [];
  }
  const folder = mkdtempSync(join(tmpdir(), 'gated-rollout-bench-'));
  try {
    for (const [path, text] of Object.entries({ ...largeFolder(), ...FLUX })) {
      mkdirSync(join(folder, path, '..'), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    const config = join(folder, 'rollout.yaml');
    writeFileSync(config, ROLLOUT);
    const cli = fileURLToPath(new URL('../dist/cli/index.js', import.meta.url));
    const plan = [cli, 'plan', '--offline', '--folder', folder, '--config', config, '--set', 'image=6.14.1'];
    const times = { plan: [] as number[], walk: [] as number[], kubectl: [] as number[] };
    for (let run = 0; run < 5; run += 1) {
      times.kubectl.push(timed('kubectl', ['kustomize', join(folder, 'apps')]));
      times.plan.push(timed(process.execPath, plan));
      // Nothing on the PATH that could build.
      times.walk.push(timed(process.execPath, plan, { PATH: folder }));
    }
    const [ours, walk, theirs] = [median(times.plan), median(times.walk), median(times.kubectl)];
    console.log(
      `     plan of ${MANIFESTS} manifests: ${Math.round(walk)} ms, ${Math.round(ours)} ms with its two builds; kubectl kustomize ${Math.round(theirs)} ms`,
    );
    const unit = '× kubectl kustomize';
    return [
      {
        what: `plan of ${MANIFESTS} manifests, by the walk alone`,
        measured: walk / theirs,
        limit: 1.5,
        unit,
      },
      // It builds twice, before and after, which a single core does one after the other.
      {
        what: `plan of ${MANIFESTS} manifests, built before and after`,
        measured: ours / theirs,
        limit: 4.5,
        unit,
      },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The Flux Kustomization, as the repository itself would have it. */
const FLUX = {
  'clusters/apps.yaml': `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: flux-system}
spec: {path: ./apps, sourceRef: {kind: GitRepository, name: fleet}}
`,
};

/** Wall time of a program, ms. */
function timed(command: string, args: readonly string[], env?: Readonly<Record<string, string>>): number {
  const start = performance.now();
  const { status, stderr } = spawnSync(command, args, { maxBuffer: 1e9, ...(env ? { env } : {}) });
  if (status !== 0) throw new Error(`${command} failed: ${String(stderr).slice(0, 500)}`);
  return performance.now() - start;
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
}

await main();
