import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';

/**
 * Compiles flux-build, Flux's own build, to dist/build/flux-build.wasm.br. Needs Go. The compiler's version stands in
 * flux-build/go.mod: the same sources give the same bytes anywhere.
 *
 * `node scripts/build-flux.ts`: compiles and compresses, which takes minutes.
 * `node scripts/build-flux.ts check`: compiles, and compares with what is committed.
 */
const COMMITTED = 'dist/build/flux-build.wasm.br';

const program = compile();
if (process.argv[2] === 'check') check(program);
else write(program);

function compile(): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'flux-build-'));
  const output = join(folder, 'flux-build.wasm');
  const toolchain = /^toolchain (\S+)$/m.exec(readFileSync('flux-build/go.mod', 'utf8'))?.[1] ?? 'auto';
  const flags = ['-buildmode=c-shared', '-trimpath', '-buildvcs=false', '-ldflags=-s -w -buildid='];
  try {
    execFileSync('go', ['build', ...flags, '-o', output, '.'], {
      cwd: 'flux-build',
      env: {
        ...process.env,
        CGO_ENABLED: '0',
        GOOS: 'wasip1',
        GOARCH: 'wasm',
        GOFLAGS: '-mod=readonly',
        GOTOOLCHAIN: toolchain,
        GOWORK: 'off',
      },
      stdio: 'inherit',
    });
    return readFileSync(output);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function write(wasm: Buffer): void {
  const compressed = brotliCompressSync(wasm, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
      [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
      [constants.BROTLI_PARAM_SIZE_HINT]: wasm.length,
    },
  });
  mkdirSync('dist/build', { recursive: true });
  writeFileSync(COMMITTED, compressed);
  console.log(
    `${COMMITTED} ${(compressed.length / 1_000_000).toFixed(2)} MB, of ${(wasm.length / 1_000_000).toFixed(1)} MB`,
  );
}

function check(wasm: Buffer): void {
  if (brotliDecompressSync(readFileSync(COMMITTED)).equals(wasm)) return;
  console.error(`${COMMITTED} is not what flux-build compiles to: run npm run build:flux and commit it.`);
  process.exit(1);
}
