import { posix } from 'node:path';
import { Refusal } from '../rollout/verdict.ts';
import type { FolderEntry, RepositoryFiles } from './repository-files.ts';

/** A file's text, or its bytes where it is none (a keystore in a ConfigMap, a pointer of Git LFS). */
export type Content = string | Uint8Array;

/** More than this beside each other is not fetched on suspicion. */
const MAX_SIBLINGS = 300;

/** The files of one commit as far as they were asked for: what one build has read, the next does not fetch again. */
export class KnownFiles {
  private readonly files: RepositoryFiles;
  private readonly folders = new Map<string, Promise<readonly FolderEntry[] | undefined>>();
  private readonly contents = new Map<string, Promise<Content | undefined>>();
  private readonly warmed = new Set<string>();

  constructor(files: RepositoryFiles) {
    this.files = files;
  }

  list(folder: string): Promise<readonly FolderEntry[] | undefined> {
    return remembered(this.folders, folder, () => this.files.list(folder));
  }

  /** Whoever reads one manifest of a folder reads the others next: they are asked for together, so that they come together. */
  async read(path: string): Promise<Content | undefined> {
    const folder = parentOf(path);
    if (!this.warmed.has(folder) && isManifest(path)) {
      this.warmed.add(folder);
      const beside = ((await this.list(folder)) ?? []).filter(
        ({ name, kind }) => kind === 'file' && isManifest(name),
      );
      for (const { name } of beside.slice(0, MAX_SIBLINGS)) {
        // What is wrong with it is heard by who needs it.
        this.content(posix.join(folder, name)).catch(() => undefined);
      }
    }
    return await this.content(path);
  }

  async prefetch(folder: string): Promise<void> {
    await this.files.prefetch?.(folder);
  }

  private content(path: string): Promise<Content | undefined> {
    return remembered(this.contents, path, async () => {
      try {
        return (await this.files.read(path))?.text;
      } catch (error) {
        const isNoText = error instanceof Refusal && error.reason === 'unsupported-file';
        if (!isNoText || !this.files.bytes) throw error;
        return await this.files.bytes(path);
      }
    });
  }
}

export function parentOf(path: string): string {
  const parent = posix.dirname(path);
  return parent === '.' ? '' : parent;
}

function isManifest(path: string): boolean {
  return /\.(?:ya?ml|json)$/i.test(path);
}

function remembered<T>(known: Map<string, Promise<T>>, key: string, ask: () => Promise<T>): Promise<T> {
  const before = known.get(key);
  if (before) return before;
  const asked = ask();
  known.set(key, asked);
  // What could not be read now may be readable later.
  asked.catch(() => known.delete(key));
  return asked;
}
