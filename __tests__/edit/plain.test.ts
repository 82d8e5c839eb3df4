import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { isPlain } from '../../src/edit/plain.ts';

/** How Go's libraries read a text as a value in lines, and in braces. */
type Reading = readonly [text: string, block: string, flow: string];

/** What Go’s libraries say; made by scripts/go-yaml. */
const { readings }: { readonly readings: readonly Reading[] } = JSON.parse(
  readFileSync(join(import.meta.dirname, 'go-yaml-readings.json'), 'utf8'),
);

function readHere(text: string, document: (text: string) => string, version: '1.1' | '1.2'): unknown {
  try {
    const data: unknown = parse(document(text), { version, logLevel: 'error' });
    return typeof data === 'object' && data !== null ? Reflect.get(data, 'k') : undefined;
  } catch {
    return undefined;
  }
}

describe('a string without quotes', () => {
  it.each(readings)('%j: only where every reader reads that string', (text, block, flow) => {
    for (const version of ['1.1', '1.2'] as const) {
      if (isPlain(text, 'block')) expect(readHere(text, each => `k: ${each}\n`, version)).toBe(text);
      if (isPlain(text, 'flow')) expect(readHere(text, each => `{k: ${each}, l: 1}\n`, version)).toBe(text);
    }
    if (isPlain(text, 'block')) expect(block).toBe('string');
    if (isPlain(text, 'flow')) expect(flow).toBe('string');
  });

  it('is what people write most of the time', () => {
    const usual = [
      '6.14.1',
      'v1.2',
      'ghcr.io/acme/shop:1.2.3',
      'abc1234',
      '--flag=x',
      'https://x:80/y',
      'a b',
      '5m',
      'it’s',
    ];
    for (const text of usual)
      expect([text, isPlain(text, 'block'), isPlain(text, 'flow')]).toEqual([text, true, true]);
  });

  it.each([
    '20240101_123456',
    '1_000',
    '0b1',
    '0o7',
    '1:30',
    '2024-01-01',
    'on',
    'yes',
    'y',
    '~',
    '.inf',
    '1e3',
    '0x_ff',
  ])('%s is a string in some reading only', text => expect(isPlain(text, 'block')).toBe(false));
});
