/**
 * Files of lines `KEY=value`. `env`: as kustomize reads them (api/internal/kv, keyValuesFromLine): the value is all that
 * follows the sign, quotes and blanks included. `properties`: as java.util.Properties reads them: `=`, `:` or a blank,
 * lines that go on after a backslash, escapes.
 */
export type LineFormat = 'env' | 'properties';

export interface KeyLine {
  readonly key: string;
  readonly value: string;
  /** 1-based line of the value's first character. */
  readonly line: number;
  /** Where the value is in the text, as it is written there. */
  readonly start: number;
  readonly end: number;
}

export function keyLines(text: string, format: LineFormat): readonly KeyLine[] {
  const lines: KeyLine[] = [];
  const start = text.startsWith('\ufeff') ? 1 : 0;
  let at = start;
  let number = 1;
  while (at < text.length) {
    const end = format === 'env' ? lineEnd(text, at) : logicalEnd(text, at);
    const found = format === 'env' ? envLine(text, at, end) : propertiesLine(text, at, end);
    if (found) lines.push({ ...found, line: number + breaksIn(text, at, found.start) });
    const next = text.indexOf('\n', end) + 1;
    const stop = next === 0 ? text.length : next;
    number += breaksIn(text, at, stop);
    at = stop;
  }
  return lines;
}

type Found = Omit<KeyLine, 'line'>;

function envLine(text: string, start: number, end: number): Found | undefined {
  const [, before = '', key = ''] = /^(\s*([^#=\s][^=]*)=)/.exec(text.slice(start, end)) ?? [];
  if (key === '') return undefined;
  const from = start + before.length;
  return { key, value: text.slice(from, end), start: from, end };
}

function propertiesLine(text: string, start: number, end: number): Found | undefined {
  const line = text.slice(start, end);
  const [before = '', key] =
    /^[ \t\f]*((?:\\[\s\S]|[^\\\s=:#!])(?:\\[\s\S]|[^\\\s=:])*)[ \t\f]*[=:]?[ \t\f]*/.exec(line) ?? [];
  // A key alone has nowhere to put a value.
  if (key === undefined || before.trimStart() === key) return undefined;
  // The value may begin in the next line only.
  const fold = /^(?:\\\r?\n[ \t\f]*)*/.exec(line.slice(before.length))?.[0] ?? '';
  const from = start + before.length + fold.length;
  return { key: unescaped(key), value: unescaped(text.slice(from, end)), start: from, end };
}

const ESCAPES: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' };

function unescaped(written: string): string {
  return written.replace(
    /\\(?:u([\da-fA-F]{4})|(\r?\n[ \t\f]*)|([\s\S]))/g,
    (_all, code: string | undefined, fold: string | undefined, sign: string | undefined) => {
      if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16));
      return fold === undefined ? (ESCAPES[sign ?? ''] ?? sign ?? '') : '';
    },
  );
}

function lineEnd(text: string, start: number): number {
  const found = text.indexOf('\n', start);
  const end = found < 0 ? text.length : found;
  return text[end - 1] === '\r' && end > start ? end - 1 : end;
}

/** After the last line that a backslash goes on to; a comment does not go on. */
function logicalEnd(text: string, start: number): number {
  let end = lineEnd(text, start);
  if (/^[ \t\f]*(?:[#!]|$)/.test(text.slice(start, end))) return end;
  while (/(?:^|[^\\])(?:\\\\)*\\$/.test(text.slice(start, end))) {
    const next = text.indexOf('\n', end);
    if (next < 0) return end;
    end = lineEnd(text, next + 1);
  }
  return end;
}

function breaksIn(text: string, from: number, to: number): number {
  let count = 0;
  for (let at = text.indexOf('\n', from); at >= 0 && at < to; at = text.indexOf('\n', at + 1)) count += 1;
  return count;
}
