import type { FileBlob } from '../rollout/file-blob.ts';

/** The GitOps repository at one commit. Paths have no leading slash. */
export interface RepositoryFiles {
  /** The commit that is read. */
  readonly head: string;
  /**
   * A file, or undefined when there is none.
   * @throws Refusal `unsupported-file` for a symlink, submodule, LFS pointer or binary content.
   */
  read(path: string): Promise<FileBlob | undefined>;
  /** A file as it is, text or not, where that can be told: Flux puts binary files into ConfigMaps, too. */
  bytes?(path: string): Promise<Uint8Array | undefined>;
  /** The names in a folder; undefined when it does not exist. */
  list(folder: string): Promise<readonly FolderEntry[] | undefined>;
  /** Makes reading much of a folder cheap, where that can be done. */
  prefetch?(folder: string): Promise<void>;
}

export interface FolderEntry {
  readonly name: string;
  readonly kind: 'file' | 'folder' | 'symlink' | 'submodule';
}
