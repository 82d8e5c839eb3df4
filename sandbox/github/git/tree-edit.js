import { emptyTree } from './git-repository.js';
import { objectTypeOf } from './object-format.js';
/** A tree can't be made as asked; the message is what GitHub says to it. */
export class TreeEditError extends Error {}
const newFolder = () => ({ edits: new Map(), folders: new Map() });
function group(edits) {
  const root = newFolder();
  for (const edit of edits) {
    const segments = edit.path.split('/');
    if (edit.path.startsWith('/')) throw new TreeEditError('tree.path cannot start with a slash');
    if (segments.some(segment => ['', '.', '..', '.git'].includes(segment))) {
      throw new TreeEditError('tree.path contains a malformed path component');
    }
    const name = segments.pop() ?? '';
    let folder = root;
    for (const segment of segments) {
      const inner = folder.folders.get(segment) ?? newFolder();
      folder.folders.set(segment, inner);
      folder = inner;
    }
    folder.edits.set(name, edit);
  }
  return root;
}
async function apply(repository, base, folder) {
  const found = base === undefined ? [] : await repository.tree(base);
  const entries = new Map((found ?? []).map(entry => [entry.name, entry]));
  for (const [name, edit] of folder.edits) {
    if (edit.sha !== null) entries.set(name, { name, mode: edit.mode, sha: edit.sha });
    else if (!entries.delete(name)) throw new TreeEditError('GitRPC::BadObjectState');
  }
  for (const [name, inner] of folder.folders) {
    const current = entries.get(name);
    const sha = await apply(repository, current?.mode === '040000' ? current.sha : undefined, inner);
    if (sha === emptyTree) entries.delete(name);
    else entries.set(name, { name, mode: '040000', sha });
  }
  return entries.size === 0 ? emptyTree : await repository.writeTree([...entries.values()]);
}
/**
 * A new tree: the base (undefined: nothing) with the edits. Throws {@link TreeEditError} on a malformed path and
 * on deleting what is not there.
 */
export async function editTree(repository, base, edits) {
  return await apply(repository, base, group(edits));
}
/**
 * Everything in a tree, folders before what they hold. Stops at `limit` entries; the second part of the result
 * says whether it did.
 */
export async function listTree(repository, options) {
  const entries = [];
  const walk = async (tree, prefix) => {
    for (const entry of (await repository.tree(tree)) ?? []) {
      if (entries.length >= options.limit) return false;
      const path = `${prefix}${entry.name}`;
      entries.push({ ...entry, path });
      const inside = options.recursive && objectTypeOf(entry.mode) === 'tree';
      if (inside && !(await walk(entry.sha, `${path}/`))) return false;
    }
    return true;
  };
  const complete = await walk(options.tree, '');
  return { entries, truncated: !complete };
}
