import { posix } from 'node:path';
import { Refusal } from '../rollout/verdict.ts';
import type { Content, KnownFiles } from './known-files.ts';
import { type BuildLimits, TooLarge } from './limits.ts';
import type { FolderEntry } from './repository-files.ts';
import type { ArtifactRules } from './tree-builder.ts';
import type { FileAnswer, FileRequest } from './worker-protocol.ts';

export interface Mount {
  readonly name: string;
  readonly toPath: string;
  readonly fromPath: string;
  readonly files: KnownFiles | undefined;
}

interface Entry {
  readonly name: string;
  readonly folder: boolean;
}

/**
 * What source-controller has before it packs: the commit checked out (sparsely, perhaps), edited by the overlay, with
 * the included repositories in their places. Symlinks are never packed (fluxcd/pkg/artifact storage/archive.go).
 * One build's view: it notes what was read, and why something could not be.
 */
export class SourceTree {
  /** Why the build cannot be what Flux builds, in words. */
  trouble: { readonly kind: 'too-large' | 'unsupported'; readonly words: string } | undefined;
  private readonly read = new Set<string>();
  private readonly files: KnownFiles;
  private readonly overlay: ReadonlyMap<string, string | null>;
  private readonly rules: ArtifactRules;
  private readonly mounts: readonly Mount[];
  private readonly limits: BuildLimits;
  private bytes = 0;

  constructor(
    files: KnownFiles,
    on: {
      readonly overlay: ReadonlyMap<string, string | null>;
      readonly rules: ArtifactRules;
      readonly mounts: readonly Mount[];
      readonly limits: BuildLimits;
    },
  ) {
    this.files = files;
    this.overlay = on.overlay;
    this.rules = on.rules;
    this.mounts = on.mounts;
    this.limits = on.limits;
  }

  /** Of this repository, without the files that only say what is packed. */
  get reached(): readonly string[] {
    return [...this.read].filter(path => posix.basename(path) !== '.sourceignore').toSorted();
  }

  get bytesRead(): number {
    return this.bytes;
  }

  /** @throws what the repository throws, but for files that it refuses */
  async answer(request: FileRequest): Promise<FileAnswer> {
    try {
      const content = await this.contentFor(request);
      return content === undefined ? { kind: 'absent' } : { kind: 'content', content };
    } catch (error) {
      const trouble = asTrouble(error);
      if (trouble === undefined) throw error;
      this.trouble ??= trouble;
      return { kind: 'refused' };
    }
  }

  private async contentFor({ kind, path }: FileRequest): Promise<Content | undefined> {
    switch (kind) {
      case 'list': {
        const entries = await this.list(path);
        return entries && JSON.stringify(entries);
      }
      case 'read':
        return await this.content(path);
      case 'named':
        return JSON.stringify(await this.named(path, ''));
    }
  }

  private async content(path: string): Promise<Content | undefined> {
    const mount = this.mountOf(path);
    const edited = this.overlay.get(path);
    const content = mount
      ? await filesOf(mount).read(posix.join(mount.fromPath, path.slice(mount.toPath.length)))
      : edited === null
        ? undefined
        : (edited ?? (await this.files.read(path)));
    if (content === undefined) return undefined;
    if (!mount) this.read.add(path);
    this.bytes += content.length;
    this.limits.checkFile(path, content.length);
    this.limits.checkAll(this.read.size, this.bytes);
    return content;
  }

  private async list(folder: string): Promise<readonly Entry[] | undefined> {
    const mount = this.mountOf(folder);
    if (mount) {
      const inner = posix.join(mount.fromPath, folder.slice(mount.toPath.length));
      return (await filesOf(mount).list(inner))?.flatMap(entry => entryOf(entry));
    }
    const inGit = (await this.files.list(folder)) ?? [];
    const entries = new Map(
      inGit
        .flatMap(entry => entryOf(entry))
        .filter(({ name, folder: isFolder }) => this.checkedOut(posix.join(folder, name), isFolder))
        .map(entry => [entry.name, entry]),
    );
    for (const [path, text] of this.overlay) {
      const below = belowOf(folder, path);
      if (below === undefined) continue;
      if (text !== null) entries.set(below.name, below);
      else if (!below.folder) entries.delete(below.name);
    }
    for (const { toPath } of this.mounts) {
      const below = belowOf(folder, posix.join(toPath, 'any'));
      if (below) entries.set(below.name, below);
    }
    const submodules = inGit.filter(({ kind }) => kind === 'submodule');
    if (this.rules.recurseSubmodules && submodules.length > 0) {
      const names = submodules.map(({ name }) => posix.join(folder, name)).join(', ');
      this.trouble ??= {
        kind: 'unsupported',
        words: `Flux also checks out the submodules (${names}): other repositories, which are not read here`,
      };
    }
    return [...entries.values()];
  }

  /** go-git's sparse checkout: what begins with one of the names. */
  private checkedOut(path: string, folder: boolean): boolean {
    const { sparseCheckout } = this.rules;
    if (sparseCheckout === undefined) return true;
    return sparseCheckout
      .map(each => each.replace(/^\.\//, ''))
      .some(each => path.startsWith(each) || (folder && each.startsWith(`${path}/`)));
  }

  private mountOf(path: string): Mount | undefined {
    return this.mounts.findLast(({ toPath }) => path === toPath || path.startsWith(`${toPath}/`));
  }

  private async named(name: string, root: string): Promise<readonly string[]> {
    await this.files.prefetch(root);
    const found: string[] = [];
    const pending = [root];
    for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
      for (const entry of (await this.list(folder)) ?? []) {
        const path = posix.join(folder, entry.name);
        if (entry.folder) pending.push(path);
        else if (entry.name === name) found.push(path);
      }
    }
    return found;
  }
}

function entryOf({ name, kind }: FolderEntry): readonly Entry[] {
  return kind === 'symlink' ? [] : [{ name, folder: kind !== 'file' }];
}

function belowOf(folder: string, path: string): Entry | undefined {
  if (folder !== '' && !path.startsWith(`${folder}/`)) return undefined;
  const [name = '', ...rest] = path.slice(folder === '' ? 0 : folder.length + 1).split('/');
  return { name, folder: rest.length > 0 };
}

class NotIncluded extends Error {}

function filesOf(mount: Mount): KnownFiles {
  if (mount.files) return mount.files;
  throw new NotIncluded(
    `${mount.toPath} comes from another repository, which the GitRepository includes (${mount.name}); it is not read here`,
  );
}

function asTrouble(error: unknown): SourceTree['trouble'] {
  if (error instanceof TooLarge) return { kind: 'too-large', words: error.message };
  if (error instanceof NotIncluded) return { kind: 'unsupported', words: error.message };
  if (error instanceof Refusal && error.reason === 'unsupported-file') {
    return { kind: 'unsupported', words: error.message };
  }
  return undefined;
}
