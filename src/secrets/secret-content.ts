import { parse } from 'yaml';

/** What of a Secret, or of a generator of one, is its content; the rest are names that stand in every report. */
const NAMES = new Set([
  'apiversion',
  'kind',
  'type',
  'immutable',
  'name',
  'namespace',
  'labels',
  'behavior',
  'options',
  'files',
  'envs',
  'env',
  'target',
  'path',
]);

/** Every text of a Secret, in the forms in which others could say it: plain, decoded, line by line. */
export function contentOf(value: unknown): readonly string[] {
  return textsIn(value, key => !NAMES.has(key.toLowerCase()));
}

/** Of a text that becomes a Secret, or changes one. */
export function contentOfText(text: string): readonly string[] {
  try {
    const value: unknown = parse(text, { merge: true, uniqueKeys: false, logLevel: 'silent' });
    if (typeof value === 'object' && value !== null)
      return textsIn(value, key => key !== 'op' && key !== 'path');
  } catch {
    // An env file, a certificate.
  }
  return wordsOf(text);
}

function textsIn(value: unknown, isMeant: (key: string) => boolean): readonly string[] {
  if (typeof value === 'string') return [...spellings(value), ...textsIn(jsonIn(value), isMeant)];
  if (typeof value === 'number' || typeof value === 'bigint') return [String(value)];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) => (isMeant(key) ? textsIn(each, isMeant) : []));
}

/** kubectl keeps a whole object in an annotation of it. */
function jsonIn(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What can be told of a text that is no YAML: its lines, and what stands behind a key. */
function wordsOf(text: string): readonly string[] {
  return text.split(/\r?\n/).flatMap(line => spellings(line.replace(/^\s*(?:export\s+)?[-#]?\s*/, '')));
}

function spellings(text: string): readonly string[] {
  const whole = text.trim();
  if (whole.includes('\n')) return [whole, ...whole.split(/\r?\n/).flatMap(spellings)];
  const [, value = ''] = /^[^\s=:]+\s*[=:]\s*(.*)$/.exec(whole) ?? [];
  const plain = [whole, value.trim()].flatMap(each => [each, each.replace(/^["']+|["',]+$/g, '')]);
  return [...new Set([...plain, ...plain.flatMap(decoded)])].filter(each => each !== '');
}

/** `data` of a Secret is base64. */
function decoded(text: string): readonly string[] {
  if (text.length < 8 || text.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return [];
  const bytes = Buffer.from(text, 'base64').toString('utf8');
  // What decodes to no text was no base64 of one.
  if (/[\uFFFD\p{Cc}]/u.test(bytes.replace(/[\r\n\t]/g, ''))) return [];
  return bytes.includes('\n') ? [bytes.trim(), ...bytes.split(/\r?\n/).map(line => line.trim())] : [bytes];
}

/**
 * Whether a patch may be one on a Secret. kustomize api/types/selector.go: what a target says is a regular expression;
 * where it says no kind, only what the patch sets can tell.
 */
export function patchesSecret(kind: string | undefined, patch: string): boolean {
  if (kind === undefined || kind === '')
    return /["'/\s{,](?:stringData|data)\b|^(?:stringData|data)\b/.test(patch);
  try {
    return new RegExp(`^(?:${kind})$`, 'i').test('Secret');
  } catch {
    return true;
  }
}
