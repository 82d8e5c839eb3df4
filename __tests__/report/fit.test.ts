import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fitSections, type Section } from '../../src/report/fit.ts';

const table = (rows: readonly string[]): Section => ({
  head: '<details>\n',
  rows,
  tail: '\n</details>',
  more: count => `and ${count} more`,
});

describe('a text of so many bytes', () => {
  it('is whole when it fits, without the word about a cut', () => {
    expect(fitSections(['a', '', table(['b', 'c'])], 1_000, 'cut')).toBe(
      'a\n\n<details>\n\nb\nc\n\n</details>',
    );
  });

  it('loses the last rows of what is long, and keeps what follows', () => {
    const rows = Array.from({ length: 100 }, (_, index) => `row ${index}`);
    const text = fitSections([table(rows), 'the proof'], 400, 'cut');
    expect(text).toMatch(/row 0\n[\s\S]*and \d+ more\n\n<\/details>\n\nthe proof\n\ncut$/);
    const shown = text.match(/row \d+/g)?.length ?? 0;
    expect(text).toContain(`and ${100 - shown} more`);
  });

  it('leaves out a part that cannot be shortened, not those behind it', () => {
    expect(fitSections(['first', 'x'.repeat(500), 'last'], 100, 'cut')).toBe('first\n\nlast\n\ncut');
  });

  it('never has more bytes than it may, and every part is whole', () => {
    const part = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 60 }),
      fc.array(fc.string({ unit: 'grapheme', maxLength: 20 }), { maxLength: 30 }).map(table),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 10 }), fc.integer({ min: 60, max: 600 }), (parts, limit) => {
        const text = fitSections(parts, limit, '… cut');
        expect(Buffer.byteLength(text)).toBeLessThanOrEqual(limit);
        expect(text.isWellFormed()).toBe(true);
        expect(text.match(/<details>/g)?.length).toBe(text.match(/<\/details>/g)?.length);
      }),
    );
  });
});
