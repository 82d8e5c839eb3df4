import { PRINTABLE } from './plain.ts';
import { offsetsOf } from './scalar-map.ts';
import { type Source, written } from './written.ts';
import type { Reads } from './yaml-leaves.ts';

/** Another text for a piece of a text. */
export interface Hunk {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

export function withHunks(text: string, hunks: readonly Hunk[]): string {
  const parts: string[] = [];
  let at = 0;
  for (const hunk of hunks.toSorted((one, other) => one.start - other.start)) {
    parts.push(text.slice(at, hunk.start), hunk.text);
    at = hunk.end;
  }
  return [...parts, text.slice(at)].join('');
}

/**
 * A scalar's source with changes of its value: only what changes is written anew, where its style can say it in place
 * (line ends, folds and escapes around it stay); else the whole of it.
 */
export function rewritten(source: Source, value: string, hunks: readonly Hunk[]): string {
  const next = withHunks(value, hunks);
  return (next === value ? source.raw : inPlace(source, { value, next, hunks })) ?? written(next, source);
}

/** A scalar's source with another value. */
export function withValue(source: Source, value: string, next: string): string {
  const onOneLine = !source.raw.includes('\n');
  return onOneLine ? written(next, source) : rewritten(source, value, [difference(value, next)]);
}

/** The same, of the type that was there where it can be: `3` stays a number, and a block that ends a line still does. */
export function withLikeValue(
  source: Source,
  was: { readonly value: string; readonly reads: Reads },
  next: string,
): string {
  const { value, reads } = was;
  const number = reads === 'number' && /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/.test(next);
  if (number || (reads === 'boolean' && /^(?:true|false)$/.test(next))) return next;
  const ended = source.style.startsWith('BLOCK_') && value.endsWith('\n') && !next.endsWith('\n');
  return withValue(source, value, ended ? `${next}\n` : next);
}

/** What stands where nothing stood is kept apart from what is around it. */
export function apart(text: string, start: number, end: number, source: string): string {
  if (start < end) return source;
  const before = start === 0 || /\s/.test(text[start - 1] ?? '') ? '' : ' ';
  const after = /[^\s,\]}]/.test(text[start] ?? '') ? ' ' : '';
  return `${before}${source}${after}`;
}

function inPlace(
  source: Source,
  on: { readonly value: string; readonly next: string; readonly hunks: readonly Hunk[] },
): string | undefined {
  const { raw, style, newline } = source;
  if (style === 'PLAIN') return undefined;
  const offsets = offsetsOf(raw, style, on.value);
  if (!offsets) return undefined;
  if (style.startsWith('BLOCK_') && !isSameBlock(raw, on)) return undefined;
  const indent = /\n( +)\S/.exec(raw)?.[1] ?? '';
  if (style.startsWith('BLOCK_') && indent === '') return undefined;
  const escaped = on.hunks.map(({ start, end, text }) => ({
    start: offsets[start] ?? raw.length,
    end: offsets[end] ?? raw.length,
    text: inStyle(text, source, `${newline}${indent}`),
  }));
  if (escaped.some(({ text }) => text === undefined)) return undefined;
  const candidate = withHunks(
    raw,
    escaped.map(hunk => ({ ...hunk, text: hunk.text ?? '' })),
  );
  return offsetsOf(candidate, style, on.next) ? candidate : undefined;
}

/** A piece of text as it stands within a scalar; undefined where it cannot. */
function inStyle(text: string, { style }: Source, lineStart: string): string | undefined {
  if (style === 'QUOTE_DOUBLE')
    return written(text, { raw: '', style, within: 'json', newline: '' }).slice(1, -1);
  const lines = text.split('\n');
  if (!lines.every(line => PRINTABLE.test(line))) return undefined;
  if (style === 'QUOTE_SINGLE') return lines.length === 1 ? text.replaceAll("'", "''") : undefined;
  if (style === 'BLOCK_FOLDED' && lines.length > 1) return undefined;
  return lines
    .map((line, index) =>
      index === 0 ? line : line === '' ? lineStart.replace(/ +$/, '') : `${lineStart}${line}`,
    )
    .join('');
}

/** Blanks at the beginning would be taken for indentation, and line ends at the end are the header's to keep. */
function isSameBlock(raw: string, on: { readonly value: string; readonly next: string }): boolean {
  const indented = /^[|>][-+]*\s/.test(raw) && /^\n*[ \t]/.test(on.next);
  return !indented && lineEndsOf(on.value) === lineEndsOf(on.next);
}

function lineEndsOf(text: string): number {
  let count = 0;
  while (text.at(-1 - count) === '\n') count += 1;
  return count;
}

/** What two texts do not share at their beginning and their end. */
function difference(value: string, next: string): Hunk {
  const most = Math.min(value.length, next.length);
  let start = 0;
  while (start < most && value[start] === next[start]) start += 1;
  let end = 0;
  while (end < most - start && value.at(-1 - end) === next.at(-1 - end)) end += 1;
  return { start, end: value.length - end, text: next.slice(start, next.length - end) };
}
