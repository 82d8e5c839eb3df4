import type { Scalar } from 'yaml';
import { isPlain, PRINTABLE } from './plain.ts';

/** A scalar as it stands in a text. */
export interface Source {
  readonly raw: string;
  readonly style: Scalar.Type;
  /** JSON knows one kind of quotes only. */
  readonly within: 'block' | 'flow' | 'json';
  readonly newline: string;
}

/** A string in the style of the scalar that stood there, where that style can hold it; else in double quotes. */
export function written(value: string, source: Source): string {
  const { style, within } = source;
  if (within === 'json') return doubleQuoted(value);
  if (style === 'PLAIN') return isPlain(value, within) ? value : doubleQuoted(value);
  if (style === 'QUOTE_SINGLE' && PRINTABLE.test(value)) return `'${value.replaceAll("'", "''")}'`;
  if (style === 'BLOCK_LITERAL' || style === 'BLOCK_FOLDED') return block(value, source);
  return doubleQuoted(value);
}

/** In double quotes, as YAML 1.1, YAML 1.2 and JSON read it. */
export function doubleQuoted(value: string): string {
  return escapedInQuotes(JSON.stringify(value));
}

/** What JSON leaves as it is within quotes, and a reader of YAML takes for a line end or does not take. */
export function escapedInQuotes(quoted: string): string {
  return quoted.replace(
    /[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/g,
    sign => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

const HEADER = /^([|>])([-+\d]*)([^\r\n]*)/;

/** A block with another text: indentation and comment of its header as they were, the rest as the text needs it. */
function block(value: string, { raw, newline }: Source): string {
  const [header = '', sign = '|', , comment = ''] = HEADER.exec(raw) ?? [];
  const rest = raw.slice(header.length);
  const indent = /^(?:[ \t]*\r?\n)+( +)/.exec(rest)?.[1];
  const lines = value.replace(/\n$/, '').split('\n');
  // Blank lines after it, and the line end that a block has within it.
  const last = raw.slice(raw.trimEnd().length).replace(/^[ \t]+/, '');
  const isBlock =
    indent !== undefined &&
    !/^\s|\n\n$/.test(value) &&
    lines.every(line => PRINTABLE.test(line) && (line === '' || line.trim() !== '')) &&
    lines[0] !== '';
  if (!isBlock) return `${doubleQuoted(value)}${comment}${last}`;
  const style = sign === '>' && lines.length === 1 ? '>' : '|';
  const chomping = value.endsWith('\n') ? '' : '-';
  const body = lines.map(line => (line === '' ? '' : `${indent}${line}`));
  return `${style}${chomping}${comment}${newline}${body.join(newline)}${last}`;
}
