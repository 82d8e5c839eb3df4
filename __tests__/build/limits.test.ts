import { afterAll, describe, expect, test } from 'vitest';
import { build, builder, configMap, deployment } from './building.ts';
import { memoryFiles } from '../plan/memory-files.ts';
import type { RepositoryFiles } from '../../src/build/repository-files.ts';
import { Refusal } from '../../src/rollout/verdict.ts';

afterAll(() => builder.close());

type Tree = Readonly<Record<string, string>>;
const path = { path: './apps' };

/** Twelve kustomizations, each of which names the next four times over by other ways: 4^12 builds. */
function fourfold(): Tree {
  const tree: Record<string, string> = { 'apps/kustomization.yaml': 'resources: [k0]\n' };
  for (let depth = 0; depth < 12; depth++) {
    const ways = [0, 1, 2, 3].map(way => `way${way}`);
    tree[`apps/k${depth}/kustomization.yaml`] = `resources: [${ways.join(', ')}]\n`;
    for (const way of ways) {
      const next = depth === 11 ? 'resources: [c.yaml]' : `resources: [../../k${depth + 1}]`;
      tree[`apps/k${depth}/${way}/kustomization.yaml`] = `namePrefix: ${way}-\n${next}\n`;
      if (depth === 11) tree[`apps/k${depth}/${way}/c.yaml`] = configMap('c');
    }
  }
  return tree;
}

function aliases(levels: number): string {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
  for (let level = 1; level <= levels; level++) {
    lines.push(
      `a${level}: &a${level} [${Array(10)
        .fill(`*a${level - 1}`)
        .join(', ')}]`,
    );
  }
  return lines.join('\n');
}

const HOSTILE: readonly (readonly [string, Tree])[] = [
  ['kustomizations that name each other four times over', fourfold()],
  [
    'an alias bomb in a manifest',
    { 'apps/a.yaml': `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n${aliases(9)}\n` },
  ],
  ['an alias bomb in a kustomization', { 'apps/kustomization.yaml': `${aliases(9)}\nresources: *a9\n` }],
  [
    'an alias of itself',
    { 'apps/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: &d {x: *d}\n' },
  ],
  ['a file of 45 MB', { 'apps/a.yaml': `${configMap('a')}\n#${'x'.repeat(45_000_000)}\n` }],
  [
    'many files of 9 MB',
    Object.fromEntries(
      [...Array(9).keys()].map(n => [`apps/${n}.yaml`, `${configMap(`c${n}`)}\n#${'x'.repeat(9_000_000)}`]),
    ),
  ],
  [
    'a circle',
    { 'apps/kustomization.yaml': 'resources: [a]\n', 'apps/a/kustomization.yaml': 'resources: [..]\n' },
  ],
  [
    'a circle of components',
    {
      'apps/kustomization.yaml': 'components: [a]\n',
      'apps/a/kustomization.yaml':
        'kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\ncomponents: [../a]\n',
    },
  ],
  [
    'lists in lists',
    { 'apps/a.yaml': `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: ${'['.repeat(200_000)}\n` },
  ],
  [
    'lists in lists, closed',
    {
      'apps/a.yaml': `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: ${'['.repeat(9_000)}${']'.repeat(9_000)}\n`,
    },
  ],
];

describe('a tree that is made to hurt ends in words', () => {
  test.each(HOSTILE)('%s', async (_, tree) => {
    const before = process.cpuUsage();
    const result = await build(tree, path);
    const { user, system } = process.cpuUsage(before);
    expect(result).not.toMatchObject({ kind: 'built' });
    expect(result).toMatchObject({ words: expect.stringMatching(/\S/) });
    expect((user + system) / 1e6).toBeLessThan(12);
  });

  test('and the next one is built', async () => {
    expect((await build({ 'apps/a.yaml': deployment('a') }, path)).kind).toBe('built');
  });
});

describe('what the repository does not give', () => {
  const files = (read: RepositoryFiles['read']): RepositoryFiles => ({
    head: 'a'.repeat(40),
    read,
    list: folder =>
      Promise.resolve(
        folder === '' ? [{ name: 'apps', kind: 'folder' }] : [{ name: 'a.yaml', kind: 'file' }],
      ),
  });

  test('a file that is no text', async () => {
    const refusal = new Refusal('unsupported-file', 'apps/a.yaml is not UTF-8 text.', {
      remedy: 'Save it as UTF-8.',
    });
    const result = await build({}, path, { files: files(() => Promise.reject(refusal)) });
    expect(result).toEqual({ kind: 'unsupported', words: 'apps/a.yaml is not UTF-8 text.' });
  });

  test('GitHub is away: the build is no answer, and the next question is asked anew', async () => {
    let away = true;
    const flaky = files(() => {
      if (away) return Promise.reject(new Error('502'));
      return Promise.resolve({ sha: 'x', mode: '100644', text: deployment('a') });
    });
    await expect(build({}, path, { files: flaky })).rejects.toThrow('502');
    away = false;
    expect((await build({}, path, { files: flaky })).kind).toBe('built');
  });
});

test('a file that is no text goes into a ConfigMap as Flux puts it there', async () => {
  const tree = {
    'apps/kustomization.yaml': 'configMapGenerator: [{name: keys, files: [store.jks]}]\n',
    'apps/store.jks': '',
  };
  const files = memoryFiles(tree);
  const refusal = new Refusal('unsupported-file', 'no text', { remedy: '' });
  const binary: RepositoryFiles = {
    ...files,
    read: path => (path.endsWith('.jks') ? Promise.reject(refusal) : files.read(path)),
    bytes: () => Promise.resolve(new Uint8Array([0xfe, 0xed, 0x00, 0xff])),
  };
  const result = await build({}, path, { files: binary });
  expect(result).toMatchObject({ objects: [{ data: { binaryData: { 'store.jks': '/u0A/w==' } } }] });
});
