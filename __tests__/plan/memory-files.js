import { createHash } from 'node:crypto';
/** A repository in memory: paths to texts. */
export function memoryFiles(files) {
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
      const entries = new Map();
      for (const path of below) {
        const [name = '', ...rest] = path.slice(prefix.length).split('/');
        entries.set(name, { name, kind: rest.length > 0 ? 'folder' : 'file' });
      }
      return Promise.resolve([...entries.values()]);
    },
  };
}
