import { asRefusal } from '../github/refusal.ts';
import type { FolderEntry, RepositoryFiles } from '../build/repository-files.ts';
import type { FileBlob } from '../rollout/ports.ts';
import type { ObjectStore } from './object-store.ts';

const FOLDER_KINDS: Readonly<Record<string, FolderEntry['kind']>> = {
  '040000': 'folder',
  '120000': 'symlink',
  '160000': 'submodule',
};

/** The repository at one commit, read through the API: no clone, no checkout, no line end changed. */
export class GitHubFiles implements RepositoryFiles {
  readonly head: string;
  private readonly tree: string;
  private readonly store: ObjectStore;

  private constructor(store: ObjectStore, at: { readonly head: string; readonly tree: string }) {
    this.store = store;
    this.head = at.head;
    this.tree = at.tree;
  }

  /** @throws Refusal when GitHub does not let us read the commit. */
  static async at(store: ObjectStore, head: string): Promise<GitHubFiles> {
    try {
      const { tree } = await store.commit(head);
      return new GitHubFiles(store, { head, tree });
    } catch (error) {
      throw asRefusal(error, { repository: store.git.repository, doing: `read the commit ${head}` });
    }
  }

  read(path: string): Promise<FileBlob | undefined> {
    return this.asking(`read ${path}`, () => this.store.read(this.tree, path));
  }

  bytes(path: string): Promise<Uint8Array | undefined> {
    return this.asking(`read ${path}`, async () => {
      const file = await this.store.file(this.tree, path);
      return file && (await this.store.blob(file.sha));
    });
  }

  list(folder: string): Promise<readonly FolderEntry[] | undefined> {
    return this.asking(`list ${folder === '' ? 'the root folder' : folder}`, async () => {
      const entry = await this.store.folder(this.tree, folder);
      if (entry === undefined) return undefined;
      const entries = await this.store.tree(entry.sha, folder);
      return entries.map(({ name, mode }) => ({ name, kind: FOLDER_KINDS[mode] ?? 'file' }));
    });
  }

  /** Lists a folder and everything below it in one request, so that walking it asks for nothing more. */
  prefetch(folder: string): Promise<void> {
    return this.asking(`list ${folder}`, () => this.store.prefetch(this.tree, folder));
  }

  private async asking<T>(doing: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw asRefusal(error, { repository: this.store.git.repository, doing });
    }
  }
}
