import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { git, tryGit } from './git-process.js';
import { parseCommit, parseTree, serializeCommit, serializeTree, writeLooseObject } from './object-format.js';
import { ObjectReader } from './object-reader.js';
const zero = '0'.repeat(40);
const shaPattern = /^[0-9a-f]{40}$/;
export function isSha(value) {
  return shaPattern.test(value);
}
/** A bare repository on disk: objects, refs, and nothing of GitHub. */
export class GitRepository {
  gitDir;
  reader;
  commits = new Map();
  constructor(gitDir) {
    this.gitDir = gitDir;
    this.reader = new ObjectReader(gitDir);
  }
  /** Creates an empty bare repository; the folder must not hold one yet. */
  static async create(gitDir, defaultBranch) {
    await Promise.all(
      ['objects/info', 'objects/pack', 'refs/heads', 'refs/tags', 'info'].map(folder =>
        mkdir(join(gitDir, folder), { recursive: true }),
      ),
    );
    // Flux and checkout fetch single commits by sha; gc would only repack under our feet.
    const config = `[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true
[gc]\n\tauto = 0\n[receive]\n\tautogc = false\n[http]\n\treceivepack = true
[uploadpack]\n\tallowReachableSHA1InWant = true\n\tallowTipSHA1InWant = true\n\tallowFilter = true\n`;
    await writeFile(join(gitDir, 'config'), config);
    await writeFile(join(gitDir, 'HEAD'), `ref: refs/heads/${defaultBranch}\n`);
    return new GitRepository(gitDir);
  }
  async close() {
    await this.reader.close();
  }
  git(args, input) {
    return git({ gitDir: this.gitDir, args, ...(input === undefined ? {} : { input }) });
  }
  tryGit(args) {
    return tryGit({ gitDir: this.gitDir, args });
  }
  object(name) {
    return this.reader.read(name);
  }
  objectInfo(name) {
    return this.reader.info(name);
  }
  /** The commit of this sha, or undefined when the sha is absent or something else. */
  async commit(sha) {
    const known = this.commits.get(sha);
    if (known !== undefined) return known;
    const object = await this.reader.read(sha);
    if (object?.type !== 'commit') return undefined;
    const commit = parseCommit(object.sha, object.content);
    this.commits.set(object.sha, commit);
    return commit;
  }
  /** Entries of the tree of this sha, or undefined when there is no such tree. */
  async tree(sha) {
    if (sha === emptyTree) return [];
    const object = await this.reader.read(sha);
    return object?.type === 'tree' ? parseTree(object.content) : undefined;
  }
  /** The entry at a path of a tree; undefined when a segment is missing or is not a folder. */
  async entryAt(tree, path) {
    let found = { name: '', mode: '040000', sha: tree };
    for (const segment of path.split('/').filter(part => part !== '')) {
      if (found?.mode !== '040000') return undefined;
      found = (await this.tree(found.sha))?.find(entry => entry.name === segment);
    }
    return found;
  }
  async writeBlob(content) {
    return await writeLooseObject(this.gitDir, { type: 'blob', content });
  }
  async writeTree(entries) {
    return await writeLooseObject(this.gitDir, { type: 'tree', content: serializeTree(entries) });
  }
  async writeCommit(commit) {
    const content = serializeCommit(commit);
    const sha = await writeLooseObject(this.gitDir, { type: 'commit', content });
    const written = parseCommit(sha, content);
    this.commits.set(sha, written);
    return written;
  }
  /** What a full ref name points to now. */
  async ref(name) {
    if (!name.startsWith('refs/')) return undefined;
    const info = await this.reader.info(name);
    return info === undefined ? undefined : { name, sha: info.sha, type: info.type };
  }
  /** All refs whose full name begins with the prefix, sorted by name. */
  async refs(prefix = 'refs/') {
    const output = await this.git(['for-each-ref', '--format=%(refname) %(objectname) %(objecttype)']);
    return output
      .toString()
      .split('\n')
      .flatMap(line => {
        const [name = '', sha = '', type = ''] = line.split(' ');
        return name.startsWith(prefix) && sha !== '' ? [{ name, sha, type }] : [];
      });
  }
  /**
   * Moves a ref if it still is at `from` (undefined: does not exist yet); `to` undefined deletes it.
   * Returns false when it is not: git itself holds the ref's lock, so of two callers one wins.
   */
  async moveRef(move) {
    const from = move.from ?? zero;
    const args =
      move.to === undefined
        ? ['update-ref', '-d', move.name, from]
        : ['update-ref', move.name, move.to, from];
    return (await this.tryGit(args)).code === 0;
  }
  /** Turns a branch, tag, full ref or (abbreviated) sha into a commit. */
  async resolveCommit(name) {
    if (isSha(name)) return await this.commit(name);
    for (const candidate of [`refs/heads/${name}`, `refs/tags/${name}`, `refs/${name}`, name]) {
      if (candidate === name && !/^([0-9a-f]{7,40}|refs\/.*|HEAD)$/.test(name)) continue;
      const object = await this.reader.info(candidate);
      const peeled = object?.type === 'tag' ? await this.reader.info(`${candidate}^{commit}`) : object;
      if (peeled?.type === 'commit') return await this.commit(peeled.sha);
    }
    return undefined;
  }
}
/** The sha of a tree without entries, which git knows without it being stored. */
export const emptyTree = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';
