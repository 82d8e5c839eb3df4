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
      .replace(/\b(https?):\/\//gi, '$1:\u2060//')
      .replace(/^(\s*)([-+=#>]|\d+[.)])/, '$1\\$2')
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

/** Lines in a fenced block. */
export function block(lines: readonly string[]): string {
  const body = lines.map(line => cutCharacters(line.replace(INVISIBLE, '\uFFFD'), 1_000)).join('\n');
  const fence = '`'.repeat(Math.max(3, longestRun(body) + 1));
  return `${fence}text\n${body}\n${fence}`;
}

/** Most lines of a diff that a report shows. */
const MAX_DIFF_LINES = 200;

/** A unified diff, coloured where GitHub renders it. */
export function diffBlock(diff: string): string {
  const lines = diff.split('\n');
  const shown = lines
    .slice(0, MAX_DIFF_LINES)
    .map(line => cutCharacters(line.replace(INVISIBLE, '\uFFFD'), 500));
  const more = lines.length > MAX_DIFF_LINES ? [`… ${lines.length - MAX_DIFF_LINES} more lines`] : [];
  const body = [...shown, ...more].join('\n');
  const fence = '`'.repeat(Math.max(3, longestRun(body) + 1));
  return `${fence}diff\n${body}\n${fence}`;
}

/**
 * A text of at most so many bytes of UTF-8. What is too long is cut between sections, so that no character, table or
 * code block is broken; the last section that fits is followed by a word about it.
 */
export function fitSections(sections: readonly string[], maxBytes: number, note: string): string {
  const kept: string[] = [];
  let bytes = Buffer.byteLength(note) + 2;
  for (const section of sections.filter(each => each !== '')) {
    const size = Buffer.byteLength(section) + 2;
    if (bytes + size > maxBytes) return [...kept, note].join('\n\n');
    kept.push(section);
    bytes += size;
  }
  return kept.join('\n\n');
}

function oneLine(text: string): string {
  return text.toWellFormed().replace(/\s+/g, ' ').replace(INVISIBLE, '\uFFFD').trim();
}

function cutCharacters(text: string, longest: number): string {
  if (text.length <= longest) return text;
  return `${[...text.slice(0, longest * 2)].slice(0, longest - 1).join('')}…`;
}

function longestRun(text: string): number {
  return Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
}
