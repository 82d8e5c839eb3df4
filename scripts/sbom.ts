import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Enums, Models } from '@cyclonedx/cyclonedx-library';
import { rolldown } from 'rolldown';
import sbom from 'rollup-plugin-sbom';
import { bundled, ENTRIES } from './bundled.ts';
import { licencesSchema } from './licenses-text.ts';

/**
 * Writes what dist is made of as CycloneDX: the packages that are really bundled, not the tools that are installed, and
 * the Go modules of the WebAssembly.
 * The same sources give the same bytes.
 *
 * `node scripts/sbom.ts [file]`
 */
const target = process.argv[2] ?? 'sbom.cdx.json';
const scratch = mkdtempSync(join(tmpdir(), 'gated-rollout-sbom-'));
try {
  const bundle = await rolldown({
    ...bundled(Object.values(ENTRIES)),
    plugins: [
      sbom({
        outDir: '.',
        outFilename: 'sbom',
        saveTimestamp: false,
        includeWellKnown: false,
        afterCollect: bom => addGoModules(bom),
      }),
    ],
  });
  await bundle.write({ dir: scratch, format: 'esm' });
  await bundle.close();
  mkdirSync(dirname(target), { recursive: true });
  copyFileSync(join(scratch, 'sbom.json'), target);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

function addGoModules(bom: Models.Bom): Models.Bom {
  const compiled = licencesSchema.parse(JSON.parse(readFileSync('flux-build/licenses.json', 'utf8')));
  for (const named of compiled.flatMap(({ names }) => names)) {
    const [name = '', version = ''] = named.split(' ');
    // Go's own library is "std" to those who look holes up.
    const purl = name === 'Go' ? `pkg:golang/std@${version}` : `pkg:golang/${name}@${version}`;
    bom.components.add(
      new Models.Component(Enums.ComponentType.Library, name, { version, purl, bomRef: purl }),
    );
  }
  return bom;
}
