import type { Scalar } from 'yaml';

/**
 * Where each character of a scalar's value stands in its source (UTF-16 offsets); one more at the end, for what follows
 * the last. Undefined where the source is read in a way that we do not follow: whoever asks can do without.
 */
export function offsetsOf(raw: string, style: Scalar.Type, value: string): readonly number[] | undefined {
  const read =
    style === 'BLOCK_LITERAL' || style === 'BLOCK_FOLDED'
      ? readBlock(raw, style === 'BLOCK_FOLDED', value)
      : style === 'PLAIN' || style === 'QUOTE_SINGLE' || style === 'QUOTE_DOUBLE'
        ? readFlow(raw, style)
        : undefined;
  return read?.value === value ? read.offsets : undefined;
}

class Reading {
  readonly offsets: number[] = [];
  private readonly parts: string[] = [];

  add(text: string, at: number, step = 1): void {
    this.parts.push(text);
    for (let index = 0; index < text.length; index += 1) this.offsets.push(at + index * step);
  }

  /** Without the blanks at its end, from a length on. */
  trim(from: number): void {
    while (this.parts.length > from && /^[ \t]$/.test(this.parts.at(-1) ?? '')) {
      this.parts.pop();
      this.offsets.pop();
    }
  }

  get length(): number {
    return this.parts.length;
  }

  done(end: number): { readonly value: string; readonly offsets: readonly number[] } {
    return { value: this.parts.join(''), offsets: [...this.offsets, end] };
  }
}

/** YAML 1.2.2, 8.1: literal blocks keep their line ends, folded ones make spaces of them. */
function readBlock(raw: string, folded: boolean, value: string) {
  const lines = linesOf(raw).slice(1);
  const known = lines.findIndex(({ text }) => text.trim() !== '');
  const first = lines[known];
  const indent = first ? first.text.length - lengthOfLine(first.text, value) : 0;
  const last = lines.findLastIndex(({ text }) => text.trim() !== '' || text.length > indent);
  const reading = new Reading();
  let separator = '';
  let deeper = false;
  let previous: Line | undefined;
  for (const line of lines.slice(0, last + 1)) {
    const text = line.text.slice(indent);
    const isDeeper = /^[ \t]/.test(text);
    if (folded && text === '' && separator !== '\n') separator = '\n';
    else if (folded && text === '') reading.add('\n', previous?.end ?? line.start);
    else {
      if (folded && isDeeper && separator === ' ') separator = '\n';
      else if (folded && isDeeper && !deeper && separator === '\n') separator = '\n\n';
      reading.add(separator, previous?.end ?? line.start, 0);
      reading.add(text, line.start + indent);
      separator = folded && !isDeeper ? ' ' : '\n';
      deeper = isDeeper;
    }
    previous = line;
  }
  const ends = value.length - reading.offsets.length;
  for (let index = 0; index < ends; index += 1) {
    reading.add('\n', lines[last + index]?.end ?? previous?.end ?? raw.length);
  }
  const end = lines[last + Math.max(0, ends - 1)];
  return reading.done(ends > 0 ? (end?.next ?? raw.length) : (previous?.end ?? raw.length));
}

/** The first line of a value is the end of the first line of its block. */
function lengthOfLine(line: string, value: string): number {
  const first = value.split('\n').find(each => each.trim() !== '') ?? '';
  return line.endsWith(first) ? first.length : line.trimStart().length;
}

/** YAML 1.2.2, 7.3: quotes and plain text, on one line or several. */
function readFlow(raw: string, style: 'PLAIN' | 'QUOTE_SINGLE' | 'QUOTE_DOUBLE') {
  const quotes = style === 'PLAIN' ? 0 : 1;
  const end = raw.length - quotes;
  const reading = new Reading();
  // Blanks that are escaped are no blanks of the line's end.
  let fixed = 0;
  let at = quotes;
  while (at < end) {
    const sign = raw[at] ?? '';
    const lineEnd = /^(?:\r?\n[ \t]*)+/.exec(
      raw.slice(at, at + 1) === '\n' || sign === '\r' ? raw.slice(at) : '',
    );
    if (lineEnd) {
      reading.trim(fixed);
      const count = lineEnd[0].split('\n').length - 1;
      reading.add(count === 1 ? ' ' : '\n'.repeat(count - 1), at, 0);
      at += lineEnd[0].length;
    } else if (style === 'QUOTE_SINGLE' && sign === "'") {
      reading.add("'", at);
      at += 2;
    } else if (style === 'QUOTE_DOUBLE' && sign === '\\') {
      const { text, length } = escaped(raw.slice(at, at + 10), raw, at);
      reading.add(text, at, 0);
      fixed = reading.length;
      at += length;
    } else {
      reading.add(sign, at);
      at += 1;
    }
  }
  return reading.done(end);
}

const ESCAPES: Readonly<Record<string, string>> = {
  0: '\0',
  a: '\x07',
  b: '\b',
  t: '\t',
  '\t': '\t',
  n: '\n',
  v: '\v',
  f: '\f',
  r: '\r',
  e: '\x1b',
  N: '\x85',
  _: '\xa0',
  L: '\u2028',
  P: '\u2029',
};

function escaped(sign: string, raw: string, at: number): { readonly text: string; readonly length: number } {
  const code = /^\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8}))/.exec(sign);
  if (code) {
    const point = Number.parseInt(code[1] ?? code[2] ?? code[3] ?? '', 16);
    return { text: point > 0x10ffff ? '' : String.fromCodePoint(point), length: code[0].length };
  }
  const fold = /^\\\r?\n[ \t]*/.exec(/^\\\r?\n/.test(sign) ? raw.slice(at) : '');
  if (fold) return { text: '', length: fold[0].length };
  return { text: ESCAPES[sign[1] ?? ''] ?? sign[1] ?? '', length: 2 };
}

interface Line {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly next: number;
}

function linesOf(raw: string): readonly Line[] {
  const lines: Line[] = [];
  let start = 0;
  while (start < raw.length) {
    const found = raw.indexOf('\n', start);
    const next = found < 0 ? raw.length : found + 1;
    const end = found < 0 ? raw.length : raw[found - 1] === '\r' ? found - 1 : found;
    lines.push({ text: raw.slice(start, end), start, end, next });
    start = next;
  }
  return lines;
}
