import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { SCHEMAS } from '../../scripts/schemas.ts';
import { formatProblems } from '../../src/config/problem-text.ts';
import { parseRolloutFile } from '../../src/config/rollout-file.ts';
import type { Inputs } from '../../src/config/settings.ts';

const LEAST =
  'gitops: {repository: acme/fleet}\ntarget: [prod/frontend]\nchange: [{image: ghcr.io/acme/shop}]\n';
const MOST = `name: shop
gitops: {repository: acme/fleet, branch: main}
target: [prod/frontend, DaemonSet prod/agent]
via: flux-system/apps
change:
- image: ghcr.io/acme/shop
  in: [prod/frontend]
- env: ERROR_FRACTION
  container: main
  value: 1.10
- at: {file: apps/flags.yaml, object: ConfigMap/flags, path: 'data["app.checkout"]'}
  name: checkout
write: overlay
image-automation: refuse
canary:
  prod/frontend:
    file: apps/shop/canary.yaml
    provider: nginx
    ingressRef: {name: frontend}
    service: {port: 9898}
    analysis: {interval: 30s, threshold: 5, stepWeight: 5, maxWeight: 50}
    metrics:
    - {name: request-success-rate, min: 99}
    - {name: checkout-errors, max: 1, provider: {type: datadog, secretRef: datadog}, query: "x"}
    alerts:
    - {type: slack, channel: deploys, secretRef: slack, severity: error}
`;

function parsed(text: string, set: Inputs['set'] = []) {
  const result = parseRolloutFile(text, { file: 'rollout.yaml', set });
  if ('problems' in result) throw new Error(formatProblems(result.problems));
  return result.rollout;
}

function problems(text: string, set: Inputs['set'] = []): string {
  const result = parseRolloutFile(text, { file: 'rollout.yaml', set });
  return 'problems' in result ? formatProblems(result.problems) : '';
}

