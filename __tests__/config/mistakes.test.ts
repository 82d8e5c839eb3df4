import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatProblems } from '../../src/config/problem-text.ts';
import { parseRolloutFile } from '../../src/config/rollout-file.ts';
import { MISTAKES } from './mistakes.ts';

const GOLDEN = join(import.meta.dirname, 'golden');

function saidOf(text: string): string {
  const result = parseRolloutFile(text, { file: 'rollout.yaml', set: [] });
  return 'problems' in result ? formatProblems(result.problems) : 'taken as it is';
}

describe('mistakes in rollout.yaml', () => {
  it('are answered as a person has read and approved', async () => {
    const all = MISTAKES.map(
      ([name, text]) => `## ${name}\n${text}=> ${saidOf(text).replaceAll('\n', '\n=> ')}\n`,
    );
    await expect(all.join('\n')).toMatchFileSnapshot(join(GOLDEN, 'mistakes.txt'));
  });

  it.each(MISTAKES)(
    '%s: where, what is allowed, whole sentences, and no word of a library',
    (_name, text) => {
      for (const line of saidOf(text).split('\n')) {
        expect(line).toMatch(/^rollout\.yaml:\d+:\d+: \S.*: \S.* ?Allowed: \S.*[.?!…]$/);
        expect(line).not.toMatch(
          /\bInvalid|\brecord\b|expected|received|zod|undefined|\[object|in key|a object/i,
        );
        expect(line).not.toMatch(/[^.?!:…”] (?:Found|Allowed|Example|Is): /);
      }
    },
  );
});
