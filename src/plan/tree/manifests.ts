import { items, record, text } from '../../build/json.ts';
import type { BuiltObject } from '../../build/tree-builder.ts';
import { type YamlPath, YamlText } from '../../edit/yaml-text.ts';
import { type Applied, isFluxKustomization, isManifestOf } from './applied.ts';
import type { FluxTree } from './flux-tree.ts';

/** Where an object of a build is written down. */
export interface Manifest {
  readonly file: YamlText;
  readonly document: number;
  /** Of the object in the document: [], or its place in a List. */
  readonly root: YamlPath;
  /** As written, before prefixes. */
  readonly name: string;
  readonly namespace?: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** All objects of a file: its documents, and the items of those that are lists. */
export function objectsIn(
  file: YamlText,
): readonly { readonly document: number; readonly root: YamlPath; readonly data: unknown }[] {
  return file.documents.flatMap((_, document) => {
    const data = file.data(document);
    const { kind, items: listed } = record(data);
    // kustomize api/resource/factory.go: a kind that ends in List and has items stands for them.
    if (typeof kind !== 'string' || !kind.endsWith('List') || !Array.isArray(listed)) {
      return [{ document, root: [], data }];
    }
    return items(listed).map((item, index) => ({ document, root: ['items', index], data: item }));
  });
}

/** The manifest of an object of a build; undefined where a generator or another repository makes it. */
export async function manifestOf(tree: FluxTree, object: BuiltObject): Promise<Manifest | undefined> {
  const path = object.origin?.path;
  const content = path === undefined ? undefined : await tree.text(path);
  if (path === undefined || content === undefined) return undefined;
  const file = new YamlText(path, content);
  const all = objectsIn(file).flatMap(({ document, root, data }): readonly Manifest[] => {
    const fields = record(data);
    const metadata = record(fields['metadata']);
    const [name, namespace] = [text(metadata['name']), text(metadata['namespace'])];
    if (fields['kind'] !== object.kind || fields['apiVersion'] !== object.apiVersion) return [];
    return [{ file, document, root, name, ...(namespace === '' ? {} : { namespace }), data: fields }];
  });
  const fitting = all.filter(({ name }) => name !== '' && object.name.includes(name));
  // Prefixes and suffixes come around a name; of several that fit, the longest.
  return fitting.toSorted((one, other) => other.name.length - one.name.length)[0] ?? all[0];
}

/** The manifest of a Kustomization, where what brings it takes it from here; undefined where it cannot be edited. */
export async function definitionOf(tree: FluxTree, of: Applied): Promise<Manifest | undefined> {
  const { definedBy } = of;
  if (definedBy && 'file' in definedBy) {
    const content = await tree.text(definedBy.file);
    if (content === undefined) return undefined;
    const file = new YamlText(definedBy.file, content);
    const own = objectsIn(file).find(({ data }) => isManifestOf(record(data), of));
    return own && { ...own, file, name: of.name, data: record(own.data) };
  }
  const above = await tree.build(definedBy ? definedBy.by : of);
  const own =
    above.kind === 'built' ? above.objects.find(object => isFluxKustomization(object, of)) : undefined;
  return own && (await manifestOf(tree, own));
}
