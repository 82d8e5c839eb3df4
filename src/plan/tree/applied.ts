import { type Fields, record, text } from '../../build/json.ts';
import type { RepositoryFiles } from '../../build/repository-files.ts';
import type { ArtifactRules, BuiltObject } from '../../build/tree-builder.ts';
import { folderOf } from '../../config/folder-path.ts';

/** A Kustomization of Flux, and where its files and its own manifest come from. */
export interface Applied {
  readonly namespace: string;
  readonly name: string;
  /** Of the repository that is released into, or what stands in for those of another one. */
  readonly files: RepositoryFiles;
  readonly isOurs: boolean;
  readonly artifact: ArtifactRules;
  /** As the cluster has it, or as a file of the tree has it; its manifest counts instead, where `definedBy` brings it. */
  readonly spec: Fields;
  /** Where some of what it builds is elsewhere: what stands in for that, in its spec and in its files. */
  readonly standIn?: StandIn;
  /** What brings its manifest, as our commit leaves it: a Kustomization of the very same source, or a file. */
  readonly definedBy?: { readonly by: Applied } | { readonly file: string };
}

export interface StandIn {
  /** `https://github.com/acme/base?ref=v1` */
  readonly from: string;
  readonly spec: (spec: Fields) => Fields;
  readonly file: (path: string, text: string) => string;
}

/** `Kustomization flux-system/apps` */
export function wordsOf({ namespace, name }: Pick<Applied, 'namespace' | 'name'>): string {
  return `Kustomization ${namespace}/${name}`;
}

/** The folder that is applied, '' for the root. */
export function folderIn(spec: Fields): string {
  return folderOf(text(spec['path']));
}

export function folderWords(folder: string): string {
  return folder === '' ? 'the root folder' : folder;
}

export function isFluxKustomization(object: BuiltObject, of: Pick<Applied, 'namespace' | 'name'>): boolean {
  return (
    isManifestOf(object.data, { name: of.name, namespace: object.namespace ?? of.namespace }) &&
    (object.namespace === undefined || object.namespace === of.namespace)
  );
}

export function isManifestOf(data: Fields, of: Pick<Applied, 'namespace' | 'name'>): boolean {
  const metadata = record(data['metadata']);
  return (
    data['kind'] === 'Kustomization' &&
    text(data['apiVersion']).startsWith('kustomize.toolkit.fluxcd.io/') &&
    text(metadata['name']) === of.name &&
    (metadata['namespace'] === undefined || metadata['namespace'] === of.namespace)
  );
}