describe('rollout.yaml', () => {
  it.each([
    ['6.14.1', { version: '6.14.1' }],
    [`sha256:${'d'.repeat(64)}`, { version: `sha256:${'d'.repeat(64)}` }],
    ['ghcr.io/acme/shop:6.14.1', { version: '6.14.1' }],
    [`ghcr.io/acme/shop:1@sha256:${'d'.repeat(64)}`, { version: `1@sha256:${'d'.repeat(64)}` }],
  ])('takes its least form, the value from set: image=%s', (value, expected) => {
    const { changes, name } = parsed(LEAST, [{ name: 'image', value }]);
    expect(name).toBe('frontend');
    expect(changes[0]).toMatchObject({ kind: 'image', repository: 'ghcr.io/acme/shop', ...expected });
  });

  it('takes one version of a chart, and no range', () => {
    const file = LEAST.replace('image: ghcr.io/acme/shop', 'chart: shop');
    expect(parsed(file, [{ name: 'chart', value: '1.2.3' }]).changes).toMatchObject([
      { kind: 'chart', chart: 'shop', version: '1.2.3', in: ['prod/frontend'] },
    ]);
    for (const value of ['^1.0', '1.x', '>=1.0.0', '*']) {
      expect(problems(file, [{ name: 'shop', value }])).toContain(`Found: ${value}. Allowed: one version`);
    }
    expect(parsed(`${LEAST}id-path: pod.annotations\n`, [{ name: 'image', value: '1' }]).idPath).toEqual([
      'pod',
      'annotations',
    ]);
  });

  it('takes its most, values as they are written', () => {
    const rollout = parsed(MOST, [
      { name: 'shop', value: '2' },
      { name: 'checkout', value: 'on' },
    ]);
    expect(rollout.changes).toMatchObject([
      { kind: 'image', version: '2', in: ['prod/frontend'] },
      { kind: 'env', env: 'ERROR_FRACTION', value: '1.10', container: 'main' },
      {
        kind: 'field',
        path: ['data', 'app.checkout'],
        value: 'on',
        object: { kind: 'ConfigMap', name: 'flags' },
      },
    ]);
    expect(rollout.via).toMatchObject({ namespace: 'flux-system', name: 'apps' });
    expect(rollout.canaries[0]).toMatchObject({ target: 'prod/frontend', file: 'apps/shop/canary.yaml' });
  });

  it('a file without an object is what a generator reads', () => {
    const yaml = 'target: [prod/x]\nchange: [{at: {file: ./apps/x.env, path: CHECKOUT}, value: new}]\n';
    expect(parsed(yaml).changes).toMatchObject([
      { kind: 'input', file: 'apps/x.env', path: ['CHECKOUT'], name: 'CHECKOUT', value: 'new' },
    ]);
  });

  it.each([
    ['', 'rollout.yaml:1:1: rollout.yaml: The file is empty.'],
    ['target: [prod/x]\n', 'change is missing'],
    ['target: [prod]\nchange: [{image: "a:1"}]\n', 'rollout.yaml:1:10: target[0]'],
    [
      'target: [prod/x]\nchange:\n- {image: "a:1", emv: 3}\n',
      'rollout.yaml:3:18: change[0].emv: There is no field emv in change[0]. Is env meant?',
    ],
    ['target: [prod/x]\nchange:\n- {image: "a:1", env: B}\n', 'A change changes one thing.'],
    ['target: [prod/x, prod/x]\nchange: [{image: "a:1"}]\n', 'prod/x is named twice'],
    ['target: [prod/x]\nchange: [{env: A, value: 1, in: prod/y}]\n', 'prod/y is no target of this rollout.'],
    ['target: [prod/x]\nchange: [{env: A}]\n', 'Allowed: value: … here, or set: A=… in the step.'],
    [
      'target: [prod/x]\nchange: [{image: "a:1"}]\ncanary: {prod/y: {}}\n',
      'rollout.yaml:3:10: canary.prod/y',
    ],
    ['target: [a/b\nchange: x', 'A bracket that was opened before it is not closed.'],
    ['a: 1\n---\nb: 2\n', 'Found: several documents.'],
    ['target: [prod/x]\ntarget: [prod/y]\nchange: [{image: "a:1"}]\n', 'rollout.yaml:2:1'],
    [
      'target: [prod/x]\nchange: [{image: "a:1"}]\nimage-automation: ignore\n',
      'Allowed: refuse, suspend, follow.',
    ],
    [
      'target: [prod/x]\nchange: [{image: "a:1"}]\ncanary: {__proto__: {}}\n',
      'rollout.yaml:3:10: __proto__: No field can be named __proto__.',
    ],
    [
      'target: [prod/x]\nchange: [{image: "a:1"}]\ncanary:\n  prod/x:\n    service: {"__proto__": {port: 1}}\n',
      'rollout.yaml:5:15: __proto__',
    ],
    [
      'target: [prod/x]\nchange: [{image: "a:1", name: &key constructor, *key : 1}]\n',
      'rollout.yaml:2:49: constructor',
    ],
    ['? prototype\n: 1\n', 'rollout.yaml:1:3: prototype'],
  ])('says of %j: %s', (text, words) => {
    expect(problems(text)).toContain(words);
  });

  it('says which names set may use', () => {
    expect(problems(LEAST, [{ name: 'imag', value: '1' }])).toContain(
      'No change of rollout.yaml is named imag. Is image meant?',
    );
    expect(problems(LEAST, [{ name: 'image', value: 'not a version!' }])).toContain(
      'is no version of an image',
    );
  });

  it('never throws, whatever it is given', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.constant(MOST).map(text => text.slice(3)),
        ),
        text => {
          expect(parseRolloutFile(text, { file: 'f', set: [] })).toBeDefined();
        },
      ),
    );
  });
});

describe('the published schemas', () => {
  it.each(Object.keys(SCHEMAS))('%s is what the code says (npm run schemas)', file => {
    expect(readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8')).toBe(SCHEMAS[file]);
  });

  it('take the same files as the parser', () => {
    const validate = new Ajv({ strict: false }).compile(
      JSON.parse(SCHEMAS['schema/rollout.schema.json'] ?? '{}'),
    );
    expect(validate(parse(LEAST))).toBe(true);
    expect(validate(parse(MOST))).toBe(true);
    expect(validate(parse('target: [prod]\nchange: [{image: a}]'))).toBe(false);
    expect(validate(parse('target: [prod/x]\nchnge: []'))).toBe(false);
  });
});
