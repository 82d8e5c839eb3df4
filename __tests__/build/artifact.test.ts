import { afterAll, describe, expect, test } from 'vitest';
import { build, builder, built, deployment, names, objects } from './building.ts';
import { memoryFiles } from '../plan/memory-files.ts';
import type { RepositoryFiles } from '../../src/build/repository-files.ts';

afterAll(() => builder.close());

const path = { path: './apps' };
const tree = {
  'apps/a.yaml': deployment('a'),
  'apps/b.yaml': deployment('b'),
  'apps/sub/c.yaml': deployment('c'),
  'apps/sub/d.yaml': deployment('d'),
};

async function packed(files: Readonly<Record<string, string>>, ignore?: string): Promise<string> {
  const found = await objects(
    { ...tree, ...files },
    path,
    ignore === undefined ? {} : { artifact: { ignore } },
  );
  return found
    .map(({ name }) => name)
    .toSorted()
    .join('');
}

describe('what source-controller packs', () => {
  test('everything, when nothing is said', async () => {
    expect(await packed({})).toBe('abcd');
  });

  test.each([
    ['a file of one folder', { 'apps/sub/.sourceignore': 'c.yaml\n' }, undefined, 'abd'],
    [
      'a pattern in a folder does not reach its neighbours',
      { 'apps/sub/.sourceignore': 'a.yaml\n' },
      undefined,
      'abcd',
    ],
    ['a file at the root', { '.sourceignore': '# by hand\n/apps/sub/\n' }, undefined, 'ab'],
    ['all but', { '.sourceignore': '/*\n!/apps\n' }, undefined, 'abcd'],
    [
      'the innermost file has the last word',
      { '.sourceignore': 'c.yaml\n', 'apps/sub/.sourceignore': '!c.yaml\n' },
      undefined,
      'abcd',
    ],
    [
      'spec.ignore has the last word of all',
      { 'apps/sub/.sourceignore': 'c.yaml\n' },
      '!c.yaml\nd.yaml\n',
      'abc',
    ],
    ['a folder that is left out, with a file that is not', {}, '/*\n!/apps/sub/c.yaml\n', 'c'],
    ['spec.ignore with ** and a folder', {}, '**/sub/\n', 'ab'],
  ] as const)('%s', async (_, files, ignore, expected) => {
    expect(await packed(files, ignore)).toBe(expected);
  });

  test('the defaults leave out what belongs to CI and SOPS, until there is a pattern anywhere', async () => {
    const files = { ...tree, 'apps/.sops.yaml': 'creation_rules: []\n' };
    expect(await objects(files, path)).toHaveLength(4);
    const elsewhere = await build({ ...files, 'far/away/.sourceignore': '*.md\n' }, path);
    expect(elsewhere).toMatchObject({ kind: 'broken', words: expect.stringContaining('.sops.yaml') });
    const comment = await build({ ...files, 'far/away/.sourceignore': '# nothing\n\n' }, path);
    expect(comment.kind).toBe('built');
  });

  test('a file that is named, and left out, is said to be', async () => {
    const result = await build(
      { 'apps/kustomization.yaml': 'resources: [a.yaml]\n', 'apps/a.yaml': deployment('a') },
      path,
      { artifact: { ignore: 'a.yaml' } },
    );
    expect(result).toMatchObject({
      kind: 'broken',
      words: expect.stringMatching(/left out .*apps\/a\.yaml/),
    });
  });

  test('a folder that is left out is not there', async () => {
    const result = await build(tree, path, { artifact: { ignore: '/apps/' } });
    expect(result).toMatchObject({ kind: 'broken', words: expect.stringContaining('path not found') });
  });

  test('no symlinks', async () => {
    const files = memoryFiles(tree);
    const linked: RepositoryFiles = {
      ...files,
      list: async folder => {
        const entries = await files.list(folder);
        return folder === 'apps' && entries
          ? [...entries, { name: 'e.yaml', kind: 'symlink' }, { name: 'outside', kind: 'symlink' }]
          : entries;
      },
    };
    expect(names(await objects({}, path, { files: linked }))).toHaveLength(4);
  });

  test('of a sparse checkout, only the folders that are named', async () => {
    const artifact = { sparseCheckout: ['./apps/sub'] };
    expect(names(await objects(tree, path, { artifact }))).toEqual(['Deployment c', 'Deployment d']);
  });
});

describe('included repositories', () => {
  const include = { name: 'shared', fromPath: 'deploy', toPath: 'apps/shared' };

  test('are in their place', async () => {
    const files = memoryFiles({ 'deploy/e.yaml': deployment('e'), 'other/f.yaml': deployment('f') });
    const result = await built(tree, path, { artifact: { include: [{ ...include, files }] } });
    expect(
      result.objects
        .map(({ name }) => name)
        .toSorted()
        .join(''),
    ).toBe('abcde');
    expect(result.reached).not.toContain('apps/shared/e.yaml');
  });

  test('that nobody can read are said to be', async () => {
    const result = await build(tree, path, { artifact: { include: [include] } });
    expect(result).toMatchObject({ kind: 'unsupported', words: expect.stringContaining('apps/shared') });
    expect(await build(tree, { path: './apps/sub' }, { artifact: { include: [include] } })).toMatchObject({
      kind: 'built',
    });
  });
});

test('what was left out is no file of the build', async () => {
  const result = await built({ ...tree, '.sourceignore': 'd.yaml\n' }, path);
  expect(result.reached).toEqual(['apps/a.yaml', 'apps/b.yaml', 'apps/sub/c.yaml']);
});
