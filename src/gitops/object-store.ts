import type { FileBlob, FileMode } from '../rollout/ports.ts';
import { Refusal } from '../rollout/verdict.ts';
import { blobText } from './blob-text.ts';
import { BlobBatch } from './blob-batch.ts';
import { limitConcurrency } from './concurrency.ts';
import type { GitCommit, GitData, TreeEntry } from './git-data.ts';
import type { Comparison } from './listed-commit.ts';

const CONCURRENT_READS = 8;

/** Where a file stands in a tree, its content not read. */
export interface FileAt {
  readonly sha: string;
  readonly mode: FileMode;
}

/**
 * Git objects by sha. They never change, so each is fetched once in a run and shared by reading, committing and
 * reverting: a commit on a head that was read before asks for nothing again.
 */
export class ObjectStore {
  readonly git: GitData;
  private readonly commits = new Map<string, Promise<GitCommit>>();
  private readonly trees = new Map<string, Promise<readonly TreeEntry[]>>();
  private readonly blobs = new Map<string, Promise<Buffer>>();
  private readonly comparisons = new Map<string, Promise<Comparison>>();
  private readonly limited = limitConcurrency(CONCURRENT_READS);
  private readonly batch: BlobBatch;

  constructor(git: GitData) {
    this.git = git;
    this.batch = new BlobBatch(git, this.limited);
  }

  commit(sha: string): Promise<GitCommit> {
    return this.once(this.commits, sha, () => this.git.commit(sha));
  }

  /** Keeps what another call has already told us. */
  remember(commit: GitCommit): void {
    this.commits.set(commit.sha, Promise.resolve(commit));
  }

  /** Two commits, both by sha: what lies between them never changes either. */
  compare(base: string, head: string): Promise<Comparison> {
    return this.once(this.comparisons, `${base}...${head}`, () => this.git.compare(base, head));
  }

  /**
   * One level of a tree.
   * @throws Refusal `unsupported-file` when GitHub cuts the listing short.
   */
  tree(sha: string, path: string): Promise<readonly TreeEntry[]> {
    return this.once(this.trees, sha, async () => {
      const { entries, truncated } = await this.git.tree(sha);
      // A file missing from a listing that was cut short would look as if it did not exist.
      if (truncated) throw truncatedTree(path);
      return entries;
    });
  }

  blob(sha: string): Promise<Buffer> {
    const known = this.blobs.get(sha);
    if (known !== undefined) return known;
    // The batch has limits of its own; waiting for a turn here would keep it small.
    const read = this.batch.read(sha).catch((error: unknown) => {
      this.blobs.delete(sha);
      throw error;
    });
    this.blobs.set(sha, read);
    return read;
  }

  /** The entry of a path, undefined when there is none. Symlinks and submodules on the way are refused. */
  async entry(tree: string, path: string): Promise<TreeEntry | undefined> {
    const segments = path.split('/').filter(segment => segment !== '' && segment !== '.');
    let current: TreeEntry = { name: '', mode: '040000', sha: tree };
    for (const [index, segment] of segments.entries()) {
      const folder = segments.slice(0, index).join('/');
      if (current.mode !== '040000') {
        if (isPlainFile(current.mode)) return undefined;
        throw unsupportedEntry(current, folder);
      }
      const entries = await this.tree(current.sha, folder);
      const next = entries.find(entry => entry.name === segment);
      if (next === undefined) return undefined;
      current = next;
    }
    return current;
  }

  /** Where a file stands; undefined when there is none or a folder has its name. */
  async file(tree: string, path: string): Promise<FileAt | undefined> {
    const entry = await this.entry(tree, path);
    if (entry === undefined || entry.mode === '040000') return undefined;
    if (!isPlainFile(entry.mode)) throw unsupportedEntry(entry, path);
    return { sha: entry.sha, mode: entry.mode };
  }

  /** A folder; undefined when there is none or a file has its name. */
  async folder(tree: string, path: string): Promise<TreeEntry | undefined> {
    const entry = await this.entry(tree, path);
    if (entry === undefined || isPlainFile(entry.mode)) return undefined;
    if (entry.mode !== '040000') throw unsupportedEntry(entry, path);
    return entry;
  }

  /** A file with its content. */
  async read(tree: string, path: string): Promise<FileBlob | undefined> {
    const file = await this.file(tree, path);
    if (file === undefined) return undefined;
    return { ...file, text: blobText(await this.blob(file.sha), path) };
  }

  /**
   * Reads a folder and all below it in one request, when GitHub gives it whole; else later reads walk it level by
   * level. Worth it before many files of one folder are read.
   */
  async prefetch(tree: string, folder: string): Promise<void> {
    const root = await this.folder(tree, folder);
    if (root === undefined) return;
    const { entries, truncated } = await this.limited(() => this.git.tree(root.sha, { recursive: true }));
    if (truncated) return;
    const levels = new Map<string, TreeEntry[]>([['', []]]);
    for (const entry of entries) {
      const slash = entry.name.lastIndexOf('/');
      const level = levels.get(slash < 0 ? '' : entry.name.slice(0, slash));
      level?.push({ ...entry, name: entry.name.slice(slash + 1) });
      if (entry.mode === '040000') levels.set(entry.name, []);
    }
    const shas = new Map(entries.map(entry => [entry.name, entry.sha]));
    for (const [name, level] of levels) {
      this.trees.set(name === '' ? root.sha : (shas.get(name) ?? root.sha), Promise.resolve(level));
    }
  }

  private once<T>(cache: Map<string, Promise<T>>, sha: string, fetch: () => Promise<T>): Promise<T> {
    const known = cache.get(sha);
    if (known !== undefined) return known;
    const fetched = this.limited(fetch).catch((error: unknown) => {
      cache.delete(sha);
      throw error;
    });
    cache.set(sha, fetched);
    return fetched;
  }
}

function isPlainFile(mode: string): mode is FileMode {
  return mode === '100644' || mode === '100755';
}

function unsupportedEntry(entry: TreeEntry, path: string): Refusal {
  const what = entry.mode === '120000' ? 'a symlink' : entry.mode === '160000' ? 'a submodule' : 'no file';
  return new Refusal('unsupported-file', `${path} is ${what}.`, {
    remedy: 'Name the place that it leads to, or make it a plain file.',
  });
}

function truncatedTree(path: string): Refusal {
  const folder = path === '' ? 'The root of the repository' : `The folder ${path}`;
  return new Refusal('unsupported-file', `${folder} has more entries than GitHub lists.`, {
    remedy: 'Move what is released into a smaller folder.',
  });
}
