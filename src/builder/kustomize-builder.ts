import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TreeBuild, TreeBuilder } from '../plan/build.ts';

interface Program {
  readonly command: string;
  readonly build: readonly string[];
  readonly version: readonly string[];
  readonly name: string;
}

/** kustomize first: who has both installed it on purpose. Both are on GitHub's hosted runners. */
const PROGRAMS: readonly Program[] = [
  { command: 'kustomize', build: ['build'], version: ['version'], name: 'kustomize' },
  {
    command: 'kubectl',
    build: ['kustomize'],
    version: ['version', '--client'],
    name: 'kubectl kustomize',
  },
];
/** kustomize-controller builds without the restrictor, and without plugins or Helm (both are off by default). */
const AS_FLUX = ['--load-restrictor', 'LoadRestrictionsNone'];
const TIMEOUT_MS = 60_000;
const MAX_OUTPUT = 256 * 1024 * 1024;

type Ran =
  | { readonly kind: 'ended'; readonly code: number; readonly out: string; readonly err: string }
  | { readonly kind: 'absent' }
  | { readonly kind: 'broken'; readonly why: string };

/** kustomize, alone or within kubectl, as the machine has it. It is given a folder of its own and no secret. */
export class KustomizeBuilder implements TreeBuilder {
  private readonly env: Readonly<Record<string, string | undefined>>;
  private program: Promise<{ readonly program: Program; readonly by: string } | undefined> | undefined;

  constructor(on: { readonly env: Readonly<Record<string, string | undefined>> }) {
    this.env = on.env;
  }

  async build(files: ReadonlyMap<string, string>, folder: string): Promise<TreeBuild> {
    this.program ??= this.find();
    const found = await this.program;
    if (!found) return { kind: 'unavailable', why: 'there is neither kustomize nor kubectl on this machine' };
    const { program, by } = found;
    const scratch = await mkdtemp(join(this.env['RUNNER_TEMP'] ?? tmpdir(), 'gated-rollout-build-'));
    try {
      const tree = join(scratch, 'tree');
      await writeTree(tree, files);
      const ran = await this.run(
        program.command,
        [...program.build, join(tree, folder), ...AS_FLUX],
        scratch,
      );
      switch (ran.kind) {
        case 'absent':
          return { kind: 'unavailable', why: `${program.command} is gone` };
        case 'broken':
          return { kind: 'unavailable', why: `${by} ${ran.why}` };
        case 'ended':
          return ran.code === 0
            ? { kind: 'built', by, text: ran.out }
            : { kind: 'failed', by, words: words(ran.err, tree) };
      }
    } catch (error) {
      return { kind: 'unavailable', why: error instanceof Error ? error.message : String(error) };
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }

  private async find(): Promise<{ readonly program: Program; readonly by: string } | undefined> {
    for (const program of PROGRAMS) {
      const ran = await this.run(program.command, program.version, tmpdir());
      if (ran.kind !== 'ended' || ran.code !== 0) continue;
      const version = /(?:Kustomize Version: |kustomize\/|^)(v\d[\w.+-]*)/m.exec(ran.out)?.[1];
      return { program, by: version === undefined ? program.name : `${program.name} ${version}` };
    }
    return undefined;
  }

  private run(command: string, args: readonly string[], home: string): Promise<Ran> {
    const { PATH, SystemRoot, TMPDIR } = this.env;
    const env = { PATH, SystemRoot, TMPDIR, HOME: home, KUBECONFIG: '/dev/null', GIT_TERMINAL_PROMPT: '0' };
    const options = { env, cwd: home, timeout: TIMEOUT_MS, maxBuffer: MAX_OUTPUT };
    return new Promise(resolve => {
      execFile(command, args, options, (error, out, err) => {
        if (!error) resolve({ kind: 'ended', code: 0, out, err });
        else if (error.code === 'ENOENT') resolve({ kind: 'absent' });
        else if (typeof error.code === 'number') resolve({ kind: 'ended', code: error.code, out, err });
        else resolve({ kind: 'broken', why: error.killed ? 'took too long' : error.message });
      });
    });
  }
}

async function writeTree(root: string, files: ReadonlyMap<string, string>): Promise<void> {
  const folders = new Set([...files.keys()].map(path => dirname(join(root, path))));
  for (const folder of folders) await mkdir(folder, { recursive: true });
  await Promise.all([...files].map(([path, text]) => writeFile(join(root, path), text)));
}

/** Without the names of our own folders, which say nothing to anybody. */
function words(err: string, tree: string): string {
  return err
    .replaceAll(`${tree}/`, '')
    .replaceAll(tree, '.')
    .replace(/^error: /i, '')
    .trim();
}
