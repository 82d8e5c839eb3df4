import { FluxBuilder } from '../../src/build/flux-builder.ts';
import type { Build, BuildQuery, BuiltObject } from '../../src/build/tree-builder.ts';
import { memoryFiles } from '../plan/memory-files.ts';

export const builder = new FluxBuilder();

type Tree = Readonly<Record<string, string>>;
type Spec = Readonly<Record<string, unknown>>;

export function build(tree: Tree, spec: Spec, more: Partial<BuildQuery> = {}): Promise<Build> {
  const kustomization = { metadata: { name: 'apps', namespace: 'flux-system' }, spec };
  return builder.build({ files: memoryFiles(tree), kustomization, ...more });
}

export async function built(tree: Tree, spec: Spec, more: Partial<BuildQuery> = {}) {
  const result = await build(tree, spec, more);
  if (result.kind !== 'built') throw new Error(`${result.kind}: ${result.words}`);
  return result;
}

export async function objects(tree: Tree, spec: Spec, more: Partial<BuildQuery> = {}) {
  return (await built(tree, spec, more)).objects;
}

/** `Deployment prod/shop`, in order of their names. */
export function names(of: readonly BuiltObject[]): readonly string[] {
  return of
    .map(({ kind, namespace, name }) => `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`)
    .toSorted();
}

export function deployment(name: string, image = `ghcr.io/acme/${name}:1.0.0`): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}}
spec:
  template:
    spec:
      containers:
      - {name: main, image: ${JSON.stringify(image)}}
`;
}

export function configMap(name: string, data: Readonly<Record<string, string>> = { a: 'b' }): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data });
}
