import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { INPUT_DEFAULTS, readInputs } from '../../src/config/inputs.ts';
import { formatProblems } from '../../src/config/problem-text.ts';
import { parseRolloutFile } from '../../src/config/rollout-file.ts';
import { INPUT_MISTAKES } from './input-mistakes.ts';

const FILE = 'target: [prod/shop]\nchange:\n- image: ghcr.io/acme/shop\n- {env: LOG_LEVEL, value: info}\n';

function saidOf(inputs: Readonly<Record<string, string>>): string {
  const given = Object.entries({ token: 't', ...inputs }).map(([name, value]) => [
    `INPUT_${name.toUpperCase()}`,
    value,
  ]);
  const read = readInputs(Object.fromEntries(given), () => undefined);
  if ('problems' in read) return formatProblems(read.problems);
  const parsed = parseRolloutFile(FILE, { file: 'rollout.yaml', set: read.inputs.set });
  return 'problems' in parsed ? formatProblems(parsed.problems) : 'taken as it is';
}

function shown(inputs: Readonly<Record<string, string>>): string {
  return Object.entries(inputs)
    .map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
    .join('\n');
}

describe('mistakes in inputs', () => {
  it('are answered as a person has read and approved', async () => {
    const all = INPUT_MISTAKES.map(
      ([name, inputs]) => `## ${name}\n${shown(inputs)}\n=> ${saidOf(inputs).replaceAll('\n', '\n=> ')}\n`,
    );
    // Which inputs there are is no mistake of anybody.
    const text = all.join('\n').replaceAll(Object.keys(INPUT_DEFAULTS).join(', '), 'all inputs by name');
    const golden = join(import.meta.dirname, 'golden/input-mistakes.txt');
    await expect(text).toMatchFileSnapshot(golden);
  });

  it.each(INPUT_MISTAKES)('%s: whole sentences, and what is allowed', (_name, inputs) => {
    for (const line of saidOf(inputs).split('\n')) {
      expect(line).toMatch(/^(?:input|rollout\.yaml:\d+:\d+:) \S.*: \S.*Allowed: \S.*[.?!…]$/);
    }
  });
});
