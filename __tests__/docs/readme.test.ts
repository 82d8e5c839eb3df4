import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { referencePage } from '../../scripts/reference.ts';
import { REASONS, VERDICTS } from '../../src/rollout/verdict.ts';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

describe('the README', () => {
  it.each(Object.entries(VERDICTS))(
    'explains the verdict %s',
    (verdict, { meaning, exitCode, conclusion }) => {
      expect(readme).toContain(`| \`${verdict}\` | ${meaning} | ${exitCode} | ${conclusion} |`);
    },
  );

  it.each(Object.entries(REASONS))('explains the reason %s', (reason, meaning) => {
    expect(readme).toContain(`| \`${reason}\` | ${meaning} |`);
  });
});

describe('docs/reference.md', () => {
  it('is what the schemas, the tables and action.yml say (npm run schemas)', () => {
    const page = readFileSync(new URL('../../docs/reference.md', import.meta.url), 'utf8');
    expect(page).toBe(referencePage());
    for (const words of [
      '`change[].image`',
      '`canary.TARGET.metrics[].preset`',
      '| `nginx` | yes | yes | – |',
    ]) {
      expect(page).toContain(words);
    }
  });
});
