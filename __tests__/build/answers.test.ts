import { afterAll, describe, expect, test } from 'vitest';
import { memoryFiles } from '../plan/memory-files.ts';
import { build, builder, built, deployment, names, objects } from './building.ts';

afterAll(() => builder.close());

const image = (data: unknown) => /"image":"([^"]*)"/.exec(JSON.stringify(data))?.[1];

describe('words', () => {
  test('a folder that is not there', async () => {
    const result = await build({ 'apps/a.yaml': deployment('a') }, { path: './clusters/prod' });
    expect(result).toEqual({
      kind: 'broken',
      words: 'kustomization path not found: stat clusters/prod: no such file or directory',
    });
  });

  test('a resource that is not there, and one outside of the repository', async () => {
    for (const resource of ['gone.yaml', '../gone', '../../../../etc/passwd', '/etc/passwd']) {
      const tree = { 'apps/kustomization.yaml': `resources: ["${resource}"]\n` };
      const result = await build(tree, { path: './apps' });
      expect(result).toMatchObject({
        kind: 'broken',
        words: expect.stringContaining(resource.replace(/^[./]+/, '')),
      });
      expect(result).not.toMatchObject({ words: expect.stringContaining('/artifact') });
    }
  });

  test('a manifest that is none', async () => {
    expect(await build({ 'apps/a.yaml': 'kind: [' }, { path: './apps' })).toMatchObject({
      kind: 'broken',
      words: expect.stringContaining('apps/a.yaml'),
    });
    expect(await build({ 'apps/a.yaml': 'a: b' }, { path: './apps' })).toMatchObject({ kind: 'broken' });
  });
});

test('an overlay adds, changes and removes files', async () => {
  const tree = { 'apps/a.yaml': deployment('a'), 'apps/b.yaml': deployment('b') };
  const overlay = new Map([
    ['apps/a.yaml', deployment('a', 'ghcr.io/acme/a:9')],
    ['apps/b.yaml', null],
    ['apps/sub/kustomization.yaml', 'resources: [c.yaml]\n'],
    ['apps/sub/c.yaml', deployment('c')],
  ]);
  const result = await built(tree, { path: './apps' }, { overlay });
  expect(names(result.objects)).toEqual(['Deployment a', 'Deployment c']);
  expect(image(result.objects.find(({ name }) => name === 'a')?.data)).toBe('ghcr.io/acme/a:9');
  expect(result.reached).toEqual(['apps/a.yaml', 'apps/sub/c.yaml', 'apps/sub/kustomization.yaml']);
});

test.each(['', '.', './', '/', undefined])('the root of the repository, as %s', async path => {
  const tree = {
    'a.yaml': deployment('a'),
    'sub/b.yaml': deployment('b'),
    '.github/workflows/ci.yaml': 'on: push',
  };
  expect(names(await objects(tree, path === undefined ? {} : { path }))).toEqual([
    'Deployment a',
    'Deployment b',
  ]);
});

test('the same question is answered once, and what was read is not fetched again', async () => {
  const reads: string[] = [];
  const tree = { 'apps/a.yaml': deployment('a'), 'apps/b.yaml': deployment('b') };
  const memory = memoryFiles(tree);
  const files = {
    ...memory,
    read: (path: string) => {
      reads.push(path);
      return memory.read(path);
    },
  };
  const one = await build(tree, { path: './apps' }, { files });
  expect(await build(tree, { path: './apps' }, { files })).toBe(one);
  const kustomization = {
    metadata: { name: 'apps', namespace: 'flux-system', generation: 7 },
    spec: { interval: '10m', path: './apps', prune: true },
    status: { lastAppliedRevision: 'main@sha1:0' },
  };
  expect(await build(tree, {}, { files, kustomization })).toBe(one);
  const edited = await built(
    tree,
    { path: './apps' },
    { files, overlay: new Map([['apps/b.yaml', deployment('c')]]) },
  );
  expect(names(edited.objects)).toEqual(['Deployment a', 'Deployment c']);
  expect(reads.toSorted()).toEqual(['apps/a.yaml', 'apps/b.yaml']);
});
