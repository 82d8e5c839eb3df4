import type { ConfigProblem } from './settings.ts';

/** One paragraph per problem: `rollout.yaml:3:5: change[0].env: …`. */
export function formatProblems(problems: readonly ConfigProblem[]): string {
  return problems.map(formatProblem).join('\n');
}

/** Where, what was found, what may have been meant, what is allowed, and how that looks. */
function formatProblem(problem: ConfigProblem): string {
  const { position, field, message, found, meant, allowed, example, remedy } = problem;
  const where = position ? `${position.file}:${position.line}:${position.column}: ` : '';
  const sentences = [
    message,
    found && `Found: ${found}`,
    meant && `Is ${meant} meant?`,
    `Allowed: ${allowed}`,
    example && `Example: ${example}`,
    remedy,
  ];
  const words = sentences.flatMap(text => (text ? [sentence(text)] : [])).join(' ');
  return onOneLine(`${where}${field}: ${words}`);
}

/** Line ends and the like, which names and values may have in quotes, by their escapes. */
function onOneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]/gu, sign => {
    const written = JSON.stringify(sign).slice(1, -1);
    return written === sign ? `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}` : written;
  });
}

/** With a full stop, unless it ends in a sign of its own. */
export function sentence(text: string): string {
  return /[.?!…]$/.test(text) ? text : `${text}.`;
}

/** A value as a person names it: `the number 5`, `the text “a”`, `a list`. */
export function named(value: unknown, source?: string): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') {
    const keys = Object.keys(value);
    return keys.length === 0 ? 'an empty map' : `a map with ${short(keys.join(', '))}`;
  }
  if (value === '') return 'an empty text';
  if (typeof value === 'string') return `the text “${short(value)}”`;
  return `${typeof value === 'number' ? 'the number ' : ''}${source ?? String(value)}`;
}

function short(text: string): string {
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

/** `a, b or c`. */
export function either(words: readonly string[]): string {
  const all = [...new Set(words)];
  return all.length < 2 ? all.join('') : `${all.slice(0, -1).join(', ')} or ${all.at(-1)}`;
}
