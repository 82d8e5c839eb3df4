import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { FLEET, type Sandbox } from '../../sandbox/sandbox.ts';

export const CLI = fileURLToPath(new URL('../../bin/gated-rollout.js', import.meta.url));
const run = promisify(execFile);

export interface Answer {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** The GitOps repository cloned, rollout.yaml beside it, and the built command line. */
export async function withClone(
  sandbox: Sandbox,
  work: (gated: (...args: readonly string[]) => Promise<Answer>, folder: string) => Promise<void>,
  {
    env = {},
    clone = FLEET,
  }: { readonly env?: Readonly<Record<string, string>>; readonly clone?: string } = {},
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'gated-rollout-cli-'));
  try {
    const fleet = join(folder, 'fleet');
    await run('git', ['clone', '-q', sandbox.github.cloneUrl(clone), fleet]);
    await writeFile(join(folder, 'rollout.yaml'), sandbox.rollout);
    await writeFile(join(folder, 'kubeconfig'), sandbox.cluster.kubeconfig);
    const common = ['--folder', fleet, '--kubeconfig', join(folder, 'kubeconfig')];
    await work(async (...args) => {
      const config = args[0] === 'init' ? [] : ['--config', join(folder, 'rollout.yaml')];
      try {
        const { stdout, stderr } = await run(process.execPath, [CLI, ...common, ...config, ...args], {
          // Whatever token this machine has for GitHub is none of the tests' business.
          env: { ...process.env, GH_TOKEN: '', GITHUB_TOKEN: '', ...env },
        });
        return { code: 0, out: stdout, err: stderr };
      } catch (error) {
        const {
          code = 1,
          stdout = '',
          stderr = '',
        } = error as Partial<Record<'stdout' | 'stderr', string>> & {
          code?: number;
        };
        return { code, out: stdout, err: stderr };
      }
    }, fleet);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
