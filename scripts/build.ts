import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { rolldown } from 'rolldown';
import license from 'rollup-plugin-license';
import { bundled, ENTRIES } from './bundled.ts';
import { licenceOf, licencesSchema, licensesText } from './licenses-text.ts';

/**
 * Builds dist/index.js, the action, and dist/cli/index.js, the command line. rolldown first, because it drops what is
 * never imported (client-node alone is 19 MB under plain ncc); then ncc, which makes the one minified file that the
 * runner starts. Beside it lies the thread that Flux's build runs in; its WebAssembly is made by `npm run build:flux`.
 * dist/licenses.txt has the licence of everything in them.
 *
 * `node scripts/build.ts [folder]`: into another folder than dist, for comparison.
 */
const target = process.argv[2] ?? 'dist';
const ncc = createRequire(import.meta.url).resolve('@vercel/ncc/dist/ncc/cli.js');
const packages: license.Dependency[] = [];
const noted = license({ thirdParty: found => packages.push(...found) });

await build(ENTRIES.action, target);
await build(ENTRIES.cli, join(target, 'cli'));
chmodSync(join(target, 'cli', 'index.js'), 0o755);
await buildWorker(join(target, 'build'));
const compiled = licencesSchema.parse(JSON.parse(readFileSync('flux-build/licenses.json', 'utf8')));
writeFileSync(join(target, 'licenses.txt'), licensesText([...packages.map(licenceOf), ...compiled]));

async function build(input: string, folder: string): Promise<void> {
  const temporary = mkdtempSync(join(tmpdir(), 'gated-rollout-build-'));
  // ncc makes names out of the folder's; a fixed one gives the same bytes each time.
  const scratch = join(temporary, 'action');
  try {
    const bundle = await rolldown({ ...bundled(input), plugins: [noted] });
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
  const bundle = await rolldown({ ...bundled(ENTRIES.worker), plugins: [noted] });
  await bundle.write({ file: join(folder, 'worker.js'), format: 'esm', codeSplitting: false, minify: true });
  await bundle.close();
  const program = 'dist/build/flux-build.wasm.br';
  if (resolve(folder) !== resolve('dist/build')) copyFileSync(program, join(folder, 'flux-build.wasm.br'));
}
