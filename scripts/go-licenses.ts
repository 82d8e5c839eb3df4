import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { grouped, type Licence, plain } from './licenses-text.ts';

const moduleSchema = z.object({ Path: z.string(), Version: z.string(), Dir: z.string() });

// A module that a folder of this repository stands in for has no version of its own, and is left out as the main one is.
const MODULE = '{{if .Version}}{"Path":"{{.Path}}","Version":"{{.Version}}","Dir":"{{.Dir}}"}{{end}}';
const FORMAT = `{{with .Module}}{{if not .Main}}{{with or .Replace .}}${MODULE}{{end}}{{end}}{{end}}`;

/**
 * The licences of what is compiled in, as `go list` says for the system of this environment, and of Go's own library.
 * Throws when a module has no text of a licence: what has none must not be redistributed.
 */
export function licencesOfModules(folder: string, env: NodeJS.ProcessEnv): Licence[] {
  const go = (...args: string[]): string =>
    execFileSync('go', args, { cwd: folder, encoding: 'utf8', env }).trim();
  const modules = new Set(go('list', '-deps', '-f', FORMAT, '.').split('\n').filter(Boolean));
  return grouped([
    ...[...modules]
      .map(line => moduleSchema.parse(JSON.parse(line)))
      .map(({ Path, Version, Dir }) => licenceIn(`${Path} ${Version}`, Dir)),
    licenceIn(`Go ${go('env', 'GOVERSION').replace('go', '')}`, go('env', 'GOROOT')),
  ]);
}

function licenceIn(name: string, folder: string): Licence {
  const files = readdirSync(folder).sort();
  const texts = (start: RegExp): string[] =>
    files.filter(file => start.test(file)).map(file => readFileSync(join(folder, file), 'utf8'));
  const licence = texts(/^(?:LICEN[CS]E|COPYING)/i);
  if (licence.length === 0) throw new Error(`${name} is compiled in, but has no text of a licence.`);
  return { names: [name], text: plain(...licence, ...texts(/^NOTICE/i)) };
}
