import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROLLOUT } from '../sandbox/sandbox.ts';
import type { Budget } from './budget.ts';
import { type Folder, overlays, smallFolder, thousandManifests } from './folders.ts';

const CLI = fileURLToPath(new URL('../dist/cli/index.js', import.meta.url));
const ONE_BUILD = fileURLToPath(new URL('one-build.ts', import.meta.url));
const PROGRAM = fileURLToPath(new URL('../dist/build/flux-build.wasm.br', import.meta.url));

const FOLDERS: readonly { readonly what: string; readonly folder: Folder; readonly seconds: number }[] = [
  { what: 'a small folder', folder: smallFolder(), seconds: 1.5 },
  { what: '600 files, 150 objects', folder: overlays(), seconds: 8 },
  { what: '1,000 manifests', folder: thousandManifests(), seconds: 40 },
];
const MAX_MB = 800;

export function sizeOfProgram(): Budget {
  return { what: 'size of the WebAssembly', measured: statSync(PROGRAM).size / 1e6, limit: 5, unit: 'MB' };
}

/** Plans of the built command line, each a process of its own that has built nothing before, beside kubectl's build. */
export function planTimes(): readonly Budget[] {
  return FOLDERS.flatMap(({ what, folder, seconds }) => planTime(what, folder, seconds));
}

function planTime(what: string, folder: Folder, seconds: number): readonly Budget[] {
  const root = mkdtempSync(join(tmpdir(), 'gated-rollout-bench-'));
  try {
    for (const [path, text] of Object.entries({ ...folder, ...FLUX })) {
      mkdirSync(join(root, path, '..'), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    const config = join(root, 'rollout.yaml');
    writeFileSync(config, ROLLOUT);
    const kubectl = timed('kubectl', ['kustomize', join(root, 'apps')]);
    const once = node([ONE_BUILD, root, 'apps']);
    const plan = node([
      CLI,
      'plan',
      '--offline',
      '--folder',
      root,
      '--config',
      config,
      '--set',
      'image=6.14.1',
    ]);
    const beside = kubectl === undefined ? 'no kubectl here' : `kubectl kustomize ${inSeconds(kubectl)}`;
    console.log(
      `     ${what}: started, built once ${inSeconds(once.ms)}, ${once.mb} MB (${once.said}); planned ${inSeconds(plan.ms)}, ${plan.mb} MB; ${beside}`,
    );
    return [
      { what: `${what}, planned`, measured: plan.ms / 1_000, limit: seconds, unit: 's' },
      { what: `${what}, planned`, measured: plan.mb, limit: MAX_MB, unit: 'MB' },
    ];
  } finally {
    rmSync(root, { recursive: true, force: true });
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

/** Says at its end what it took at most. */
const PEAK = `data:text/javascript,${encodeURIComponent(
  "process.on('exit', () => console.error('\\npeak', process.resourceUsage().maxRSS))",
)}`;

function node(args: readonly string[]): { readonly ms: number; readonly mb: number; readonly said: string } {
  const start = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', PEAK, ...args], {
    encoding: 'utf8',
  });
  const ms = performance.now() - start;
  if (status !== 0) throw new Error(`${args.join(' ')} failed: ${stderr.slice(0, 500)}${stdout.slice(-500)}`);
  const peak = Number(/^peak (\d+)$/m.exec(stderr)?.[1] ?? Number.NaN);
  return { ms, mb: Math.round((peak * 1024) / 1e6), said: stdout.trim() };
}

/** Wall time of a program, ms; undefined where it is not installed. */
function timed(command: string, args: readonly string[]): number | undefined {
  const start = performance.now();
  const { status, stderr, error } = spawnSync(command, args, { maxBuffer: 1e9 });
  if (error) return undefined;
  if (status !== 0) throw new Error(`${command} failed: ${String(stderr).slice(0, 500)}`);
  return performance.now() - start;
}

function inSeconds(ms: number): string {
  return `${(ms / 1_000).toFixed(2)} s`;
}
