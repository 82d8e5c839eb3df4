import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';
import { licencesOfModules } from './go-licenses.ts';

/**
 * Compiles flux-build, Flux's own build, to dist/build/flux-build.wasm.br, and lists the licences of what is compiled in.
 * Needs Go. The compiler's version stands in flux-build/go.mod: the same sources give the same bytes anywhere.
 *
 * `node scripts/build-flux.ts`: compiles and compresses, which takes minutes.
 * `node scripts/build-flux.ts check`: compiles, and compares with what is committed.
 */
const COMMITTED = 'dist/build/flux-build.wasm.br';
const LICENCES = 'flux-build/licenses.json';

const environment = {
  ...process.env,
  CGO_ENABLED: '0',
  GOOS: 'wasip1',
  GOARCH: 'wasm',
  GOFLAGS: '-mod=readonly',
  GOTOOLCHAIN: /^toolchain (\S+)$/m.exec(readFileSync('flux-build/go.mod', 'utf8'))?.[1] ?? 'auto',
  GOWORK: 'off',
};
const program = compile();
const licences = `${JSON.stringify(licencesOfModules('flux-build', environment), null, 2)}\n`;
if (process.argv[2] === 'check') check();
else write();

function compile(): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'flux-build-'));
  const output = join(folder, 'flux-build.wasm');
  const flags = ['-buildmode=c-shared', '-trimpath', '-buildvcs=false', '-ldflags=-s -w -buildid='];
  try {
    execFileSync('go', ['build', ...flags, '-o', output, '.'], {
      cwd: 'flux-build',
      env: environment,
      stdio: 'inherit',
    });
    return readFileSync(output);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function write(): void {
  writeFileSync(LICENCES, licences);
  const compressed = brotliCompressSync(program, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
      [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
      [constants.BROTLI_PARAM_SIZE_HINT]: program.length,
    },
  });
  mkdirSync('dist/build', { recursive: true });
  writeFileSync(COMMITTED, compressed);
  console.log(
    `${COMMITTED} ${(compressed.length / 1_000_000).toFixed(2)} MB, of ${(program.length / 1_000_000).toFixed(1)} MB`,
  );
}

function check(): void {
  const stale = [
    ...(brotliDecompressSync(readFileSync(COMMITTED)).equals(program) ? [] : [COMMITTED]),
    ...(readFileSync(LICENCES, 'utf8') === licences ? [] : [LICENCES]),
  ];
  if (stale.length === 0) return;
  console.error(
    `Not what flux-build compiles to: ${stale.join(' and ')}. Run npm run build:flux and commit.`,
  );
  process.exit(1);
}
