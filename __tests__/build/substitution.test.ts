import { afterAll, describe, expect, test } from 'vitest';
import type { VariableSource } from '../../src/build/tree-builder.ts';
import { build, builder, built, configMap } from './building.ts';

afterAll(() => builder.close());

async function value(text: string, postBuild: unknown, substituteFrom: readonly VariableSource[] = []) {
  const result = await built(
    { 'apps/c.yaml': configMap('c', { v: text }) },
    { path: './apps', postBuild },
    { substituteFrom },
  );
  const data = result.objects[0]?.data['data'];
  const unknown = result.unknownVariables;
  return { v: typeof data === 'object' && data !== null ? Reflect.get(data, 'v') : undefined, unknown };
}

const from = (kind: string, name: string, more = {}) => ({ kind, name, ...more });
const config = (name: string, data: Record<string, string>): VariableSource => ({
  kind: 'ConfigMap',
  name,
  content: { kind: 'data', data },
});

describe('variables', () => {
  test.each([
    [`x-\${tag}`, 'x-1.0.0'],
    [`\${other:=fallback}`, 'fallback'],
    // Flux substitutes in the text and parses it again: what is empty is null, and 1.0 is a number.
    [`\${other}`, null],
    [`\${tag/1.0/2.0}`, '2.0.0'],
    [`\${tag:0:3}`, 1],
    [`$\${tag}`, `\${tag}`],
    ['$tag', '$tag'],
  ])('%s', async (text, expected) => {
    expect(await value(text, { substitute: { tag: '1.0.0' } })).toEqual({ v: expected, unknown: [] });
  });

  test('stay as they are without postBuild, and without any variable', async () => {
    expect((await value(`\${tag:=1}`, undefined)).v).toBe(`\${tag:=1}`);
    expect((await value(`\${tag:=1}`, {})).v).toBe(`\${tag:=1}`);
    expect((await value(`\${tag:=1}`, { substituteStrategy: 'Always' })).v).toBe(1);
  });

  test('become what YAML makes of them', async () => {
    const tree = {
      'apps/d.yaml': `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec:\n  replicas: \${replicas}\n  paused: \${paused}\n`,
    };
    const { objects } = await built(tree, {
      path: './apps',
      postBuild: { substitute: { replicas: '3', paused: 'yes' } },
    });
    expect(objects[0]?.data).toMatchObject({ spec: { replicas: 3, paused: true } });
  });

  test('not in an object that is marked', async () => {
    const marked = JSON.parse(configMap('c', { v: `\${tag}` }));
    marked.metadata.annotations = { 'kustomize.toolkit.fluxcd.io/substitute': 'disabled' };
    const { objects } = await built(
      { 'apps/c.yaml': JSON.stringify(marked) },
      { path: './apps', postBuild: { substitute: { tag: '1' } } },
    );
    expect(objects[0]?.data).toMatchObject({ data: { v: `\${tag}` } });
  });

  test('with a name that cannot be one', async () => {
    const tree = { 'apps/c.yaml': configMap('c') };
    const result = await build(tree, { path: './apps', postBuild: { substitute: { 'a-b': '1' } } });
    expect(result).toMatchObject({
      kind: 'broken',
      words: expect.stringContaining("'a-b' var name is invalid"),
    });
  });

  test('that nothing sets are named, or refused where the controller is strict', async () => {
    const text = `\${gone} \${away:=1} \${far^^} \${tag}`;
    const tree = { 'apps/c.yaml': configMap('c', { v: text }) };
    const spec = { path: './apps', postBuild: { substitute: { tag: '1' } } };
    expect((await built(tree, spec)).unsetVariables).toEqual(['far', 'gone']);
    expect((await built(tree, { path: './apps' })).unsetVariables).toEqual([]);
    expect(await build(tree, spec, { strictSubstitution: true })).toMatchObject({
      kind: 'broken',
      words: expect.stringContaining('variable not set (strict mode): "gone"'),
    });
  });
});

describe('substituteFrom', () => {
  const both = { substituteFrom: [from('ConfigMap', 'one'), from('Secret', 'two')] };

  test('the later source wins, and what is written in the Kustomization wins over all', async () => {
    const sources = [
      config('one', { a: '1', b: '1', c: '1\n' }),
      { ...config('two', { b: '2' }), kind: 'Secret' } as const,
    ];
    expect((await value(`\${a} \${b} \${c}`, { ...both, substitute: { a: '0' } }, sources)).v).toBe('0 2 1');
  });

  test('of a source that nobody could read, variables stay, and are named', async () => {
    const found = await value(`\${a} \${secret} \${b:=2}`, both, [config('one', { a: '1' })]);
    expect(found).toEqual({ v: `1 \${secret} \${b}`, unknown: ['b', 'secret'] });
  });

  test('of an encrypted one, its own names are unknown, and no others', async () => {
    const source = { kind: 'Secret', name: 'two', content: { kind: 'keys', keys: ['secret'] } } as const;
    const found = await value(`\${a} \${secret} \${b:=2}`, both, [config('one', { a: '1' }), source]);
    expect(found).toEqual({ v: `1 \${secret} 2`, unknown: ['secret'] });
  });

  test('a source that is missing', async () => {
    const gone = { kind: 'ConfigMap', name: 'one', content: { kind: 'absent' } } as const;
    const tree = { 'apps/c.yaml': configMap('c') };
    const required = { path: './apps', postBuild: { substituteFrom: [from('ConfigMap', 'one')] } };
    const optional = {
      path: './apps',
      postBuild: { substituteFrom: [from('ConfigMap', 'one', { optional: true })] },
    };
    expect(await build(tree, required, { substituteFrom: [gone] })).toMatchObject({
      kind: 'broken',
      words: expect.stringContaining('ConfigMap/one'),
    });
    expect((await build(tree, optional, { substituteFrom: [gone] })).kind).toBe('built');
  });
});
