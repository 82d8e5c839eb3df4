import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { type Address, scalarsOf } from '../../src/edit/scalar-file.ts';

/** Every style of one value, and what is around it. */
const STYLES: readonly (readonly [name: string, text: string])[] = [
  ['plain', 'a: 1\nk: old-1.0 # c\nz: x\n'],
  ['single', "a: 1\nk: 'old-1.0'   # c\nz: x\n"],
  ['double', 'a: 1\nk: "old-1.0"\nz: x\n'],
  ['literal', 'a: 1\nk: | # c\n    old-1.0\n\nz: x\n'],
  ['literal, stripped', 'k: |-\n  old-1.0\nz: x\n'],
  ['literal, kept', 'k: |+\n  old-1.0\n\nz: x\n'],
  ['literal, indented', 'k: |2-\n  old-1.0\nz: x\n'],
  ['folded', 'k: >-\n  old-1.0\n\n# c\nz: x\n'],
  ['folded, several lines', 'k: >\n  old\n  1.0\n\n  old\nz: x\n'],
  ['plain, several lines', 'k: old\n  1.0\nz: x\n'],
  ['quoted, several lines', 'k: "old\\\n  \\t1.0\n\n  b"\nz: x\n'],
  ['empty', 'k:\nz: x\n'],
  ['empty with a comment', 'k: # c\nz: x\n'],
  ['nothing', 'k: ~\nz: x\n'],
  ['anchored', 'k: &here old-1.0\nz: *here\n'],
  ['anchored, empty', 'k: &here\nz: x\n'],
  ['with a tag', 'k: !!str 12\nz: x\n'],
  ['in braces', '{a: 1, k: old-1.0, z: "x"}\n'],
  ['in braces, empty', '{a: 1, k: , z: x}\n'],
  ['in braces, over lines', "{\n  a: 1, # c\n  k: 'old'\n}\n"],
  ['number', 'k: 1.10\nz: x\n'],
  ['JSON', '{\n\t"a": 1,\n\t"k": "old\\/1.0",\n\t"z": "x"\n}\n'],
  ['JSON number', '{"k": 12}'],
  ['with line ends of Windows', 'a: 1\r\nk: >-\r\n  old-1.0\r\nz: x\r\n'],
  ['after a byte order mark', '\ufeffk: old-1.0\nz: x\n'],
  ['in the second document', 'k: first\n---\nk: second\n'],
];

const ODD = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ unit: 'binary', maxLength: 8 }).filter(text => text.isWellFormed()),
  fc.stringMatching(/^[-+.:_0-9boxeETZ ]{1,10}$/),
  fc.constantFrom(
    'on',
    'yes',
    'y',
    'No',
    '~',
    'null',
    '',
    ' ',
    '\n',
    'a\n',
    'a\n\n',
    '\na',
    ' a',
    'a ',
    'a\nb',
    '---',
    '...',
  ),
  fc.constantFrom(
    '{{ .x }}',
    '*a',
    '&a',
    '!t',
    '%d',
    '@a',
    '`a',
    '#a',
    'a #b',
    'a: b',
    'a:',
    '- a',
    '-',
    '? a',
    '<<',
    '=',
  ),
  fc.constantFrom(
    '\u2028',
    '\u0085',
    '\ufeff',
    '\x7f',
    "it's",
    '"q"',
    '\\',
    '\t',
    'a\tb',
    '\r',
    'a\r\nb',
    '$x',
  ),
);

function readBy(version: '1.1' | '1.2', text: string, { document, path }: Address): unknown {
  const data = parseAllDocuments(text, { version, strict: true });
  expect(Array.isArray(data) ? data.flatMap(each => each.errors) : []).toEqual([]);
  const value: unknown = Array.isArray(data) ? data[document]?.toJS() : undefined;
  return path.reduce<unknown>(
    (at, key) => (typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined),
    value,
  );
}

describe('a scalar with another value', () => {
  it.each(STYLES)('%s', (_name, text) => {
    const file = scalarsOf('x.yaml', text);
    const found = file.scalars.findLast(({ address }) => address.path.join() === 'k');
    const address = found?.address ?? { document: 0, path: ['none'] };
    fc.assert(
      fc.property(ODD, value => {
        const edited = file.replaced([{ address, value }]);
        expect(readBy('1.1', edited, address)).toBe(value);
        expect(readBy('1.2', edited, address)).toBe(value);
        const others = (of: string) =>
          scalarsOf('x.yaml', of)
            .scalars.filter(
              each =>
                JSON.stringify(each.address.path) !== '["k"]' || each.address.document !== address.document,
            )
            .map(each => [each.address, each.value, each.reads]);
        expect(others(edited).filter(([at]) => !JSON.stringify(at).includes('within'))).toEqual(
          others(text).filter(([at]) => !JSON.stringify(at).includes('within')),
        );
        // Byte for byte, but for the one place.
        const at = text.search(/k"?:/);
        expect(edited.slice(0, at)).toBe(text.slice(0, at));
        const after = text.search(/(?:\n\s*|, )"?z"?:/);
        if (after >= 0) expect(edited.endsWith(text.slice(after))).toBe(true);
        if (/^\s*\{\s*"/.test(text)) expect(() => JSON.parse(edited)).not.toThrow();
        expect(edited.includes('\r\n')).toBe(text.includes('\r\n'));
      }),
      { numRuns: 300 },
    );
  });

  it.each(STYLES)('%s: what YAML 1.1 takes for a line end, or not at all, is escaped', (_name, text) => {
    // go-yaml reader.go and readerc.go; the JavaScript library takes them all.
    for (const sign of ['\u0085', '\u2028', '\u2029', '\x7f', '\x9f', '\ufeff', '\ufffe']) {
      const file = scalarsOf('x.yaml', text);
      const found = file.scalars.findLast(({ address }) => address.path.join() === 'k');
      const edited = file.replaced([
        { address: found?.address ?? { document: 0, path: [] }, value: `a${sign}b` },
      ]);
      expect(edited.slice(1)).not.toContain(sign);
      expect(edited).toContain(`"a\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}b"`);
    }
  });
});
