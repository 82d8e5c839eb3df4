import { describe, expect, it } from 'vitest';
import { secretLines } from '../../src/secrets/secret-lines.ts';

/** The text as it would be shown. */
function shown(text: string): string {
  const { lines } = secretLines(text);
  if (lines === 'all') return 'nothing';
  return text
    .split('\n')
    .filter((_, index) => !lines.has(index + 1))
    .join('\n');
}

const SECRET = 'hunter2';
const base64 = Buffer.from(SECRET).toString('base64');

/** Each holds a secret, and lines that may be seen: those with `public`. */
const TEXTS: Readonly<Record<string, string>> = {
  'a file of operations': `- {op: add, path: /data/a, value: ${SECRET}}\n`,
  'a Secret beside another document': `kind: Deployment\nname: public\n---\nkind: Secret\nstringData: {a: ${SECRET}}\n---\nkind: ConfigMap\nname: public\n`,
  'remarks around it': `name: public\n---\n# ${SECRET}\nkind: Secret\n# ${SECRET}\n---\nname: public\n`,
  'remarks before its document': `name: public\n# ${SECRET}\n---\nkind: Secret\n`,
  'data as base64': `name: public\n---\nkind: Secret\ndata:\n  a: ${base64}\n`,
  'an annotation of kubectl': `name: public\n---\nkind: Secret\nmetadata: {annotations: {last: '{"data":{"a":"${SECRET}"}}'}}\n`,
  'a List': `kind: List\nname: public\nitems:\n- kind: Secret\n  data:\n    a: ${SECRET}\n- kind: ConfigMap\n  name: public\n`,
  'a kind in an escape': `name: public\n---\nkind: "\\x53ecret"\nstringData: {a: ${SECRET}}\n`,
  'a kind that is an alias': `x: &k Secret\nname: public\ny: {kind: *k, data: {a: ${SECRET}}}\n`,
  'a kind that is merged in': `x: &k {kind: Secret}\nname: public\ny:\n  <<: *k\n  data: {a: ${SECRET}}\n`,
  'a kind twice': `name: public\n---\nkind: ConfigMap\nkind: Secret\ndata: {a: ${SECRET}}\n`,
  'content that is written somewhere else': `x: &d {a: ${SECRET}}\nname: public\ny: {kind: Secret, data: *d}\n`,
  'a secretGenerator': `name: public\nsecretGenerator:\n- name: a\n  literals:\n  - a=${SECRET}\n# ${SECRET}\nimages: [public]\n`,
  'a secretGenerator in another case': `name: public\nSECRETGENERATOR:\n- literals: ["a=${SECRET}"]\n`,
  'a secretGenerator that is merged in': `x: &g\n  secretGenerator: [{literals: ["a=${SECRET}"]}]\nname: public\n<<: *g\n`,
  'a generator of its own file': `name: public\n---\nkind: SecretGenerator\nliterals: ["a=${SECRET}"]\n`,
  'an inline generator': `name: public\ngenerators:\n- |\n  kind: SecretGenerator\n  literals: ["a=${SECRET}"]\nlast: public\n`,
  'an inline patch': `name: public\npatches:\n- patch: |\n    kind: Secret\n    stringData: {a: ${SECRET}}\n- path: public\n`,
  'an inline patch of JSON': `name: public\npatches:\n- patch: '{"kind": "Secret", "data": {"a": "${SECRET}"}}'\n- path: public\n`,
  'operations on a Secret': `name: public\npatches:\n- target: {kind: Secret}\n  patch: |-\n    - {op: add, path: /data/a, value: ${SECRET}}\n- path: public\n`,
  'operations on what a pattern means': `name: public\npatches:\n- target: {kind: "Sec.*|ConfigMap"}\n  patch: |-\n    - {op: add, path: /x, value: ${SECRET}}\n`,
  'operations on data of who knows what': `name: public\npatches:\n- target: {name: creds}\n  patch: |-\n    - {op: add, path: /data/a, value: ${SECRET}}\n`,
  'a patch in a Kustomization of Flux': `kind: Kustomization\nname: public\nspec:\n  patches:\n  - target: {kind: Secret}\n    patch: |\n      - {op: add, path: /data/a, value: ${SECRET}}\n`,
  'a Secret in a text in a text': `name: public\na: |\n  b: |\n    kind: Secret\n    data: {a: ${SECRET}}\nlast: public\n`,
};

