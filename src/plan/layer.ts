import type { YamlPath, YamlText } from '../edit/yaml-text.ts';

/** One kustomization (or a folder without one) as Flux builds it; the outermost is the folder that Flux applies. */
export interface Layer {
  /** '' is the root of the repository. */
  readonly folder: string;
  /** Undefined for a folder without a kustomization: Flux takes every YAML file of it and below. */
  readonly kustomization?: YamlText;
  /** A Flux Kustomization's own images and patches, which are applied last: where its manifest is. */
  readonly flux?: {
    readonly file: YamlText;
    readonly document: number;
    /** Only this environment uses it. */
    readonly own: boolean;
  };
  /** Resources that are fetched from elsewhere; nobody can edit them here. */
  readonly remote?: readonly string[];
  readonly namespace?: string;
  readonly namePrefix: string;
  readonly nameSuffix: string;
  readonly images: readonly ImageEntry[];
  readonly patches: readonly Patch[];
  readonly resources: readonly YamlText[];
  /** Kustomizations that this one builds upon, in order. */
  readonly children: readonly Layer[];
  /** What changes all that this one has gathered, before its own patches do. */
  readonly components?: readonly Layer[];
}

export interface ImageEntry {
  /** Index in `images` of the kustomization. */
  readonly index: number;
  readonly name: string;
  readonly newName?: string;
  readonly newTag?: string;
  readonly digest?: string;
}

export interface Patch {
  /** Where the patch's text is: a file, or a place in the kustomization. */
  readonly at:
    | { readonly kind: 'file'; readonly file: YamlText; readonly document: number }
    | { readonly kind: 'inline'; readonly path: YamlPath };
  /** A strategic merge patch, or the operations of a JSON6902 patch. */
  readonly content: unknown;
  readonly target?: PatchTarget;
}

/** Each is a regular expression of its whole; selectors are those of kubectl. */
export interface PatchTarget {
  readonly group?: string;
  readonly version?: string;
  readonly kind?: string;
  readonly name?: string;
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly annotationSelector?: string;
}

/** Where a layer's `images` and `patches` are written. */
export interface LayerOwner {
  readonly file: YamlText;
  readonly document: number;
  /** Of the map that holds them. */
  readonly path: readonly string[];
  /** Only this environment uses it. */
  readonly own: boolean;
}

export function ownerOf(layer: Layer): LayerOwner | undefined {
  if (layer.flux) return { ...layer.flux, path: ['spec'] };
  const { kustomization } = layer;
  return kustomization && { file: kustomization, document: 0, path: [], own: false };
}
