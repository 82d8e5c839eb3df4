import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { access, cp, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { moduleFiles, parts } from './parts.js';
import { TestbedError } from './testbed-error.js';
const goFolder = fileURLToPath(new URL('./go/', import.meta.url));
const oldestGo = { major: 1, minor: 26 };
/**
 * Builds every binary of the testbed, or finds them built. A build is known by the content of parts.ts, go.mod and
 * go.sum and by the Go version; it appears under its name only when it is complete, so an interrupted one is never used.
 *
 * @throws TestbedError when Go is missing or too old, or when something does not build.
 */
export async function buildTestbed(options = {}) {
  const log = options.log ?? (() => {});
  const goVersion = await checkGo();
  const root = options.cache ?? defaultCache();
  const folder = join(root, await buildKey(goVersion));
  const build = { binaries: join(folder, 'bin'), manifests: join(folder, 'manifests') };
  if (await exists(folder)) return build;
  await mkdir(root, { recursive: true });
  const partial = await mkdtemp(join(root, 'partial-'));
  try {
    await buildBinaries({ to: join(partial, 'bin'), log, jobs: options.jobs });
    await copyManifests(join(partial, 'manifests'));
    await publish(partial, folder);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  log(`The testbed is built: ${folder}`);
  return build;
}
async function buildBinaries(options) {
  const all = parts.flatMap(part => part.binaries.map(binary => ({ part, binary })));
  options.log(
    `Building ${all.length} binaries; the first time this takes about 15 minutes on two processors.`,
  );
  for (const [index, { part, binary }] of all.entries()) {
    const start = Date.now();
    options.log(`[${index + 1}/${all.length}] ${binary.name} …`);
    await buildBinary({ part, binary, to: options.to, jobs: options.jobs });
    options.log(`[${index + 1}/${all.length}] ${binary.name}: ${Math.round((Date.now() - start) / 1000)} s`);
  }
}
async function buildBinary(options) {
  const { part, binary } = options;
  await go(part.module, [
    'build',
    ...(options.jobs === undefined ? [] : [`-p=${options.jobs}`]),
    `-ldflags=${['-s -w', ...part.ldflags].join(' ')}`,
    `-o=${join(options.to, binary.name)}`,
    binary.goPackage,
  ]);
}
/** Copies what the modules carry to apply; the files of Go's module cache are read-only, the copies are not. */
async function copyManifests(to) {
  for (const file of moduleFiles) {
    await go(file.from, ['mod', 'download', file.goModule]);
    const folder = (await go(file.from, ['list', '-m', '-f', '{{.Dir}}', file.goModule])).trim();
    const target = join(to, file.to);
    await mkdir(dirname(target), { recursive: true });
    await cp(join(folder, file.path), target, { recursive: true, mode: constants.COPYFILE_FICLONE });
  }
}
/** Gives the finished build its name; when another process was first, its build is as good. */
async function publish(partial, folder) {
  try {
    await rename(partial, folder);
  } catch (cause) {
    if (await exists(folder)) return;
    throw cause;
  }
}
async function buildKey(goVersion) {
  const hash = createHash('sha256').update(`${goVersion}\n${process.platform} ${process.arch}\n`);
  hash.update(JSON.stringify({ parts, moduleFiles }));
  const modules = new Set([...parts.map(part => part.module), ...moduleFiles.map(file => file.from)]);
  for (const module of [...modules].sort()) {
    hash.update(await readFile(join(goFolder, module, 'go.mod')));
    hash.update(await readFile(join(goFolder, module, 'go.sum')));
  }
  return hash.digest('hex').slice(0, 16);
}
async function checkGo() {
  const wanted = `Go ${oldestGo.major}.${oldestGo.minor} or later`;
  const version = await go('etcd', ['env', 'GOVERSION']).catch(cause => {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'ENOENT')) throw cause;
    throw new TestbedError(
      `The testbed is built with ${wanted}, and there is no \`go\` on PATH. Install it: https://go.dev/dl`,
      { cause },
    );
  });
  const [, major, minor] = /^go(\d+)\.(\d+)/.exec(version) ?? [];
  const old =
    Number(major) < oldestGo.major || (Number(major) === oldestGo.major && Number(minor) < oldestGo.minor);
  if (old) {
    throw new TestbedError(
      `The testbed needs ${wanted}; this is ${version.trim()}. Newer ones: https://go.dev/dl`,
    );
  }
  return version.trim();
}
function defaultCache() {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'gated-rollout', 'testbed');
}
/** Runs the go command in a module of testbed/go and gives its output. */
function go(module, args) {
  return new Promise((resolve, reject) => {
    const child = spawn('go', [...args], {
      cwd: join(goFolder, module),
      // Without cgo the binaries need no C compiler and no shared library; a go.work further up must not take over.
      env: { ...process.env, CGO_ENABLED: '0', GOWORK: 'off', GOFLAGS: '-mod=readonly -buildvcs=false' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    let errors = '';
    child.stdout.setEncoding('utf8').on('data', text => {
      output += text;
    });
    child.stderr.setEncoding('utf8').on('data', text => {
      errors += text;
    });
    child.on('error', reject);
    child.on('close', code => {
      if (code === 0) resolve(output);
      else
        reject(
          new TestbedError(`\`go ${args.join(' ')}\` failed in testbed/go/${module}:\n${errors.trim()}`),
        );
    });
  });
}
async function exists(path) {
  return access(path).then(
    () => true,
    () => false,
  );
}
if (import.meta.main) {
  await buildTestbed({ log: line => process.stderr.write(`${line}\n`) });
}
