import { parse } from 'yaml';

/** A value in a text that is itself the value of a field: a file in a ConfigMap. */
export interface FieldInText {
  readonly format: TextFormat;
  /** Keys of a YAML or JSON document; the one key of a line. */
  readonly path: readonly (string | number)[];
}

export type TextFormat = 'yaml' | 'properties';

/** Undefined where the text is not of that format, or has no such value. */
export function fieldInText(text: string, { format, path }: FieldInText): unknown {
  if (format === 'properties') return lineOfKey(text, path.join('.'))?.value;
  try {
    return path.reduce<unknown>(
      (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
      parse(text),
    );
  } catch {
    return undefined;
  }
}

export interface KeyLine {
  /** 1-based. */
  readonly line: number;
  readonly value: string;
  /** Where the value is in the text. */
  readonly start: number;
  readonly end: number;
}

const KEY_LINE = /^(\s*([^=:\s#][^=:]*?)\s*[=:]\s*)(.*?)\s*$/;

/** The last line that sets a key: `KEY=value`, or `key: value` and `key = value` as Java reads them. */
export function lineOfKey(text: string, key: string): KeyLine | undefined {
  let offset = 0;
  let found: KeyLine | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    const [, before = '', name = '', value = ''] = KEY_LINE.exec(line) ?? [];
    if (name === key) {
      const start = offset + before.length;
      found = { line: index + 1, value, start, end: start + value.length };
    }
    offset += line.length + 1;
  }
  return found;
}
