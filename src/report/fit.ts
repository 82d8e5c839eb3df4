/** A part of a report that can be made shorter by leaving out its last rows. */
export interface Rows {
  readonly head: string;
  readonly rows: readonly string[];
  readonly tail: string;
  /** What stands for so many rows that are left out. */
  readonly more: (count: number) => string;
}

export type Section = string | Rows;

/** No part with rows may take more than this share while others wait. */
const SHARE = 0.25;

/**
 * A text of at most so many bytes of UTF-8. What is too long loses its last rows, or is left out as a whole, so that no
 * character, table or code block is ever cut; the text ends with a word about it.
 */
export function fitSections(sections: readonly Section[], maxBytes: number, note: string): string {
  const kept: string[] = [];
  let left = maxBytes - size(note);
  let cut = false;
  for (const section of sections) {
    if (section === '') continue;
    const room = typeof section === 'string' ? left : Math.min(left, maxBytes * SHARE);
    const whole = textOf(section);
    const text =
      size(whole) <= room ? whole : typeof section === 'string' ? undefined : shortened(section, room);
    cut ||= text !== whole;
    if (text === undefined) continue;
    kept.push(text);
    left -= size(text);
  }
  return (cut ? [...kept, note] : kept).join('\n\n');
}

export function textOf(section: Section): string {
  if (typeof section === 'string') return section;
  return joined(section, section.rows);
}

/** With as many rows as there is room for; undefined when there is none for a single one. */
function shortened(section: Rows, room: number): string | undefined {
  let bytes = size(joined(section, [section.more(section.rows.length)]));
  let count = 0;
  for (const row of section.rows) {
    bytes += Buffer.byteLength(row) + 1;
    if (bytes > room) break;
    count += 1;
  }
  if (count === 0) return undefined;
  return joined(section, [...section.rows.slice(0, count), section.more(section.rows.length - count)]);
}

function joined({ head, tail }: Rows, rows: readonly string[]): string {
  return [head, ...rows, tail].filter(part => part !== '').join('\n');
}

/** With the empty line that follows it. */
function size(text: string): number {
  return Buffer.byteLength(text) + 2;
}
