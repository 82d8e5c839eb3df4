import { record } from '../../build/json.ts';
import { keyOf } from '../../build/dye.ts';
import type { Edits } from '../../edit/edits.ts';
import { editAround, keyOfPlace, scalarAt, writePlace } from '../../edit/places.ts';
import type { Address } from '../../edit/scalar-file.ts';
import { YamlText } from '../../edit/yaml-text.ts';
import type { Change } from '../../config/settings.ts';
import { Refusal } from '../../rollout/verdict.ts';
import type { Origin } from '../tree/origins.ts';
import type { Ground } from './wanted.ts';

export type ImageChange = Extract<Change, { kind: 'image' }>;

/** What an image reference is made of, tag and digest apart, as tokens to follow. */
export function versionTokens(repository: string, version: string): readonly string[] {
  const tokens = version.split('@').filter(part => part !== '');
  return tokens.length > 0 ? tokens : [repository];
}

export function imageReference(repository: string, version: string): string {
  if (version === '') return repository;
  return `${repository}${version.startsWith('sha256:') ? '@' : ':'}${version}`;
}

type EntryKeys = Readonly<Partial<Record<'newName' | 'newTag' | 'digest', string | undefined>>>;

/** kustomize takes a tag and a digest together; the one that is not wanted must go. */
export function versionKeys(version: string): EntryKeys {
  const at = version.indexOf('sha256:');
  if (at < 0) return { newTag: version, digest: undefined };
  const tag = version.slice(0, Math.max(0, at - 1));
  return { newTag: tag === '' ? undefined : tag, digest: version.slice(at) };
}

/** Writes a version, and a repository where another one is wanted, at the places that set them now. */
export async function writeImage(
  { tree, edits }: Ground,
  origin: Origin,
  image: { readonly change: ImageChange; readonly repository: string },
): Promise<void> {
  const { change, repository } = image;
  const scalars = [...Map.groupBy(origin.dyes, ({ place }) => keyOf(place)).values()];
  for (const dyes of scalars) {
    const [first] = dyes;
    if (!first) continue;
    const content = (await tree.text(first.place.file)) ?? '';
    if (['newTag', 'digest', 'newName'].includes(String(keyOfPlace(first.place)))) {
      const keys = {
        ...versionKeys(change.version),
        ...(change.newRepository === undefined ? {} : { newName: change.newRepository }),
      };
      setInEntry(edits, { file: first.place.file, content, address: first.place.address }, keys);
      continue;
    }
    const now = scalarAt(edits.textOf(first.place.file) ?? content, first.place)?.value ?? '';
    const old = scalarAt(content, first.place)?.value ?? '';
    // Another change of the same release was here already: one line for several containers.
    if (now !== old) continue;
    const from = Math.min(...dyes.map(({ place }) => place.from));
    const to = Math.max(...dyes.map(({ place }) => place.to));
    const before = first.token === repository ? old.slice(from, to) : old.slice(0, from);
    const name = before.replace(/[:@]$/, '');
    const isReference = name !== before || first.token === repository;
    const value = isReference
      ? imageReference(change.newRepository ?? name, change.version)
      : partOf(change, { isDigest: first.token.startsWith('sha256:'), alone: scalars.length === 1 });
    const start = isReference ? 0 : from;
    writePlace(edits, { ...first.place, from: start, to }, value, content);
  }
}

/** A tag or a digest that stands alone: a value of a chart, a variable. */
function partOf(change: ImageChange, on: { readonly isDigest: boolean; readonly alone: boolean }): string {
  const { newTag, digest } = versionKeys(change.version);
  if (on.alone) return change.version;
  return (on.isDigest ? digest : newTag) ?? '';
}

/** An images entry in a file, or in a text of it. */
export interface EntryAt {
  readonly file: string;
  readonly content: string;
  /** Of one of its fields. */
  readonly address: Address;
}

export function setInEntry(edits: Edits, { file, content, address }: EntryAt, keys: EntryKeys): void {
  // First what is set, so that an entry is never empty in between.
  const given = Object.entries(keys).filter(([, value]) => value !== undefined);
  const dropped = Object.entries(keys).filter(([, value]) => value === undefined);
  edits.update(new YamlText(file, edits.textOf(file) ?? content), text =>
    editAround(text, address, (start, { document, path }) => {
      const withGiven = given.reduce((at, [key, value]) => at.set(document, [...path, key], value), start);
      return dropped.reduce((at, [key]) => at.delete(document, [...path, key]), withGiven);
    }),
  );
}

/** Names by which images entries of a file make a repository of another one: `shop` for `ghcr.io/acme/shop`. */
export function renamedIn(file: string, content: string, name: string): readonly string[] {
  if (!content.includes('newName')) return [];
  const found: string[] = [];
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) for (const item of value) visit(item);
    else if (typeof value === 'object' && value !== null) {
      const map = record(value);
      if (map['name'] === name && typeof map['newName'] === 'string') found.push(map['newName']);
      for (const item of Object.values(map)) visit(item);
    }
  };
  try {
    const text = new YamlText(file, content);
    for (const document of text.documents.keys()) visit(text.data(document));
  } catch (error) {
    // What is no YAML renames nothing.
    if (!(error instanceof Refusal)) throw error;
  }
  return found;
}
