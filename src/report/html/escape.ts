/** Markup that was made here and is safe to stand in a page. */
export class Html {
  readonly markup: string;

  constructor(markup: string) {
    this.markup = markup;
  }
}

type Part = Html | string | number | undefined | readonly Part[];

/** A template of markup; whatever is filled in is text, unless it is markup made by this same function. */
export function html(parts: TemplateStringsArray, ...values: readonly Part[]): Html {
  const markup = parts.reduce((text, part, index) => text + part + shown(values[index]), '');
  return new Html(markup);
}

function shown(value: Part): string {
  if (value === undefined) return '';
  if (value instanceof Html) return value.markup;
  if (typeof value === 'string' || typeof value === 'number') return escapeText(String(value));
  return value.map(shown).join('');
}

/** Direction marks would show another text than there is. */
const INVISIBLE = /[\p{Cc}\u00AD\u061C\u200B-\u200F\u202A-\u202E\u2060-\u2069\uFEFF]/gu;

function escapeText(text: string): string {
  return text
    .toWellFormed()
    .replace(INVISIBLE, character => (character === '\n' ? '\n' : '\uFFFD'))
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

/** An address for a link; undefined when it is none of the web's. */
export function webAddress(url: string): string | undefined {
  return /^https?:\/\/[^\s<>"']+$/.test(url) ? url : undefined;
}
