import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { grouped, type Licence, plain } from './licenses-text.ts';

/**
 * Writes flux-build/licenses.json: what is compiled into the WebAssembly, as `go list` says for the system that it is
 * compiled for, and under which licences. dist/licenses.txt and the SBOM take it from there, so that dist can be made
 * without Go. Modules of this repository (flux-build and what it replaces) are left out.
 */
const FOLDER = 'flux-build';
const moduleSchema = z.object({ Path: z.string(), Version: z.string(), Dir: z.string() });

const go = (...args: string[]): string =>
  execFileSync('go', args, {
    cwd: FOLDER,
    encoding: 'utf8',
    env: { ...process.env, GOOS: 'wasip1', GOARCH: 'wasm' },
  }).trim();

// A module that a folder stands in for has no version of its own.
const FORMAT =
  '{{with .Module}}{{if not .Main}}{{with or .Replace .}}{{if .Version}}{"Path":"{{.Path}}","Version":"{{.Version}}","Dir":"{{.Dir}}"}{{end}}{{end}}{{end}}{{end}}';
const modules = new Set(go('list', '-deps', '-f', FORMAT, '.').split('\n').filter(Boolean));
const licences = [...modules]
  .map(line => moduleSchema.parse(JSON.parse(line)))
  .map(({ Path, Version, Dir }) => licenceIn(`${Path} ${Version}`, Dir));
licences.push(licenceIn(`Go ${go('env', 'GOVERSION').replace('go', '')}`, go('env', 'GOROOT')));
writeFileSync(join(FOLDER, 'licenses.json'), `${JSON.stringify(grouped(licences), null, 2)}\n`);

/** Throws when there is no licence: what has none must not be redistributed. */
function licenceIn(name: string, folder: string): Licence {
  const files = readdirSync(folder).sort();
  const texts = (start: RegExp): string[] =>
    files.filter(file => start.test(file)).map(file => readFileSync(join(folder, file), 'utf8'));
  const licence = texts(/^(?:LICEN[CS]E|COPYING)/i);
  if (licence.length === 0) throw new Error(`${name} is compiled in, but has no text of a licence.`);
  return { names: [name], text: plain(...licence, ...texts(/^NOTICE/i)) };
}
