import type { Edits } from './edits.ts';
import { type Address, type FileScalar, scalarsOf } from './scalar-file.ts';
import type { YamlPath, YamlText } from './yaml-text.ts';
import { YamlText as Text } from './yaml-text.ts';

/** Where a string is written: a scalar of a file, or a part of one. */
export interface Place {
  readonly file: string;
  readonly address: Address;
  /** 1-based. */
  readonly line: number;
  /** Offsets of the part that is meant, in what the scalar says. */
  readonly from: number;
  readonly to: number;
}

/** Whether a file is read as YAML. */
export function isYamlFile(path: string): boolean {
  return /(?:\.ya?ml|\.json)$/i.test(path) || /(?:^|\/)Kustomization$/.test(path);
}

/** What the scalar says in which a place is; undefined where there is none any more. */
export function scalarAt(
  content: string,
  { file, address }: Pick<Place, 'file' | 'address'>,
): FileScalar | undefined {
  const key = JSON.stringify(address);
  return scalarsOf(file, content).scalars.find(scalar => JSON.stringify(scalar.address) === key);
}

/** Another string in place of the part that is meant; all else stays byte for byte. */
export function writePlace(edits: Edits, place: Place, value: string, content: string): void {
  const { file, address, from, to } = place;
  const now = edits.textOf(file) ?? content;
  const old = scalarAt(now, place)?.value ?? '';
  const whole = `${old.slice(0, from)}${value}${old.slice(to)}`;
  const text = scalarsOf(file, now).replaced([{ address, value: whole }]);
  if (isYamlFile(file)) edits.update(new Text(file, now), () => new Text(file, text));
  else edits.writeText(file, text);
}

/** The last key of a place: `newTag`. */
export function keyOfPlace({ address }: Pick<Place, 'address'>): string | number | undefined {
  let at = address;
  while (at.within) at = at.within;
  return at.path.at(-1);
}

/** Edits a text at the map that holds a scalar, however deep in texts that scalars hold that is. */
export function editAround(
  text: YamlText,
  address: Address,
  edit: (text: YamlText, on: { readonly document: number; readonly path: YamlPath }) => YamlText,
): YamlText {
  const { document, path, within } = address;
  return within
    ? editHeld(text, address, held => editAround(held, within, edit))
    : edit(text, { document, path: path.slice(0, -1) });
}

/** The text that a scalar holds (a patch of a kustomization), edited as text itself. */
export function editHeld(
  text: YamlText,
  { document, path }: { readonly document: number; readonly path: YamlPath },
  edit: (held: YamlText) => YamlText,
): YamlText {
  const held = new Text(`${text.path} (text)`, String(text.scalar(document, path)?.value ?? ''));
  return text.setString(document, path, edit(held).text);
}
