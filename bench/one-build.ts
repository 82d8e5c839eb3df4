import { FluxBuilder } from '../src/build/flux-builder.ts';
import { FolderFiles } from '../src/gitops/folder-files.ts';

/** `node bench/one-build.ts <repository> <path>`: builds twice, the second time warm and edited, and says how long each took. */
const [root = '.', path = './'] = process.argv.slice(2);
const builder = new FluxBuilder();
const files = new FolderFiles(root, 'HEAD');
const times: string[] = [];
for (const overlay of [new Map<string, string>(), new Map([[`${path}/unused.txt`, 'warm']])]) {
  const start = performance.now();
  const build = await builder.build({ files, overlay, kustomization: { spec: { path } } });
  if (build.kind !== 'built') throw new Error(build.words);
  times.push(`${Math.round(performance.now() - start)} ms`);
}
await builder.close();
console.log(`cold ${times[0] ?? ''}, warm ${times[1] ?? ''}`);
