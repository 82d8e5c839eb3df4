import { describe, expect, it } from 'vitest';
import { YamlText } from '../../src/edit/yaml-text.ts';

const LIST = `spec:
  patches:
  - target: {kind: Deployment}
    patch: |
      - op: replace
        value: a
      # end of it
  prune: true
`;
const ENTRY = `  - target:
      kind: Deployment
      name: face
    patch: |
      a: 1
      b: 2
`;

function appended(text: string): string {
  const entry = { target: { kind: 'Deployment', name: 'face' }, patch: 'a: 1\nb: 2\n' };
  return new YamlText('x.yaml', text).append(0, ['spec', 'patches'], entry).text;
}

describe('a list whose last item ends in a block of lines', () => {
  it('takes another item right after it', () => {
    expect(appended(LIST)).toBe(LIST.replace('  prune', `${ENTRY}  prune`));
  });

  it('takes one at the end of the file, and of a document', () => {
    const last = LIST.replace('  prune: true\n', '');
    expect(appended(last)).toBe(`${last}${ENTRY}`);
    expect(appended(last.trimEnd())).toBe(`${last}${ENTRY}`);
    expect(appended(`${last}---\na: 1\n`)).toBe(`${last}${ENTRY}---\na: 1\n`);
  });

  it('is followed by a key of the map around it', () => {
    const last = LIST.replace('  prune: true\n', '');
    const images = new YamlText('x.yaml', last).append(0, ['spec', 'images'], 'b');
    expect(images.text).toBe(`${last}  images:\n  - b\n`);
  });
});

describe('a block of lines', () => {
  const path = ['spec', 'patches', 0, 'patch'];

  it('keeps the bytes of the lines that stay', () => {
    const odd = LIST.replace('        value: a\n', '        value: a  \n  \n\n      # two blanks above\n');
    const file = new YamlText('x.yaml', odd);
    const node = file.node(0, path);
    const inner = node && 'value' in node ? String(node.value) : '';
    expect(file.setString(0, path, inner.replace('# two', '# 2')).text).toBe(odd.replace('# two', '# 2'));
    expect(file.setString(0, path, inner).text).toBe(odd);
  });

  it('keeps its line ends and what is said of its last ones', () => {
    for (const sign of ['|', '|-', '|+', '|2-']) {
      const text = LIST.replace('|', sign).replaceAll('\n', '\r\n');
      const file = new YamlText('x.yaml', text);
      const node = file.node(0, path);
      const inner = node && 'value' in node ? String(node.value) : '';
      expect(file.setString(0, path, inner.replace('value: a', 'value: b')).text).toBe(
        text.replace('value: a', 'value: b'),
      );
    }
  });
});
