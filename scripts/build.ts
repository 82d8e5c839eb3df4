import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { rolldown } from 'rolldown';

/**
 * Builds dist/index.js, the action, and dist/cli/index.js, the command line. rolldown first, because it drops what is
 * never imported (client-node alone is 19 MB under plain ncc); then ncc, which makes the one minified file that the
 * runner starts. Beside it lies the thread that Flux's build runs in; its WebAssembly is made by `npm run build:flux`.
 *
 * `node scripts/build.ts [folder]`: into another folder than dist, for comparison.
 */
const target = process.argv[2] ?? 'dist';
const ncc = createRequire(import.meta.url).resolve('@vercel/ncc/dist/ncc/cli.js');

await build('src/index.ts', target);
await build('src/cli.ts', join(target, 'cli'));
chmodSync(join(target, 'cli', 'index.js'), 0o755);
await buildWorker(join(target, 'build'));

async function build(input: string, folder: string): Promise<void> {
  const temporary = mkdtempSync(join(tmpdir(), 'gated-rollout-build-'));
  // ncc makes names out of the folder's; a fixed one gives the same bytes each time.
  const scratch = join(temporary, 'action');
  try {
    const bundle = await rolldown({
      input,
      platform: 'node',
      logLevel: 'warn',
      // Of these only what is used: they say of themselves nothing about side effects, and have none. client-node would
      // bring 700 classes of its API otherwise, all made at every start.
      treeshake: {
        moduleSideEffects: id => !/node_modules\/(?:@kubernetes\/client-node|zod|yaml|js-yaml)\//.test(id),
      },
    });
    await bundle.write({ dir: scratch, format: 'esm', codeSplitting: false, entryFileNames: 'index.js' });
    await bundle.close();
    writeFileSync(join(scratch, 'package.json'), '{ "type": "module" }\n');
    const args = [ncc, 'build', join(scratch, 'index.js'), '-m', '-q', '-o', folder];
    execFileSync(process.execPath, args, { stdio: 'inherit' });
    const bytes = statSync(join(folder, 'index.js')).size;
    console.log(`${folder}/index.js ${(bytes / 1_000_000).toFixed(2)} MB`);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

async function buildWorker(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const bundle = await rolldown({ input: 'src/build/build-worker.ts', platform: 'node', logLevel: 'warn' });
  await bundle.write({ file: join(folder, 'worker.js'), format: 'esm', codeSplitting: false, minify: true });
  await bundle.close();
  const program = 'dist/build/flux-build.wasm.br';
  if (resolve(folder) !== resolve('dist/build')) copyFileSync(program, join(folder, 'flux-build.wasm.br'));
}
