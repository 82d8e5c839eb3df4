import { lstat, readdir, readFile } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { blobSha, blobText } from './blob-text.ts';
import type { FolderEntry, RepositoryFiles } from '../build/repository-files.ts';
import type { FileBlob } from '../rollout/ports.ts';
import { Refusal } from '../rollout/verdict.ts';

/** A repository as it lies in a folder of this machine, changes that are not committed included. */
export class FolderFiles implements RepositoryFiles {
  readonly head: string;
  private readonly root: string;

  /** @param head the commit that the folder is at, for people to read */
  constructor(root: string, head: string) {
    this.root = resolve(root);
    this.head = head;
  }

  async read(path: string): Promise<FileBlob | undefined> {
    const file = this.inside(path);
    const facts = await lstat(file).catch(() => undefined);
    if (!facts || facts.isDirectory()) return undefined;
    if (facts.isSymbolicLink()) {
      throw new Refusal('unsupported-file', `${path} is a symlink.`, {
        remedy: 'Name the file that it leads to.',
      });
    }
    const text = blobText(await readFile(file), path);
    const executable = (facts.mode & 0o100) !== 0;
    return { sha: blobSha(text), mode: executable ? '100755' : '100644', text };
  }

  async list(folder: string): Promise<readonly FolderEntry[] | undefined> {
    const entries = await readdir(this.inside(folder), { withFileTypes: true }).catch(() => undefined);
    return entries
      ?.filter(({ name }) => name !== '.git')
      .map(entry => ({
        name: entry.name,
        kind: entry.isSymbolicLink() ? 'symlink' : entry.isDirectory() ? 'folder' : 'file',
      }));
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
