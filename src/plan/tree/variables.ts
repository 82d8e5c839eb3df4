import { record, text } from '../../build/json.ts';
import type { BuiltObject, VariableSource } from '../../build/tree-builder.ts';

/** What a ConfigMap or Secret gives to postBuild.substituteFrom, as far as the tree says. */
export function variablesIn({ kind, name, data }: BuiltObject): readonly VariableSource[] {
  const strings = (map: unknown, decode: (value: string) => string) =>
    Object.entries(record(map)).map(([key, value]) => [key, decode(text(value))] as const);
  if (kind === 'ConfigMap') {
    return [
      {
        kind,
        name,
        content: { kind: 'data', data: Object.fromEntries(strings(data['data'], each => each)) },
      },
    ];
  }
  if (kind !== 'Secret') return [];
  const all = [
    ...strings(data['data'], each => Buffer.from(each, 'base64').toString()),
    ...strings(data['stringData'], each => each),
  ];
  return 'sops' in data
    ? [{ kind, name, content: { kind: 'keys', keys: all.map(([key]) => key) } }]
    : [{ kind, name, content: { kind: 'data', data: Object.fromEntries(all) } }];
}
