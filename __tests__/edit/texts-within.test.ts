import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse, parseDocument } from 'yaml';
import { scalarsOf } from '../../src/edit/scalar-file.ts';
import { YamlText } from '../../src/edit/yaml-text.ts';

/** One image in every form that a kustomization can hold a patch in. */
const PATCHES: readonly (readonly [name: string, patch: string])[] = [
  ['literal', '|\n    - op: replace\n      path: /x\n\n      value: app:1.0 # c\n    # end'],
  ['literal, stripped', '|-\n    spec:\n      image: app:1.0'],
  ['folded JSON', '>-\n    [{"op": "replace",\n    "value": "app:1.0"}]'],
  ['double quotes', '"spec:\\n  image: \\"app:1.0\\"\\n"'],
  ['double quotes, several lines', '"spec:\\n\\\n    \\  image: app:1.0\\n"'],
  ['single quotes', `'[{"op": "it''s", "value": "app:1.0"}]'`],
  ['two deep', '|\n    data:\n      patch: |\n        spec: {image: app:1.0}\n      "x": "y"'],
];

const VALUE = fc.oneof(
  fc.constantFrom(
    'app:2.0',
    '20240101_1',
    'on',
    "it's",
    '"q"',
    'a: b',
    'a #b',
    '',
    ' x',
    '{"a": 1}',
    'a\nb',
    '\\',
    'ü',
  ),
  fc.string({ maxLength: 8 }),
);

