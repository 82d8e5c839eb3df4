import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';

/**
 * `npm run update-crds`: src/flagger/flagger-crds.json, derived from the definitions that Flagger publishes, in the
 * version that testbed/go/flagger pins. Needs Go, which fetches the module.
 */
const root = fileURLToPath(new URL('..', import.meta.url));
const moduleSchema = z.object({ Dir: z.string(), Version: z.string() });
const crdSchema = z.object({
  spec: z.object({
    names: z.object({ kind: z.string() }),
    versions: z.array(
      z.object({
        name: z.string(),
        schema: z.object({
          openAPIV3Schema: z.object({ properties: z.object({ spec: z.record(z.string(), z.unknown()) }) }),
        }),
      }),
    ),
  }),
});

const answer = execFileSync('go', ['list', '-m', '-json', 'github.com/fluxcd/flagger'], {
  cwd: join(root, 'testbed/go/flagger'),
  encoding: 'utf8',
});
const flagger = moduleSchema.parse(JSON.parse(answer));
const text = readFileSync(join(flagger.Dir, 'artifacts/flagger/crd.yaml'), 'utf8');
const documents = parseAllDocuments(text).map((document): unknown => document.toJS());
const definitions = documents.filter(value => value !== null).map(value => crdSchema.parse(value));

const kinds = Object.fromEntries(
  definitions.map(({ spec }) => [
    spec.names.kind,
    withoutDescriptions(spec.versions[0]?.schema.openAPIV3Schema.properties.spec),
  ]),
);
const file = join(root, 'src/flagger/flagger-crds.json');
writeFileSync(file, `${JSON.stringify({ version: flagger.Version.slice(1), kinds }, null, 2)}\n`);
console.log(`${file}: ${Object.keys(kinds).join(', ')} of Flagger ${flagger.Version}`);

/** They make up most of the size; a property that is named `description` is a map, and stays. */
function withoutDescriptions(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDescriptions);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, item]) => key !== 'description' || typeof item !== 'string')
      .map(([key, item]) => [key, withoutDescriptions(item)]),
  );
}
