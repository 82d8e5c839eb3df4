import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { parseRolloutFile } from '../../src/config/rollout-file.ts';

const page = readFileSync(new URL('../../docs/recipes.md', import.meta.url), 'utf8');
const blocks = [...page.matchAll(/## ([^\n]+)\n[\s\S]*?```yaml\n([\s\S]*?)```/g)]
  .map(([, title = '', text = '']) => ({ title, text }))
  .filter(({ text }) => !/^ *- uses|^on:/m.test(text));

describe('docs/recipes.md', () => {
  it.each(blocks)('$title: a rollout.yaml that is taken', ({ text }) => {
    const recipe: unknown = parse(text);
    const whole = { target: ['prod/podinfo'], change: [{ image: 'ghcr.io/acme/shop' }], ...Object(recipe) };
    const parsed = parseRolloutFile(stringify(whole), { file: 'rollout.yaml', set: [], valuesNeeded: false });
    expect('problems' in parsed ? parsed.problems : []).toEqual([]);
  });

  it('has some', () => {
    expect(blocks.length).toBeGreaterThanOrEqual(5);
  });
});
