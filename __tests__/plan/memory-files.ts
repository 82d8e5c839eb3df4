import { createHash } from 'node:crypto';
import type { FolderEntry, RepositoryFiles } from '../../src/build/repository-files.ts';

/** A repository in memory: paths to texts. */
export function memoryFiles(files: Readonly<Record<string, string>>): RepositoryFiles {
  return {
    head: 'a'.repeat(40),
    read: path => {
      const text = files[path];
      if (text === undefined) return Promise.resolve(undefined);
      const sha = createHash('sha1').update(text).digest('hex');
      return Promise.resolve({ sha, mode: '100644', text });
    },
    list: folder => {
      const prefix = folder === '' ? '' : `${folder}/`;
      const below = Object.keys(files).filter(path => path.startsWith(prefix));
      if (below.length === 0) return Promise.resolve(undefined);
      const entries = new Map<string, FolderEntry>();
      for (const path of below) {
        const [name = '', ...rest] = path.slice(prefix.length).split('/');
        entries.set(name, { name, kind: rest.length > 0 ? 'folder' : 'file' });
      }
      return Promise.resolve([...entries.values()]);
    },
  };
}
