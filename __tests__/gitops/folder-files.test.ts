import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FolderFiles } from '../../src/gitops/folder-files.ts';

let root: string;
let outside: string;

beforeEach(() => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'folder-files-')));
  root = join(folder, 'tree');
  outside = join(folder, 'outside');
  mkdirSync(join(root, 'apps'), { recursive: true });
  mkdirSync(outside);
  writeFileSync(join(root, 'apps/a.yaml'), 'kind: A\n');
  writeFileSync(join(outside, 'secret.yaml'), 'kind: Secret\n');
});
afterEach(() => rmSync(join(root, '..'), { recursive: true }));

const refused = (path: string, words: RegExp) =>
  expect(new FolderFiles(root, 'here').read(path)).rejects.toThrow(words);

describe('a folder of this machine', () => {
  it('is read as Git would hold it', async () => {
    const files = new FolderFiles(root, 'here');
    expect((await files.read('apps/a.yaml'))?.text).toBe('kind: A\n');
    expect(await files.list('apps')).toEqual([{ name: 'a.yaml', kind: 'file' }]);
    expect(await files.read('apps')).toBeUndefined();
    expect(await files.read('apps/none.yaml')).toBeUndefined();
    expect(await files.list('none')).toBeUndefined();
    expect(await files.list('apps/a.yaml')).toBeUndefined();
    expect(await files.read('apps/a.yaml/b')).toBeUndefined();
  });

  it('may itself be reached by a symlink', async () => {
    symlinkSync(root, join(outside, 'clone'));
    const files = new FolderFiles(join(outside, 'clone'), 'here');
    expect((await files.read('apps/a.yaml'))?.text).toBe('kind: A\n');
  });

  it.each([
    ['a file', 'leak.yaml', () => symlinkSync(join(outside, 'secret.yaml'), join(root, 'leak.yaml'))],
    ['a folder', 'link/secret.yaml', () => symlinkSync(outside, join(root, 'link'))],
    ['a folder of the tree', 'link/a.yaml', () => symlinkSync(join(root, 'apps'), join(root, 'link'))],
    ['a loop', 'loop/loop/a.yaml', () => symlinkSync('.', join(root, 'loop'))],
    [
      'a loop of two',
      'one/x',
      () => {
        symlinkSync('two', join(root, 'one'));
        symlinkSync('one', join(root, 'two'));
      },
    ],
    ['nothing', 'gone', () => symlinkSync('/nowhere', join(root, 'gone'))],
  ])('never follows a symlink to %s', async (_what, path, make) => {
    make();
    await refused(path, /symlink/);
  });

  it('does not list what lies behind a symlink', async () => {
    symlinkSync(outside, join(root, 'link'));
    const files = new FolderFiles(root, 'here');
    expect(await files.list('')).toContainEqual({ name: 'link', kind: 'symlink' });
    await expect(files.list('link')).rejects.toThrow(/symlink/);
  });

  it('does not wait for a FIFO, and does not list it', async () => {
    execFileSync('mkfifo', [join(root, 'apps/pipe.yaml')]);
    await refused('apps/pipe.yaml', /no file: a FIFO/);
    expect(await new FolderFiles(root, 'here').list('apps')).toEqual([{ name: 'a.yaml', kind: 'file' }]);
  });

  it('does not read a socket', async () => {
    const server = createServer();
    await new Promise<void>(resolve => server.listen(join(root, 's.yaml'), resolve));
    await refused('s.yaml', /no file/);
    await new Promise(resolve => server.close(resolve));
  });

  it.each(['../outside/secret.yaml', '/etc/hostname', 'apps/../../outside/secret.yaml'])(
    'does not leave itself by %s',
    path => refused(path, /lies outside of/),
  );

  it('must be there', () => {
    expect(() => new FolderFiles(join(root, 'nosuch'), 'here')).toThrow(/does not exist/);
    expect(() => new FolderFiles(join(root, 'apps/a.yaml'), 'here')).toThrow(/is none/);
  });
});
