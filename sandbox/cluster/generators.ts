import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isFields, listAt, textAt } from './kube-object.ts';
import type { Wanted } from './object-store.ts';

/** kustomize's configMapGenerator and secretGenerator: names get a hash of the content, and what refers to them follows. */
export function withGenerated(
  objects: readonly Wanted[],
  kustomization: unknown,
  folder: string,
): readonly Wanted[] {
  const generators = (['ConfigMap', 'Secret'] as const).flatMap(kind =>
    listAt(kustomization, kind === 'Secret' ? 'secretGenerator' : 'configMapGenerator').map(generator => ({
      kind,
      generator,
    })),
  );
  const made = generators.map(({ kind, generator }) => {
    const data = Object.fromEntries([
      ...listAt(generator, 'literals').map(literal => pair(String(literal))),
      ...listAt(generator, 'files').map(file => {
        const [key, path] = String(file).includes('=')
          ? pair(String(file))
          : [basename(String(file)), String(file)];
        return [key, readFileSync(join(folder, path), 'utf8')] as const;
      }),
      ...listAt(generator, 'envs').flatMap(file =>
        readFileSync(join(folder, String(file)), 'utf8')
          .split(/\r?\n/)
          .filter(line => line.trim() !== '' && !line.startsWith('#'))
          .map(pair),
      ),
    ]);
    const hash = createHash('sha256').update(JSON.stringify(data)).digest('hex').slice(0, 10);
    const name = textAt(generator, 'name');
    return { name, object: { apiVersion: 'v1', kind, metadata: { name: `${name}-${hash}` }, data } };
  });
  const names = new Map(made.map(({ name, object }) => [name, object.metadata.name]));
  const referring = objects.map(object => ({ ...object, ...renamed({ spec: object['spec'] }, names) }));
  return [...referring, ...made.map(({ object }) => object)];
}

function pair(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  return [text.slice(0, at), text.slice(at + 1)];
}

const REFERENCES = ['configMapRef', 'configMapKeyRef', 'configMap', 'secretRef', 'secretKeyRef', 'secret'];

function renamed(value: Readonly<Record<string, unknown>>, names: ReadonlyMap<string, string>): object {
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .map(([key, item]) => {
        const name = names.get(textAt(item, 'name'));
        if (REFERENCES.includes(key) && isFields(item) && name !== undefined) return [key, { ...item, name }];
        return [key, inside(item, names)];
      }),
  );
}

function inside(value: unknown, names: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => inside(item, names));
  return isFields(value) ? renamed(value, names) : value;
}