describe('a value within a text that a file holds', () => {
  it.each(PATCHES)('%s', (_name, patch) => {
    const text = `# c\npatches:\n- target: {kind: Deployment}\n  patch: ${patch}\n- path: other.yaml\n`;
    const file = scalarsOf('kustomization.yaml', text);
    const found = file.scalars.filter(({ value }) => value === 'app:1.0');
    expect(found).toHaveLength(1);
    const [scalar] = found;
    if (!scalar) return;
    const line = text.split('\n')[scalar.line - 1]?.slice(scalar.column - 1) ?? '';
    expect(line).toMatch(/^(?:\\?")?app:1\.0/);
    fc.assert(
      fc.property(VALUE, value => {
        const edited = file.replaced([{ address: scalar.address, value }]);
        const again = scalarsOf('kustomization.yaml', edited);
        const key = JSON.stringify(scalar.address);
        expect(again.scalars.find(({ address }) => JSON.stringify(address) === key)?.value).toBe(value);
        expect(edited.startsWith('# c\npatches:\n- target: {kind: Deployment}\n  patch: ')).toBe(true);
        expect(edited.endsWith('\n- path: other.yaml\n')).toBe(true);
        expect(parse(edited)).toEqual(parse(edited, { version: '1.1' }));
      }),
    );
    // As it would be changed by hand.
    expect(file.replaced([{ address: scalar.address, value: 'app:2.0' }])).toBe(
      text.replace('app:1.0', 'app:2.0'),
    );
  });

  it('many at once, each where it is', () => {
    const text = PATCHES.map(([, patch]) => `- patch: ${patch}\n`).join('');
    const file = scalarsOf('x.yaml', text);
    const all = file.scalars.filter(({ value }) => value === 'app:1.0');
    const edited = file.replaced(all.map(({ address }, index) => ({ address, value: `dye:${index}` })));
    let count = 0;
    expect(edited).toBe(text.replaceAll('app:1.0', () => `dye:${count++}`));
  });
});

describe('lines KEY=value', () => {
  it.each([
    ['a.env', '# c\nA=1 \nK=old\r\n  B="x"=y\n', '# c\nA=1 \nK=new\r\n  B="x"=y\n', 'old'],
    ['settings.txt', 'A=1\nK="old"\n', 'A=1\nK=new\n', '"old"'],
    ['a.properties', '! K=x\nK : one, \\\n   two\\u0041\nL = x\n', '! K=x\nK : new\nL = x\n', 'one, twoA'],
    ['b.properties', '# c \\\nK=old\\\\\nL=1', '# c \\\nK=new\nL=1', 'old\\'],
    ['c.properties', 'a\\=b=1\nK old', 'a\\=b=1\nK new', 'old'],
    ['d.properties', '\ufeffK=\n', '\ufeffK=new\n', ''],
    ['e.properties', 'K = \\\n  old\n', 'K = \\\n  new\n', 'old'],
  ])('%s %j', (path, text, wanted, old) => {
    const file = scalarsOf(path, text);
    const address = { document: 0, path: ['K'] };
    const found = file.scalars.find(scalar => scalar.address.path[0] === 'K');
    expect(found?.value).toBe(old);
    expect(file.replaced([{ address, value: 'new' }])).toBe(wanted);
    fc.assert(
      fc.property(fc.string({ maxLength: 8 }), value => {
        const again = scalarsOf(path, file.replaced([{ address, value }]));
        expect(again.scalars.map(each => each.address)).toEqual(file.scalars.map(each => each.address));
        expect(again.scalars.find(scalar => scalar.address.path[0] === 'K')?.value).toBe(value);
      }),
    );
  });

  it('hold one line: the value is to blame, not the file', () => {
    const replace = () =>
      scalarsOf('a.env', 'K=1\n').replaced([{ address: { document: 0, path: ['K'] }, value: 'a\nb' }]);
    expect(replace).toThrow('The value given for K has several lines');
  });

  it('in Java’s properties, several lines are escaped', () => {
    const text = scalarsOf('a.properties', 'K=1\n').replaced([
      { address: { document: 0, path: ['K'] }, value: ' a\nb\\' },
    ]);
    expect(text).toBe('K=\\ a\\nb\\\\\n');
  });
});

describe('files that are no YAML', () => {
  it.each([
    ['a.toml', 'a = "b"\n', 'it is TOML, which is not edited'],
    ['chart.yaml', 'a: {{ .x }}: {{- y }}\n b\n', 'it is no YAML that we can read: line 1'],
    ['a.yaml', 'a: b\n'.repeat(600_000), 'it is larger than 2 MB'],
    ['a.yaml', `a:\n  b: ${'['.repeat(20_000)}${']'.repeat(20_000)}\n`, 'it is nested too deeply'],
    ['a.yaml', `a: 1\nb:\n  ${'- '.repeat(20_000)}x\n`, 'it is nested too deeply'],
    ['a.png', 'PNG\0\n', 'it is no text'],
  ])('%s is not edited, and says why', (path, text, words) => {
    const start = performance.now();
    const file = scalarsOf(path, text);
    expect(file.scalars).toEqual([]);
    expect(file.unread).toContain(words);
    expect(() => file.replaced([{ address: { document: 0, path: ['a'] }, value: 'x' }])).toThrow(
      `${path} cannot be edited: ${words}`,
    );
    expect(performance.now() - start).toBeLessThan(5000);
  });

  it('never throws, and edits nothing else, whatever the text', () => {
    const parts = fc.constantFrom(
      'a: ',
      '- ',
      '"',
      "'",
      '|\n',
      '>\n',
      ' ',
      '\n',
      '{',
      '}',
      '[',
      '&x ',
      '*x',
      '<<: ',
      '#',
      'b',
      '=',
      '\\',
      '\t',
      '? ',
      '---\n',
      '!!str ',
      '\r\n',
    );
    fc.assert(
      fc.property(
        fc.array(parts, { maxLength: 14 }),
        fc.constantFrom('x.yaml', 'x.json', 'x.env', 'x.properties', 'x'),
        (pieces, path) => {
          const text = pieces.join('');
          const { scalars, replaced } = scalarsOf(path, text);
          const before = scalars.filter(({ address }) => !address.within);
          for (const { address } of before.slice(0, 3)) {
            const after = scalarsOf(path, replaced([{ address, value: 'new-1' }])).scalars;
            const same = after.filter(each => JSON.stringify(each.address) === JSON.stringify(address));
            expect(same.map(({ value }) => value)).toContain('new-1');
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('one value', () => {
    const file = scalarsOf('VERSION', '1.2.3\r\n');
    expect(file.scalars).toMatchObject([{ value: '1.2.3', line: 1, column: 1 }]);
    expect(file.replaced([{ address: { document: 0, path: [] }, value: '1.3.0' }])).toBe('1.3.0\r\n');
  });

  it('an alias bomb has the scalars that it writes out', () => {
    const lists = Array.from(
      { length: 30 },
      (_each, index) =>
        `b${index}: &b${index} [${Array(9)
          .fill(`*b${index - 1}`)
          .join(', ')}]\n`,
    );
    expect(scalarsOf('x.yaml', `${['b0: &b0 [x]\n', ...lists.slice(1)].join('')}`).scalars).toHaveLength(1);
  });
});

describe('text that is put in', () => {
  it.each([
    ['env:\n- name: A\n  # c\n- name: B\n', 'env:\n- name: A\n  value: "20240101_1"\n  # c\n- name: B\n'],
    ['env:\n- name: A # c\n', 'env:\n- name: A # c\n  value: "20240101_1"\n'],
    ['env:\n- {name: A}\n', 'env:\n- {name: A, value: "20240101_1"}\n'],
    ['env:\n- name: A\n  value:\n', 'env:\n- name: A\n  value: "20240101_1"\n'],
    ['env:\n- name: A\n  value: null # c\n', 'env:\n- name: A\n  value: "20240101_1" # c\n'],
    ['{"env": [{"name": "A"}]}', '{"env": [{"name": "A", "value": "20240101_1"}]}'],
    ['env:\r\n- name: A\r\n', 'env:\r\n- name: A\r\n  value: "20240101_1"\r\n'],
  ])('an env entry without value: %j', (text, wanted) => {
    expect(new YamlText('x.yaml', text).set(0, ['env', 0, 'value'], '20240101_1').text).toBe(wanted);
  });

  it('is quoted as YAML 1.1 needs it, at every depth', () => {
    fc.assert(
      fc.property(
        fc.oneof(VALUE, fc.constantFrom('1_000', 'y', '0o7', '1:30', '2024-01-01', '\u2028')),
        value => {
          const wanted = { name: value, list: [{ on: value }], [value === '' ? 'x' : value]: 1 };
          for (const base of ['a: 1\n', '{a: 1}\n', '{"a": 1}\n', 'a: 1\r\n']) {
            const edited = new YamlText('x.yaml', base).set(0, ['b'], wanted).text;
            for (const version of ['1.1', '1.2'] as const) {
              const document = parseDocument(edited, { version });
              expect(document.errors).toEqual([]);
              expect(document.toJS()).toEqual({ a: 1, b: wanted });
            }
            if (base.includes('"')) expect(JSON.parse(edited)).toEqual({ a: 1, b: wanted });
          }
        },
      ),
    );
  });
});
