import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
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
