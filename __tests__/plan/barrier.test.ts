import { describe, expect, test } from 'vitest';
import { BARRIER, withBarrier, withoutBarrier } from '../../src/plan/canary/barrier.ts';
import { YamlText } from '../../src/edit/yaml-text.ts';

const HEAD = `apiVersion: flagger.app/v1beta1
kind: Canary
metadata: {name: podinfo}
spec:
`;

const SHAPES: Readonly<Record<string, string>> = {
  'no webhooks': `${HEAD}  analysis:
    interval: 10s # often
    threshold: 2
  service: {port: 80}
`,
  'webhooks in a block': `${HEAD}  analysis:
    webhooks:
      - name: load
        url: http://load
        # remark of a colleague
    threshold: 2
`,
  'webhooks in a block without indentation, last in the file': `${HEAD}  analysis:
    threshold: 2
    webhooks:
    - name: load
      url: http://load`,
  'webhooks in a flow list': `${HEAD}  analysis: {threshold: 2, webhooks: [{name: load, url: "http://load"}]}
`,
  'analysis in a flow map': `${HEAD}  analysis: {threshold: 2, stepWeight: 10}
`,
  'the old name of the field': `${HEAD}  canaryAnalysis:
    threshold: 2
`,
  'Windows line ends': `${HEAD}  analysis:
    threshold: 2
    webhooks:
    - name: load
      url: http://load
`.replaceAll('\n', '\r\n'),
};

describe('the barrier of several canaries', () => {
  test.each(Object.entries(SHAPES))('is put in and taken out again: %s', (_, text) => {
    const raised = withBarrier(new YamlText('canary.yaml', text), 0);
    const analysis = Object.values(
      (raised.data(0) as { spec: Record<string, { webhooks?: unknown[] }> }).spec,
    ).find(({ webhooks }) => webhooks);
    expect(analysis?.webhooks?.at(-1)).toEqual(BARRIER);
    expect(withBarrier(raised, 0).text).toBe(raised.text);
    expect(withoutBarrier('canary.yaml', raised.text).replace(/\n$/, '')).toBe(text.replace(/\n$/, ''));
  });

  test('is taken out of each document, and other files stay as they are', () => {
    const one = withBarrier(new YamlText('canary.yaml', SHAPES['no webhooks'] ?? ''), 0).text;
    const two = `${one}---\n${one}`;
    expect(withoutBarrier('canary.yaml', two)).toBe(`${SHAPES['no webhooks']}---\n${SHAPES['no webhooks']}`);
    expect(withoutBarrier('other.yaml', 'not: [yaml')).toBe('not: [yaml');
  });
});
