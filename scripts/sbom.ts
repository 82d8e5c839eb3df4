import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { rolldown } from 'rolldown';
import sbom from 'rollup-plugin-sbom';
import { bundled, ENTRIES } from './bundled.ts';

/**
 * Writes what dist is made of as CycloneDX: the packages that are really bundled, not the tools that are installed.
 * The same sources give the same bytes.
 *
 * `node scripts/sbom.ts [file]`
 */
const target = process.argv[2] ?? 'sbom.cdx.json';
const scratch = mkdtempSync(join(tmpdir(), 'gated-rollout-sbom-'));
try {
  const bundle = await rolldown({
    ...bundled([ENTRIES.action, ENTRIES.cli]),
    plugins: [sbom({ outDir: '.', outFilename: 'sbom', saveTimestamp: false, includeWellKnown: false })],
  });
  await bundle.write({ dir: scratch, format: 'esm' });
  await bundle.close();
  mkdirSync(dirname(target), { recursive: true });
  copyFileSync(join(scratch, 'sbom.json'), target);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
