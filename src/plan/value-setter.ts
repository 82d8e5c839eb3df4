import { isScalar } from 'yaml';
import type { Edits } from '../edit/edits.ts';
import type { Layer, Patch } from './layer.ts';
import { YamlText, type YamlPath } from '../edit/yaml-text.ts';

/** One place of a file where a string is written that the build takes over. */
export interface ValuePlace {
  readonly file: YamlText;
  readonly document: number;
  readonly path: YamlPath;
  /** Within the text of the block at `path`, for patches that a kustomization holds as text. */
  readonly inline?: { readonly path: YamlPath };
  /** Of a patch: who else it reaches changes with it. */
  readonly patch?: { readonly layer: Layer; readonly patch: Patch };
  /** The file is outside of the folder that Flux applies; other environments may build upon it. */
  readonly shared: boolean;
  /** Where the value comes from, when that is no file of this repository: it can be read here, and not written. */
  readonly foreign?: string;
}

export function readPlace(place: ValuePlace): string | undefined {
  const node = place.inline
    ? inner(place.file, place).scalar(0, place.inline.path)
    : place.file.scalar(place.document, place.path);
  const value = node?.value;
  return value === undefined || value === null ? undefined : String(value);
}

export function writePlace(edits: Edits, place: ValuePlace, value: string): void {
  const { document, path, inline, foreign } = place;
  if (foreign !== undefined) throw new RangeError(`${foreign} is not ours to write.`);
  edits.update(place.file, file =>
    inline
      ? editInner(file, place, text => text.setString(0, inline.path, value))
      : file.setString(document, path, value),
  );
}

/** The text that a file holds as a value (a patch of a kustomization), edited as text itself. */
export function editInner(
  file: YamlText,
  at: Pick<ValuePlace, 'document' | 'path'>,
  edit: (text: YamlText) => YamlText,
): YamlText {
  return file.setString(at.document, at.path, edit(inner(file, at)).text);
}

/** Where the value is written that stands at a place: two places have the same where one is an alias of the other. */
export function originOf({ file, document, path, inline }: ValuePlace): string {
  const offset = file.scalar(document, path)?.range?.[0];
  const within = inline ? inner(file, { document, path }).scalar(0, inline.path)?.range?.[0] : undefined;
  return [file.path, document, offset ?? path.join('.'), within ?? inline?.path.join('.')].join(' ');
}

/** 1-based line of the file. */
export function lineOfPlace({ file, document, path, inline }: ValuePlace): number {
  const line = file.lineOf(document, path);
  const node = file.node(document, path);
  if (!inline || !isScalar(node) || node.type !== 'BLOCK_LITERAL') return line;
  return line + inner(file, { document, path }).lineOf(0, inline.path);
}

function inner(file: YamlText, { document, path }: Pick<ValuePlace, 'document' | 'path'>): YamlText {
  const node = file.node(document, path);
  const text = node && 'value' in node ? String(node.value) : '';
  return new YamlText(`${file.path} (inline patch)`, text);
}
