import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

const root = fileURLToPath(new URL('../../', import.meta.url));
const page = readFileSync(join(root, 'docs/security.md'), 'utf8');
const [, table = ''] = /\| Property \|.*\n\|[-|]+\|\n((?:\|.*\n?)+)/.exec(page) ?? [];
const rows = table
  .trim()
  .split('\n')
  .map(line => line.split('|').map(cell => cell.trim()))
  .map(([, property = '', , shown = '']) => ({
    property,
    open: shown === '*Open*',
    // Of a file without a title, all of its tests.
    tests: [...shown.matchAll(/`([\w/-]+\.test\.ts)(?:: ([^`]+))?`/g)].map(([, file = '', title = '']) => ({
      file: join(root, '__tests__', file),
      title,
    })),
  }));

const listed = z.array(z.object({ name: z.string(), file: z.string() }));

const onRealControlPlane = (file: string) => /__tests__\/(?:cluster|testbed)\//.test(file);

/** Names of all tests in these files, as vitest knows them: with those of the describe() around them. */
function testsIn(files: readonly string[], config: readonly string[]): z.infer<typeof listed> {
  if (files.length === 0) return [];
  const vitest = join(createRequire(import.meta.url).resolve('vitest/package.json'), '..', 'vitest.mjs');
  // Last, because vitest takes what follows --json for the file to write.
  const list = execFileSync(process.execPath, [vitest, 'list', ...files, ...config, '--json'], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return listed.parse(JSON.parse(list.slice(list.indexOf('['))));
}

describe('docs/security.md', () => {
  it('names a test for each property, or says that none shows it', () => {
    expect(rows.length).toBeGreaterThanOrEqual(15);
    expect(rows.filter(({ open, tests }) => open === tests.length > 0)).toEqual([]);
  });

  it('names tests that there are', () => {
    const named = rows.flatMap(({ tests }) => tests);
    const files = [...new Set(named.map(({ file }) => file))];
    const found = [
      ...testsIn(
        files.filter(file => !onRealControlPlane(file)),
        [],
      ),
      ...testsIn(files.filter(onRealControlPlane), ['--config', 'vitest.cluster.config.ts']),
    ];
    const missing = named.filter(
      ({ file, title }) => !found.some(test => test.file === file && test.name.includes(title)),
    );
    expect(missing).toEqual([]);
  });
});