describe('what of a text is secret', () => {
  it.for(Object.entries(TEXTS))('%s', ([, text]) => {
    const publicLines = text.split('\n').filter(line => line.includes('public'));
    expect(shown(text)).not.toContain(SECRET);
    expect(shown(text)).not.toContain(base64);
    for (const line of publicLines) expect(shown(text)).toContain(line);
  });

  it.for(Object.entries(TEXTS).filter(([, text]) => !/# hunter2|^- \{op/.test(text)))(
    'its value is known, whoever says it: %s',
    ([, text]) => expect(secretLines(text).values).toContain(SECRET),
  );

  it.for([
    `a: [${SECRET}\n`,
    `kind: Secret\n\tdata: ${SECRET}\n`,
    `a: ${SECRET}\n---\n}\n`,
    `password: ENC[AES256_GCM,data:x]\nother: ${SECRET}\n`,
    `kind: Deployment\nname: ${SECRET}\nsops: {mac: x}\n`,
    `KEY=${SECRET}\nsops_mac=x\n`,
  ])('of what cannot be told apart nothing is shown: %j', text => expect(shown(text)).toBe('nothing'));

  it.for([
    'kind: ConfigMap\ndata:\n  a: b\n',
    'kind: Deployment\nspec: {env: [{valueFrom: {secretKeyRef: {name: a, key: b}}}]}\n',
    'kind: SealedSecret\nspec: {encryptedData: {a: b}}\n',
    'kind: HelmRelease\nspec: {values: {password: b}}\n',
    'patches:\n- target: {kind: Deployment}\n  patch: |-\n    - {op: add, path: /spec/a, value: b}\n',
    'configMapGenerator:\n- literals: [a=b]\n',
    '# a Secret is in another file\nkind: Deployment\n',
  ])('is shown: %j', text => expect(shown(text)).toBe(text));

  it('names the files that a Secret is made of, in every spelling', () => {
    const { feeds } = secretLines(
      'SecretGenerator:\n- {name: a, files: [a.txt, k=./b.txt], envs: [c.env], env: d.env}\nconfigMapGenerator:\n- {files: [e.txt]}\npatches:\n- {target: {kind: Secret}, path: f.yaml}\n',
    );
    expect(feeds.secrets).toEqual(expect.arrayContaining(['a.txt', './b.txt', 'c.env', 'd.env', 'f.yaml']));
    expect(feeds.secrets).not.toContain('e.txt');
    expect(feeds.configs).toContain('e.txt');
  });

  it('says nothing of its own, whatever it is given', () => {
    const bomb = `a: &a [x,x]\n${'bcdefghijk'
      .split('')
      .map(
        (name, index) =>
          `${name}: &${name} [${Array.from({ length: 9 }, () => `*${'abcdefghijk'[index]}`).join(',')}]`,
      )
      .join('\n')}\nkind: Secret\ndata: *k\n`;
    const began = performance.now();
    for (const text of [
      '',
      '\u0000',
      '[',
      'a: *b',
      bomb,
      '{'.repeat(5_000),
      '&a [*a]',
      'kind: Secret\ndata: &a {b: *a}\n',
      'a: &a {<<: *a, kind: *a}\n',
      '['.repeat(30_000) + ']'.repeat(30_000),
      `${'a: {'.repeat(3_000)}${'}'.repeat(3_000)}`,
    ])
      expect(() => secretLines(text)).not.toThrow();
    expect(performance.now() - began).toBeLessThan(20_000);
  });
});
