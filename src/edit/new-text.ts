import { Document, visit } from 'yaml';
import { isPlain, PRINTABLE } from './plain.ts';
import { doubleQuoted, escapedInQuotes } from './written.ts';

/** A value as lines of block YAML, without the last line end; strings in quotes wherever a reader may take them for more. */
export function blockOf(value: unknown): string {
  const document = new Document(value);
  visit(document, {
    Scalar: (_key, node) => {
      if (typeof node.value === 'string' && !isPlain(node.value, 'block') && !isLines(node.value)) {
        node.type = 'QUOTE_DOUBLE';
      }
    },
  });
  const options = { lineWidth: 0, indentSeq: false, doubleQuotedMinMultiLineLength: Number.MAX_SAFE_INTEGER };
  return escapedInQuotes(document.toString(options)).trimEnd();
}

function isLines(text: string): boolean {
  return text.includes('\n') && text.split('\n').every(line => PRINTABLE.test(line));
}

/** A value on one line; strings plain where that is safe everywhere, but in JSON. */
export function flowOf(value: unknown, json: boolean): string {
  if (typeof value !== 'string') return escapedInQuotes(JSON.stringify(value));
  return !json && isPlain(value, 'flow') ? value : doubleQuoted(value);
}

/** A key of a map in braces. */
export function keyOf(key: string, json: boolean): string {
  return !json && /^[\w./-]+$/.test(key) && isPlain(key, 'flow') ? key : doubleQuoted(key);
}
