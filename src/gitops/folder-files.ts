import { constants, realpathSync, statSync } from 'node:fs';
import { open, readdir, realpath, stat } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import type { FolderEntry, RepositoryFiles } from '../build/repository-files.ts';
import type { FileBlob } from '../rollout/ports.ts';
import { Refusal } from '../rollout/verdict.ts';
import { blobSha, blobText } from './blob-text.ts';

/**
 * A repository as it lies in a folder of this machine, changes that are not committed included. Of what a tree may hold
 * only files and folders are looked at, as source-controller packs nothing else; a symlink is never followed, wherever
 * in a path it stands, and nothing is read that could wait for ever (a FIFO, a device).
 */
export class FolderFiles implements RepositoryFiles {
  readonly head: string;
  private readonly root: string;

  /**
   * @param head the commit that the folder is at, for people to read
   * @throws Refusal when there is no such folder.
   */
  constructor(root: string, head: string) {
    this.root = realFolder(root);
    this.head = head;
  }

  async read(path: string): Promise<FileBlob | undefined> {
    const file = this.inside(path);
    if (!(await this.isPlain(dirname(file), path))) return undefined;
    const opened = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
      (error: unknown) => codeOf(error),
    );
    if (opened === 'ELOOP') throw symlink(path);
    // ENXIO: a socket. Others: it is gone, or may not be read.
    if (opened === 'ENXIO') throw noFile(path);
    if (opened === 'EACCES') throw unreadable(path);
    if (typeof opened === 'string') return undefined;
    try {
      const facts = await opened.stat();
      if (facts.isDirectory()) return undefined;
      if (!facts.isFile()) throw noFile(path);
      const text = blobText(await opened.readFile(), path);
      const executable = (facts.mode & 0o100) !== 0;
      return { sha: blobSha(text), mode: executable ? '100755' : '100644', text };
    } finally {
      await opened.close();
    }
  }

  async list(folder: string): Promise<readonly FolderEntry[] | undefined> {
    const path = this.inside(folder);
    if (!(await this.isPlain(path, folder))) return undefined;
    const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
    return entries.flatMap((entry): readonly FolderEntry[] => {
      const { name } = entry;
      if (name === '.git') return [];
      if (entry.isSymbolicLink()) return [{ name, kind: 'symlink' }];
      if (entry.isDirectory()) return [{ name, kind: 'folder' }];
      // FIFOs, sockets and devices are nothing that Git could hold.
      return entry.isFile() ? [{ name, kind: 'file' }] : [];
    });
  }

  /** Whether a folder is there, and no symlink leads to it. @throws Refusal where one does. */
  private async isPlain(folder: string, path: string): Promise<boolean> {
    const real = await realpath(folder).catch((error: unknown) => codeOf(error));
    if (real === 'ELOOP') throw symlink(path);
    if (real === folder) return (await stat(folder)).isDirectory();
    // The code of an error: there is nothing.
    if (!real.startsWith(sep)) return false;
    throw symlink(path);
  }

  /** `../` in a path that the repository itself gives must not lead out of it. */
  private inside(path: string): string {
    const file = resolve(this.root, path);
    if (file === this.root || file.startsWith(this.root + sep)) return file;
    throw new Refusal('unsupported-file', `${path} lies outside of ${this.root}.`, {
      remedy: `Give the root of the repository as --folder, for example ${join(this.root, '..')}.`,
    });
  }
}

function realFolder(root: string): string {
  const facts = statSync(root, { throwIfNoEntry: false });
  if (facts?.isDirectory()) return realpathSync(root);
  throw new Refusal('bad-config', `The folder ${root} ${facts ? 'is none' : 'does not exist'}.`, {
    remedy: 'Give the root of a clone of the GitOps repository.',
  });
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
}

function symlink(path: string): Refusal {
  return new Refusal('unsupported-file', `${path} is a symlink, or lies behind one, which Flux leaves out.`, {
    remedy: 'Name the file or folder that it leads to.',
  });
}

function noFile(path: string): Refusal {
  return new Refusal('unsupported-file', `${path} is no file: a FIFO, a socket or a device.`, {
    remedy: 'Take it out of the folder; Git cannot hold it.',
  });
}

function unreadable(path: string): Refusal {
  return new Refusal('unsupported-file', `${path} may not be read.`, {
    remedy: 'Look at its access rights (ls -l).',
  });
}
