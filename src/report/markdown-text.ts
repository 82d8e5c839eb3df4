/**
 * Text from elsewhere (event messages, image tags, names of branches) as it may stand in markdown: it is shown as it
 * is and does nothing. GitHub would otherwise notify people, link issues, render HTML, break a table, or take a
 * comment of someone else's making for ours.
 */

const LONGEST_INLINE = 300;
/** Direction marks show another text than there is; control characters show nothing. */
const INVISIBLE = /[\p{Cc}\u00AD\u061C\u200B-\u200F\u202A-\u202E\u2060-\u2069\uFEFF]/gu;

/** One line of plain text in a paragraph, a list or a table cell. */
export function plain(text: string, longest: number = LONGEST_INLINE): string {
  return (
    cutCharacters(oneLine(text), longest)
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replace(/[\\`*_~[\]|]/g, match => `\\${match}`)
      // A word joiner between @ and the name: no mention, and the same to read. So for #12, GH-12 and commit links.
      .replace(/@(?=[\p{L}\p{N}])/gu, '@\u2060')
      .replace(/#(?=\d)/g, '#\u2060')
      .replace(/\bGH-(?=\d)/gi, match => `${match}\u2060`)
      // GFM "Autolinks (extension)": also behind `_` and `*`, and by www. alone.
      .replace(/(https?|ftp):\/\//gi, '$1:\u2060//')
      .replace(/(www)\.(?=\S)/gi, '$1\u2060.')
      // GitHub docs, "Writing mathematical expressions": a dollar sign that is none of mathematics.
      .replaceAll('$', '<span>$</span>')
      .replace(/^([-+=#>])/, '\\$1')
      .replace(/^(\d+)([.)])/, '$1\\$2')
  );
}

/** One line in a code span. */
export function code(text: string, longest: number = LONGEST_INLINE): string {
  const line = cutCharacters(oneLine(text), longest).replaceAll('|', '¦');
  if (line.trim() === '') return '``  ``';
  const ticks = '`'.repeat(longestRun(line) + 1);
  const pad = line.startsWith('`') || line.endsWith('`') ? ' ' : '';
  return `${ticks}${pad}${line}${pad}${ticks}`;
}

/** A link whose text is ours or made harmless; the address is taken only when it is http(s). */
export function link(text: string, url: string): string {
  if (!/^https?:\/\/[^\s<>()"']+$/.test(url)) return text;
  return `[${text}](${url})`;
}

/** One line of text that stands in HTML inside of markdown, where a backslash is just a backslash. */
export function htmlText(text: string, longest: number = LONGEST_INLINE): string {
  return plain(text, longest)
    .replace(/\\(?=[\\`*_~[\]|])/g, '')
    .replace(/^\\(?=[-+=#>])/, '');
}

/** Lines in a fenced block. */
export function block(lines: readonly string[]): string {
  const body = lines.map(line => cutCharacters(line.replace(INVISIBLE, '\uFFFD'), 1_000)).join('\n');
  const fence = '`'.repeat(Math.max(3, longestRun(body) + 1));
  return `${fence}text\n${body}\n${fence}`;
}

/** A unified diff, coloured where GitHub renders it: what opens the block, its lines, and what closes it. */
export function diffParts(diff: string): {
  readonly head: string;
  readonly lines: readonly string[];
  readonly tail: string;
} {
  const lines = diff.split('\n').map(line => cutCharacters(line.replace(INVISIBLE, '\uFFFD'), 500));
  const fence = '`'.repeat(Math.max(3, longestRun(diff) + 1));
  return { head: `${fence}diff`, lines, tail: fence };
}

/** Text from elsewhere where nothing is markup (a check's title): one line, nothing invisible. */
export function bare(text: string): string {
  return oneLine(text);
}

/** At most so many characters, the last of them `…` when some are left out. */
export function cutCharacters(text: string, longest: number): string {
  if (text.length <= longest) return text;
  return `${[...text.slice(0, longest * 2)].slice(0, longest - 1).join('')}…`;
}

function oneLine(text: string): string {
  return text.toWellFormed().replace(/\s+/g, ' ').replace(INVISIBLE, '\uFFFD').trim();
}

function longestRun(text: string): number {
  return Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
}
