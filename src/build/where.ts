import { fileURLToPath } from 'node:url';

/** Where the worker and the program lie: in `dist/build`, for the action, the command line and for who runs the sources. */
const here = import.meta.url;
const fromSource = here.endsWith('.ts');
const folder = new URL(
  fromSource ? '../../dist/build/' : here.endsWith('/cli/index.js') ? '../build/' : './build/',
  here,
);

export const PROGRAM = fileURLToPath(new URL('flux-build.wasm.br', folder));
export const WORKER = fromSource ? new URL('build-worker.ts', here) : new URL('worker.js', folder);
