import { parse } from 'yaml';
import { keyLines, type LineFormat } from './key-lines.ts';

/** A value in a text that is itself the value of a field: a file in a ConfigMap. */
export interface FieldInText {
  readonly format: TextFormat;
  /** Keys of a YAML or JSON document; the one key of a line. */
  readonly path: readonly (string | number)[];
}

export type TextFormat = 'yaml' | LineFormat;

/** Undefined where the text is not of that format, or has no such value. */
export function fieldInText(text: string, { format, path }: FieldInText): unknown {
  if (format !== 'yaml') return keyLines(text, format).findLast(({ key }) => key === path.join('.'))?.value;
  try {
    return path.reduce<unknown>(
      (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
      parse(text),
    );
  } catch {
    return undefined;
  }
}
