import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { access, cp, mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { withLock } from './lock.ts';
import { type Binary, moduleFiles, type Part, parts } from './parts.ts';
import { type ProcessGroup, startProcessGroup } from './process-group.ts';
import { TestbedError } from './testbed-error.ts';

/** Where a finished build lies. */
export interface TestbedBuild {
  /** The path of a binary, by its name in parts.ts. */
  binary(name: string): string;
  /** Folder with `crds/` and `kwok/`. */
  readonly manifests: string;
}

export interface BuildOptions {
  /** Parent of all builds; default `$XDG_CACHE_HOME/gated-rollout/testbed`, or below `~/.cache`. */
  readonly cache?: string;
  /** Gets one line per step, without a line end. */
  readonly log?: (line: string) => void;
  /** Compilations at the same time; default: Go's own, one per processor. */
  readonly jobs?: number;
}

/** What is built as one, and the folder that it gets: its name says all that it was made from. */
interface Piece {
  readonly folder: string;
  readonly binaries: readonly { readonly part: Part; readonly binary: Binary }[];
}

const goFolder = fileURLToPath(new URL('./go/', import.meta.url));
const oldestGo = { major: 1, minor: 26 };
const PARTIAL = 'building-';

/**
 * Builds every binary of the testbed, or finds them built. Each part is known by its lines in parts.ts, its go.mod and
 * go.sum and the Go version, so that a new one builds alone; it appears under its name only when it is complete. Of
 * several processes one builds, and the others wait for it. Nothing of a build outlives the process that began it.
 *
 * @throws TestbedError when Go is missing or too old, or when something does not build.
 */
export async function buildTestbed(options: BuildOptions = {}): Promise<TestbedBuild> {
  const log = options.log ?? (() => {});
  const goVersion = await checkGo();
  const root = options.cache ?? defaultCache();
  const pieces = await Promise.all(parts.map(part => pieceOf(root, part, goVersion)));
  const manifests = join(root, `manifests-${await manifestsKey(goVersion)}`);
  const build: TestbedBuild = { binary: name => pathOf(pieces, name), manifests };
  const missing = async (): Promise<boolean> =>
    !(await Promise.all([manifests, ...pieces.map(({ folder }) => folder)].map(exists))).every(Boolean);
  if (!(await missing())) return build;

  await mkdir(root, { recursive: true });
  return await withLock(`testbed ${root}`, {
    onWait: () => log('Another process builds the testbed; waiting for it.'),
    work: async () => {
      if (!(await missing())) return build;
      await removePartial(root);
      const partial = await mkdtemp(join(root, PARTIAL));
      const group = startProcessGroup({ data: partial, logs: partial });
      try {
        await buildPieces(pieces, { group, partial, log, jobs: options.jobs });
        if (!(await exists(manifests))) await copyManifests({ group, partial, to: manifests });
      } finally {
        await group.end();
      }
      log(`The testbed is built: ${root}`);
      return build;
    },
  });
}

async function pieceOf(root: string, part: Part, goVersion: string): Promise<Piece> {
  const key = await keyOf(goVersion, JSON.stringify(part), [part.module]);
  return {
    folder: join(root, `${part.module}-${key}`),
    binaries: part.binaries.map(binary => ({ part, binary })),
  };
}

function pathOf(pieces: readonly Piece[], name: string): string {
  const piece = pieces.find(({ binaries }) => binaries.some(({ binary }) => binary.name === name));
  if (!piece) throw new TestbedError(`parts.ts has no binary ${name}.`);
  return join(piece.folder, name);
}

interface Building {
  /** Owns what runs: when this process ends, however that happens, it kills all and removes the partial folder. */
  readonly group: ProcessGroup;
  readonly partial: string;
}

async function buildPieces(
  pieces: readonly Piece[],
  on: Building & { readonly log: (line: string) => void; readonly jobs: number | undefined },
): Promise<void> {
  const wanted: Piece[] = [];
  for (const piece of pieces) if (!(await exists(piece.folder))) wanted.push(piece);
  const all = wanted.flatMap(({ binaries }) => binaries);
  on.log(
    `Building ${all.length} binaries; all of them for the first time take 15 minutes on two processors.`,
  );
  let index = 0;
  for (const { folder, binaries } of wanted) {
    const to = join(on.partial, 'piece');
    for (const { part, binary } of binaries) {
      const start = Date.now();
      index += 1;
      on.log(`[${index}/${all.length}] ${binary.name} …`);
      await runGo(on.group, part.module, [
        'build',
        ...(on.jobs === undefined ? [] : [`-p=${on.jobs}`]),
        `-ldflags=${['-s -w', ...part.ldflags].join(' ')}`,
        `-o=${join(to, binary.name)}`,
        binary.goPackage,
      ]);
      on.log(`[${index}/${all.length}] ${binary.name}: ${Math.round((Date.now() - start) / 1000)} s`);
    }
    await rename(to, folder);
  }
}

/** Copies what the modules carry to apply; the files of Go's module cache are read-only, the copies are not. */
async function copyManifests({ group, partial, to }: Building & { readonly to: string }): Promise<void> {
  const copies = join(partial, 'manifests');
  for (const file of moduleFiles) {
    await runGo(group, file.from, ['mod', 'download', file.goModule]);
    const folder = await askGo(file.from, ['list', '-m', '-f', '{{.Dir}}', file.goModule]);
    const target = join(copies, file.to);
    await mkdir(dirname(target), { recursive: true });
    await cp(join(folder, file.path), target, { recursive: true, mode: constants.COPYFILE_FICLONE });
  }
  await rename(copies, to);
}

/** What a machine that lost power left behind; whoever holds the lock is the only one who builds. */
async function removePartial(root: string): Promise<void> {
  const left = (await readdir(root)).filter(name => name.startsWith(PARTIAL));
  for (const name of left) await rm(join(root, name), { recursive: true, force: true });
}

function manifestsKey(goVersion: string): Promise<string> {
  const modules = new Set(moduleFiles.map(({ from }) => from));
  return keyOf(goVersion, JSON.stringify(moduleFiles), [...modules].sort());
}

async function keyOf(goVersion: string, what: string, modules: readonly string[]): Promise<string> {
  const hash = createHash('sha256').update(`${goVersion}\n${process.platform} ${process.arch}\n${what}`);
  for (const module of modules) {
    hash.update(await readFile(join(goFolder, module, 'go.mod')));
    hash.update(await readFile(join(goFolder, module, 'go.sum')));
  }
  return hash.digest('hex').slice(0, 16);
}

async function checkGo(): Promise<string> {
  const wanted = `Go ${oldestGo.major}.${oldestGo.minor} or later`;
  const version = await askGo('etcd', ['env', 'GOVERSION']).catch((cause: unknown) => {
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
    throw new TestbedError(`The testbed needs ${wanted}; this is ${version}. Newer ones: https://go.dev/dl`);
  }
  return version;
}

function defaultCache(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'gated-rollout', 'testbed');
}

// Without cgo the binaries need no C compiler and no shared library; a go.work further up must not take over.
const GO_ENV = { CGO_ENABLED: '0', GOWORK: 'off', GOFLAGS: '-mod=readonly -buildvcs=false' };

/** Runs the go command in a module of testbed/go. @throws TestbedError with the end of what it said. */
async function runGo(group: ProcessGroup, module: string, args: readonly string[]): Promise<void> {
  const { TMPDIR: _own, ...env } = process.env;
  await group.start({
    name: 'go',
    command: 'go',
    args: ['-C', join(goFolder, module), ...args],
    env: { ...env, ...GO_ENV },
  });
  if ((await group.ended('go')) !== 'exit code 0') await group.check();
}

/** What the go command answers at once. */
async function askGo(module: string, args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('go', [...args], {
    cwd: join(goFolder, module),
    env: { ...process.env, ...GO_ENV },
  });
  return stdout.trim();
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

if (import.meta.main) {
  await buildTestbed({ log: line => process.stderr.write(`${line}\n`) });
}
