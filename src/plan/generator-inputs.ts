import { posix } from 'node:path';
import { z } from 'zod';
import { join, normal } from './kustomize-walk.ts';
import type { Layer } from './layer.ts';
import { items, record, text } from './patch-reach.ts';
import type { YamlText } from '../edit/yaml-text.ts';

/** A generator of a kustomization that is built, and how it reads a file or holds literals. */
export interface Generator {
  readonly kind: 'ConfigMap' | 'Secret';
  /** As written, before prefixes. */
  readonly name: string;
  /** As in the cluster, without the hash that may follow. */
  readonly builtName: string;
  readonly kustomization: YamlText;
  readonly list: 'configMapGenerator' | 'secretGenerator';
  readonly index: number;
  readonly literals: readonly string[];
  readonly sources: readonly GeneratorSource[];
}

export interface GeneratorSource {
  /** From the root of the repository. */
  readonly path: string;
  /** Every line is a key of its own, or the file is the value of this key. */
  readonly as: { readonly lines: true } | { readonly key: string };
}

const generatorSchema = z
  .looseObject({
    name: z.string(),
    literals: z.array(z.string()).nullish().catch([]),
    files: z.array(z.string()).nullish().catch([]),
    envs: z.array(z.string()).nullish().catch([]),
    env: z.string().nullish().catch(undefined),
  })
  .catch({ name: '' });

const LISTS = { configMapGenerator: 'ConfigMap', secretGenerator: 'Secret' } as const;

/** All generators of the build, outermost first. */
export function generatorsOf(layer: Layer, above: readonly Layer[] = []): readonly Generator[] {
  const layers = [...above, layer];
  const { kustomization, folder } = layer;
  const data = record(kustomization?.data(0));
  const own = kustomization
    ? (['configMapGenerator', 'secretGenerator'] as const).flatMap(list =>
        items(data[list]).map((item, index): Generator => {
          const { name, literals, files, envs, env } = generatorSchema.parse(item);
          const at = (path: string): string => normal(join(folder, path));
          const lines = [...(envs ?? []), ...(env ? [env] : [])];
          return {
            kind: LISTS[list],
            name,
            builtName: layers.reduceRight(
              (inner, { namePrefix, nameSuffix }) => `${namePrefix}${inner}${nameSuffix}`,
              name,
            ),
            kustomization,
            list,
            index,
            literals: literals ?? [],
            sources: [
              ...(files ?? []).map(source => ({ ...fileSource(source, at) })),
              ...lines.map(path => ({ path: at(path), as: { lines: true } as const })),
            ],
          };
        }),
      )
    : [];
  const inner = [...layer.children, ...(layer.components ?? [])];
  return [...own, ...inner.flatMap(child => generatorsOf(child, layers))];
}

/** `key=path`, or a path whose last part is the key. */
function fileSource(source: string, at: (path: string) => string): GeneratorSource {
  const [key = '', path] = source.includes('=')
    ? [source.slice(0, source.indexOf('=')), source.slice(source.indexOf('=') + 1)]
    : [posix.basename(source), source];
  return { path: at(path), as: { key: text(key) } };
}
