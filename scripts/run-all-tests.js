import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
/**
 * Runs the tests of the README's command and, where Go is installed, those on the real control plane; ends with one
 * line that counts them all. A suite that could not run counts as failed; so does a skipped test.
 */
const summarySchema = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  numTodoTests: z.number(),
  numFailedTestSuites: z.number(),
  success: z.boolean(),
});
const vitest = join(createRequire(import.meta.url).resolve('vitest/package.json'), '..', 'vitest.mjs');
const hasGo = spawnSync('go', ['version']).status === 0;
const suites = [
  { name: 'tests', args: [] },
  ...(hasGo
    ? [{ name: 'tests on the real control plane', args: ['--config', 'vitest.cluster.config.ts'] }]
    : []),
];
let passed = 0;
let failed = 0;
const scratch = mkdtempSync(join(tmpdir(), 'gated-rollout-tests-'));
try {
  for (const [index, { name, args }] of suites.entries()) {
    const report = join(scratch, `${index}.json`);
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
    spawnSync(process.execPath, [vitest, 'run', ...args, ...reporters], { stdio: 'inherit' });
    const counts = summarySchema.safeParse(readJson(report));
    if (!counts.success) {
      console.log(`The ${name} did not run to their end.`);
      failed += 1;
      continue;
    }
    const { data } = counts;
    const skipped = data.numPendingTests + data.numTodoTests;
    if (skipped > 0) console.log(`${skipped} of the ${name} were skipped, which counts as failed here.`);
    passed += data.numPassedTests;
    failed += data.numFailedTests + skipped;
    if (!data.success && data.numFailedTests === 0) failed += Math.max(1, data.numFailedTestSuites);
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
if (!hasGo) console.log('Go is not installed, so nothing was run on the real control plane.');
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
