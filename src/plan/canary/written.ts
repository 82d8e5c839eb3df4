import type { BuiltObject } from '../../build/tree-builder.ts';
import type { YamlPath } from '../../edit/yaml-text.ts';
import type { FluxTree } from '../tree/flux-tree.ts';
import { type Manifest, manifestOf } from '../tree/manifests.ts';

/** An object as it is built, and where it is written, if a file of the repository has it. */
export interface Written {
  readonly object: BuiltObject;
  readonly manifest: Manifest | undefined;
}

export async function written(tree: FluxTree, object: BuiltObject): Promise<Written> {
  return { object, manifest: await manifestOf(tree, object) };
}

/** File and line of a field, for people to look at. */
export function lineIn(
  { manifest }: Pick<Written, 'manifest'>,
  path: YamlPath,
): { readonly path: string; readonly line: number } | Record<string, never> {
  if (!manifest) return {};
  const { file, document, root } = manifest;
  return { path: file.path, line: file.lineOf(document, [...root, ...path]) };
}
