import { splitImage } from '../rollout/live-value.ts';
import { containerPatches, type ContainerSite, placeInManifest } from './containers.ts';
import type { Edits } from '../edit/edits.ts';
import { type ImageEntry, type Layer, type LayerOwner, ownerOf } from './layer.ts';
import { patchesFor, text } from './patch-reach.ts';
import { lineOfPlace, readPlace, type ValuePlace, writePlace } from './value-setter.ts';

/** Who sets a part of an image: a reference in a manifest or patch, or an entry of a kustomization's `images`. */
export type ImageSetter =
  | { readonly kind: 'reference'; readonly place: ValuePlace }
  | {
      readonly kind: 'entry';
      readonly owner: LayerOwner;
      readonly entry: ImageEntry;
      readonly shared: boolean;
    };

/** What a container's image is in the build, and who says so. */
export interface ImageInBuild {
  readonly container: ContainerSite;
  readonly repository: string;
  readonly version: string;
  readonly repositoryBy: ImageSetter;
  readonly versionBy: ImageSetter;
  /** Every repository it had on the way from manifest to build. */
  readonly names: readonly string[];
}

/** Kustomize applies a kustomization's patches first, then its image entries; outer ones after inner ones. */
export function imageInBuild(container: ContainerSite): ImageInBuild | undefined {
  const { site } = container;
  const manifest: ImageSetter = { kind: 'reference', place: placeInManifest(container, ['image']) };
  let image = fromReference(container, manifest.place);
  for (const layer of site.layers.toReversed()) {
    for (const patch of patchesFor(layer, site)) {
      for (const part of containerPatches(patch, container)) {
        const sets =
          part.kind === 'merge' ? text(part.data['image']) !== '' : part.pointer.join('/') === 'image';
        if (!sets) continue;
        const place = patch.place(part.kind === 'merge' ? [...part.at, 'image'] : part.at);
        image = merged(image, fromReference(container, place));
      }
    }
    image = image && withEntries(image, layer);
  }
  return image;
}

function fromReference(container: ContainerSite, place: ValuePlace): ImageInBuild | undefined {
  const written = readPlace(place);
  if (written === undefined) return undefined;
  const by: ImageSetter = { kind: 'reference', place };
  const { repository, version } = splitImage(written);
  return { container, repository, version, repositoryBy: by, versionBy: by, names: [repository] };
}

function merged(old: ImageInBuild | undefined, next: ImageInBuild | undefined): ImageInBuild | undefined {
  if (!next) return old;
  return { ...next, names: [...(old?.names ?? []), ...next.names] };
}

function withEntries(image: ImageInBuild, layer: Layer): ImageInBuild {
  const owner = ownerOf(layer);
  const entry = layer.images.find(({ name }) => name === image.repository) ?? renamedBy(layer, image);
  if (!entry || !owner) return image;
  const root = image.container.site.layers[0]?.folder ?? '';
  const shared = !owner.own && root !== '' && !owner.file.path.startsWith(`${root}/`);
  const by: ImageSetter = { kind: 'entry', owner, entry, shared };
  const version = [entry.newTag, entry.digest].filter(part => part !== undefined).join('@');
  return {
    ...image,
    ...(entry.newName === undefined
      ? {}
      : { repository: entry.newName, repositoryBy: by, names: [...image.names, entry.name, entry.newName] }),
    ...(version === '' ? {} : { version, versionBy: by }),
  };
}

/** A live image has its new name already. */
function renamedBy(layer: Layer, image: ImageInBuild): ImageEntry | undefined {
  if (!image.container.site.live) return undefined;
  return layer.images.find(({ newName }) => newName === image.repository);
}

/** Writes a version, and a repository where another one is wanted, at the places that the build takes them from. */
export function writeImage(
  edits: Edits,
  image: ImageInBuild,
  wanted: { readonly version: string; readonly repository: string | undefined },
): void {
  const { repositoryBy, versionBy } = image;
  if (wanted.repository !== undefined && wanted.repository !== image.repository) {
    if (repositoryBy.kind === 'entry') {
      setInEntry(edits, repositoryBy, { newName: wanted.repository });
    } else if (repositoryBy.place.foreign !== undefined && versionBy.kind === 'entry') {
      setInEntry(edits, versionBy, { newName: wanted.repository });
    } else {
      const written = splitImage(readPlace(repositoryBy.place) ?? '');
      writePlace(edits, repositoryBy.place, imageReference(wanted.repository, written.version));
    }
  }
  if (versionBy.kind === 'entry') {
    setInEntry(edits, versionBy, versionKeys(wanted.version));
    return;
  }
  const current = readPlace({ ...versionBy.place, file: edits.current(versionBy.place.file) }) ?? '';
  writePlace(edits, versionBy.place, imageReference(splitImage(current).repository, wanted.version));
}

type EntryKeys = Partial<Record<'newName' | 'newTag' | 'digest', string | undefined>>;

/** kustomize takes a tag and a digest together; the one that is not wanted must go. */
export function versionKeys(version: string): EntryKeys {
  const at = version.indexOf('sha256:');
  if (at < 0) return { newTag: version, digest: undefined };
  const tag = version.slice(0, Math.max(0, at - 1));
  return { newTag: tag === '' ? undefined : tag, digest: version.slice(at) };
}

export function setInEntry(edits: Edits, by: Extract<ImageSetter, { kind: 'entry' }>, keys: EntryKeys): void {
  const { file: owned, document } = by.owner;
  const path = [...by.owner.path, 'images', by.entry.index];
  edits.update(owned, file => {
    // First what is set, so that an entry is never empty in between.
    const given = Object.entries(keys).filter(([, value]) => value !== undefined);
    const dropped = Object.entries(keys).filter(([, value]) => value === undefined);
    const withGiven = given.reduce((at, [key, value]) => at.set(document, [...path, key], value), file);
    return dropped.reduce((at, [key]) => at.delete(document, [...path, key]), withGiven);
  });
}

export function imageReference(repository: string, version: string): string {
  if (version === '') return repository;
  return `${repository}${version.startsWith('sha256:') ? '@' : ':'}${version}`;
}

export function isSharedSetter(setter: ImageSetter): boolean {
  return setter.kind === 'entry' ? setter.shared : setter.place.shared;
}

/** File, 1-based line and that line's text (for `$imagepolicy` markers). */
export function whereOf(setter: ImageSetter): {
  readonly path: string;
  readonly line: number;
  readonly text: string;
} {
  if (setter.kind === 'reference') {
    const { place } = setter;
    const line = lineOfPlace(place);
    return { path: place.file.path, line, text: place.file.text.split('\n')[line - 1] ?? '' };
  }
  const { file, document } = setter.owner;
  const path = [...setter.owner.path, 'images', setter.entry.index];
  const key = setter.entry.newTag === undefined ? 'digest' : 'newTag';
  const at = file.node(document, [...path, key]) ? [...path, key] : path;
  return { path: file.path, line: file.lineOf(document, at), text: file.lineText(document, at) };
}
