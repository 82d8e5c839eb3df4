import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { licenceOf, licencesSchema, licensesText } from '../../scripts/licenses-text.ts';

const root = new URL('../../', import.meta.url);
const scratch = mkdtempSync(join(tmpdir(), 'gated-rollout-licenses-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const sbomSchema = z.object({
  bomFormat: z.literal('CycloneDX'),
  components: z.array(
    z.object({ group: z.string().optional(), name: z.string(), version: z.string(), purl: z.string() }),
  ),
});

describe('dist/licenses.txt', () => {
  it('has the licence of everything that the SBOM names, and both name what is bundled', () => {
    const file = join(scratch, 'sbom.json');
    execFileSync(process.execPath, ['scripts/sbom.ts', file], { cwd: root });
    const { components } = sbomSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
    const named = components.map(
      ({ group, name, version }) => `${group ? `${group}/` : ''}${name} ${version}`,
    );
    const text = readFileSync(new URL('dist/licenses.txt', root), 'utf8');
    const licensed = [...text.matchAll(/^-{80}\n((?:.+\n)+)\n/gm)]
      .flatMap(([, names = '']) => names.trim().split('\n'))
      .map(name => name.replace(/ \(.+\)$/, ''));
    // Read by the bundler, and shaken off whole: the SBOM names it, and there is nothing of it to license.
    const shakenOff = ['@octokit/oauth-authorization-url 8.0.0'];
    expect([...licensed, ...shakenOff].sort()).toEqual([...named].sort());
    expect(licensed).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^@kubernetes\/client-node /),
        expect.stringMatching(/^sigs\.k8s\.io\/kustomize\/api v/),
        expect.stringMatching(/^Go \d/),
      ]),
    );
    expect(text).toContain('Permission is hereby granted');
  });

  it('has the Go modules as flux-build/go.mod has them', () => {
    const modules = readFileSync(new URL('flux-build/go.mod', root), 'utf8');
    const compiled = licencesSchema.parse(
      JSON.parse(readFileSync(new URL('flux-build/licenses.json', root), 'utf8')),
    );
    const names = compiled.flatMap(({ names }) => names).filter(name => !name.startsWith('Go '));
    expect(names.length).toBeGreaterThan(10);
    expect(names.filter(name => !modules.includes(name))).toEqual([]);
  });

  it('is not made when a licence has no text', () => {
    const bare = { name: 'a', version: '1.0.0', license: 'MIT', licenseText: null, noticeText: null };
    expect(() => licenceOf(bare)).toThrow('a 1.0.0 is bundled, but has no text of a licence.');
  });

  it('has each text once, with the notices, in an order that is always the same', () => {
    const b = { name: 'b', version: '1.0.0', license: 'Apache-2.0', licenseText: 'L\r\n', noticeText: 'N\n' };
    const [first, second] = [licenceOf(b), licenceOf({ ...b, name: 'a' })];
    const text = licensesText([first, second, first]);
    expect(text).toBe(licensesText([second, first]));
    expect(text).toContain(`${'-'.repeat(80)}\na 1.0.0 (Apache-2.0)\nb 1.0.0 (Apache-2.0)\n\nL\n\nN\n`);
  });
});
