/**
 * Which strings may be written without quotes. What we write is read by YAML 1.1 (go-yaml v2 and v3: kustomize, Flux,
 * Helm, kubectl) and by YAML 1.2 (most editors and tools), so a string stays plain only where all of them read that
 * very string. Rules: go-yaml v3 and v2 resolve.go; yaml.org/type (YAML 1.1); YAML 1.2.2, 10.3.2 (core schema).
 * Tested against what go-yaml says: __tests__/edit/go-yaml-readings.json.
 */
export function isPlain(text: string, within: 'block' | 'flow'): boolean {
  return canStandPlain(text, within) && readsAsString(text);
}

/** yaml.org/type/bool.html, null.html, merge.html, value.html; of `y` and `n` go-yaml v2 and v3 think differently. */
const WORDS = new Set(['', '~', 'null', 'y', 'yes', 'n', 'no', 'on', 'off', 'true', 'false', '<<', '=']);

/** Numbers, after their underscores are taken out (YAML 1.1). */
const NUMBERS = [
  // Whole numbers and floats; a leading 0 is octal in YAML 1.1 and decimal in 1.2; some take a dot alone.
  /^[-+]?(?:\.\d*|\d+(?:\.\d*)?)(?:e[-+]?\d+)?$/i,
  // An exponent alone: so the JavaScript library reads it as YAML 1.1.
  /^[-+]?e[-+]?\d+$/i,
  // go-yaml reads what follows the base with Go's ParseInt, which takes a sign.
  /^[-+]?0b[-+]?[01]+$/i,
  /^[-+]?0o[-+]?[0-7]+$/i,
  /^[-+]?0x[-+]?[0-9a-f]+$/i,
  /^[-+]?\.(?:inf|nan)$/i,
  // Base 60 (yaml.org/type/int.html, float.html).
  /^[-+]?\d+(?::[0-5]?\d)+(?:\.\d*)?$/,
];

/** yaml.org/type/timestamp.html; go-yaml's parseTimestamp takes one digit for month and day. */
const TIMESTAMP = /^\d{4}-\d{1,2}-\d{1,2}(?:[Tt\s].*)?$/;

/** Not a boolean, number, date or nothing, in any of the readings. */
export function readsAsString(text: string): boolean {
  if (WORDS.has(text.toLowerCase())) return false;
  if (!/^[-+.\de]/i.test(text)) return true;
  const digits = text.replaceAll('_', '');
  return !NUMBERS.some(number => number.test(digits)) && !TIMESTAMP.test(text);
}

/** What every reader takes for a character within a line. YAML 1.1 takes U+0085, U+2028 and U+2029 for line ends. */
export const PRINTABLE =
  /^[\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\u{10000}-\u{10ffff}]*$/u;

/** Signs at the start, of comments and of collections: quoted wherever they are, so that a value may be moved. */
function canStandPlain(text: string, within: 'block' | 'flow'): boolean {
  if (!PRINTABLE.test(text) || /[,[\]{}#]|: |:$/.test(text)) return false;
  if (/^[\s?:&*!|>'"%@`]|\s$|^(?:---|\.\.\.)/.test(text)) return false;
  if (text.startsWith('-') && !/^-[\w/.-]/.test(text)) return false;
  return within === 'block' || !text.includes('?');
}
