import { isAlias, isMap, isScalar, isSeq, type Scalar } from 'yaml';
import type { Edits } from './edits.ts';
import { type YamlPath, YamlText } from './yaml-text.ts';

/** A scalar of a YAML text. */
export interface Step {
  readonly document: number;
  readonly path: YamlPath;
}

/** Where a string is written: a scalar, or one in the text that a scalar holds (a patch, a values file), or a part of it. */
export interface Place {
  readonly file: string;
  /** Each in the text that the one before it holds; none = the whole text of a file that is no YAML. */
  readonly steps: readonly Step[];
  /** Offsets of the part that is meant, in the string that stands there. */
  readonly from: number;
  readonly to: number;
}

/** A scalar and the string that it stands for. */
export interface WrittenScalar {
  readonly steps: readonly Step[];
  readonly value: string;
  readonly type: 'string' | 'number' | 'other';
}

const MAX_DEPTH = 4;

/** Whether a file is read as YAML; anything else is one text. */
export function isYamlFile(path: string): boolean {
  return /(?:\.ya?ml|\.json)$/i.test(path) || /(?:^|\/)Kustomization$/.test(path);
}

/** Every scalar of a file, those in texts that scalars hold included. Keys are none; an alias is its anchor's. */
export function scalarsOf(file: string, content: string): readonly WrittenScalar[] {
  if (isYamlFile(file)) {
    const parsed = parsedText(file, content);
    if (parsed) return scalarsIn(parsed, []);
  }
  return [{ steps: [], value: content, type: 'string' }];
}

function scalarsIn(text: YamlText, above: readonly Step[]): readonly WrittenScalar[] {
  const found: WrittenScalar[] = [];
  const visit = (node: unknown, step: Step): void => {
    if (isMap(node)) {
      for (const { key, value } of node.items) {
        if (isScalar(key) && !isAlias(value))
          visit(value, { ...step, path: [...step.path, String(key.value)] });
      }
    } else if (isSeq(node)) {
      for (const [index, item] of node.items.entries()) visit(item, { ...step, path: [...step.path, index] });
    } else if (isScalar(node)) {
      found.push(...scalarAt(node, [...above, step], text.path));
    }
  };
  for (const [document, { contents }] of text.documents.entries()) visit(contents, { document, path: [] });
  return found;
}

function scalarAt(node: Scalar, steps: readonly Step[], file: string): readonly WrittenScalar[] {
  const { value } = node;
  if (typeof value === 'number') return [{ steps, value: String(value), type: 'number' }];
  if (typeof value !== 'string') {
    return value === null || value === undefined ? [] : [{ steps, value: String(value), type: 'other' }];
  }
  const inner = holdsText(value) && steps.length < MAX_DEPTH ? parsedText(file, value) : undefined;
  return inner ? scalarsIn(inner, steps) : [{ steps, value, type: 'string' }];
}

function holdsText(value: string): boolean {
  return value.includes('\n') || /^\s*[[{]/.test(value);
}

/** Undefined where it is no YAML of maps or lists. */
function parsedText(file: string, content: string): YamlText | undefined {
  try {
    const text = new YamlText(file, content);
    return text.documents.some(({ contents }) => isMap(contents) || isSeq(contents)) ? text : undefined;
  } catch {
    return undefined;
  }
}

/** The string that stands at the steps of a place; undefined where there is none. */
export function stringAt(content: string, place: Pick<Place, 'file' | 'steps'>): string | undefined {
  let text: string | undefined = content;
  for (const { document, path } of place.steps) {
    const value: unknown =
      text === undefined ? undefined : new YamlText(place.file, text).scalar(document, path)?.value;
    text = value === undefined || value === null ? undefined : String(value);
  }
  return text;
}

/** 1-based line of the file. */
export function lineOfPlace(content: string, { file, steps, from }: Place): number {
  const [first, ...inner] = steps;
  if (!first) return content.slice(0, from).split('\n').length;
  const text = new YamlText(file, content);
  const line = text.lineOf(first.document, first.path);
  const node = text.node(first.document, first.path);
  const isBlock = isScalar(node) && node.type === 'BLOCK_LITERAL';
  if (!isBlock || (inner.length === 0 && !String(node.value).slice(0, from).includes('\n'))) return line;
  return line + lineOfPlace(String(node.value), { file: `${file} (text)`, steps: inner, from, to: from });
}

/** Another string in place of the part that is meant; all else stays byte for byte. */
export function writePlace(edits: Edits, place: Place, value: string, content: string): void {
  const now = edits.textOf(place.file) ?? content;
  const { steps, from, to } = place;
  const old = stringAt(now, place) ?? '';
  const whole = `${old.slice(0, from)}${value}${old.slice(to)}`;
  if (steps.length === 0) {
    edits.writeText(place.file, whole);
    return;
  }
  edits.update(new YamlText(place.file, now), text => written(text, steps, whole));
}

function written(text: YamlText, steps: readonly Step[], value: string): YamlText {
  const [step, ...inner] = steps;
  if (!step) return text;
  const { document, path } = step;
  if (inner.length === 0) return text.setScalar(document, path, value);
  return editHeld(text, step, held => written(held, inner, value));
}

/** The text that a scalar holds (a patch of a kustomization), edited as text itself. */
export function editHeld(
  text: YamlText,
  { document, path }: Step,
  edit: (held: YamlText) => YamlText,
): YamlText {
  const held = new YamlText(`${text.path} (text)`, String(text.scalar(document, path)?.value ?? ''));
  const changed = edit(held).text;
  const node = text.node(document, path);
  return isScalar(node) && node.type === 'BLOCK_LITERAL'
    ? text.setBlock(document, path, changed)
    : text.setString(document, path, changed);
}
