import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { z } from 'zod';

const root = new URL('../../', import.meta.url);
const read = (file: string) => readFileSync(new URL(file, root), 'utf8');

const texts = z.record(z.string(), z.string());
const package_ = z
  .object({
    engines: texts,
    devEngines: z.object({ runtime: z.object({ version: z.string() }) }),
    scripts: texts,
    dependencies: texts.optional(),
    devDependencies: texts,
    workspaces: z.unknown().optional(),
  })
  .parse(JSON.parse(read('package.json')));
const { optionalDependencies: nodes } = z
  .object({ optionalDependencies: texts })
  .parse(JSON.parse(read('scripts/node/package.json')));
const locked = z
  .record(
    z.string(),
    z.looseObject({
      version: z.string().optional(),
      integrity: z.string().optional(),
      link: z.boolean().optional(),
      hasInstallScript: z.boolean().optional(),
    }),
  )
  .parse(z.object({ packages: z.unknown() }).parse(JSON.parse(read('package-lock.json'))).packages);

const scratch = mkdtempSync(join(tmpdir(), 'gated-rollout-install-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe('what npx installs', () => {
  it('is this package alone: bin and dist', () => {
    const npm = (folder: string, ...args: string[]) =>
      execFileSync('npm', args, { cwd: folder, encoding: 'utf8', shell: process.platform === 'win32' });
    npm(root.pathname, 'pack', '--silent', '--pack-destination', scratch);
    const [tarball = ''] = readdirSync(scratch);
    npm(
      scratch,
      'install',
      '--silent',
      '--offline',
      '--omit=dev',
      '--prefix',
      scratch,
      join(scratch, tarball),
    );
    const installed = join(scratch, 'node_modules');
    expect(readdirSync(installed).filter(name => !name.startsWith('.'))).toEqual(['gated-rollout']);
    expect(readdirSync(join(installed, 'gated-rollout')).sort()).toEqual(
      ['LICENSE', 'README.md', 'bin', 'dist', 'package.json'].sort(),
    );
    const help = execFileSync(
      process.execPath,
      ['node_modules/gated-rollout/bin/gated-rollout.js', '--help'],
      {
        cwd: scratch,
        encoding: 'utf8',
      },
    );
    expect(help).toContain('--offline');
  });

  // pacote's git.js: with one of these npm installs all tools first, for everybody who calls npx github:….
  it('is not prepared by npm with all tools', () => {
    const preparing = ['build', 'prepare', 'prepack', 'install', 'preinstall', 'postinstall'];
    expect(Object.keys(package_.scripts).filter(name => preparing.includes(name))).toEqual([]);
    expect(package_.workspaces).toBeUndefined();
    expect(package_.dependencies).toBeUndefined();
  });
});

describe('what npm ci installs', () => {
  const fetched = Object.entries(locked).filter(
    ([path, { link }]) => path.startsWith('node_modules/') && !link,
  );

  it('is hashed', () => {
    expect(fetched.length).toBeGreaterThan(100);
    expect(fetched.filter(([, { integrity }]) => !integrity?.startsWith('sha512-'))).toEqual([]);
  });

  it('runs no code', () => {
    expect(fetched.filter(([, { hasInstallScript }]) => hasInstallScript)).toEqual([]);
  });

  it('is named by exact versions', () => {
    const named = Object.entries({ ...package_.devDependencies, ...nodes });
    expect(named.filter(([, version]) => !/^(\d+\.\d+\.\d+|file:scripts\/node)$/.test(version))).toEqual([]);
  });

  it('brings the Node that the runner has, locked for every platform', () => {
    for (const [name, version] of Object.entries(nodes)) {
      expect(locked[`node_modules/${name}`]).toMatchObject({ version, optional: true });
      expect(version).toMatch(/^24\./);
    }
    expect(read('action.yml')).toContain('using: node24');
    expect(process.version).toMatch(/^v24\./);
  });
});

describe('which Node is needed', () => {
  it('is said the same everywhere', () => {
    const [, forUse = ''] = />=(\d+\.\d+)\.0$/.exec(package_.engines['node'] ?? '') ?? [];
    const [, forDevelopment = ''] = /^>=(\d+)$/.exec(package_.devEngines.runtime.version) ?? [];
    expect(read('bin/gated-rollout.js')).toContain(`needed = [${forUse.replace('.', ', ')}];`);
    expect(read('README.md')).toContain(`your own machine (Node ${forUse} or newer)`);
    expect(read('README.md')).toContain(`Node (${forDevelopment} or newer;`);
    expect(read('CONTRIBUTING.md')).toContain(`any Node from ${forDevelopment} on`);
  });
});
