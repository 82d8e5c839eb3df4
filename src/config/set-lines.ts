import type { ConfigProblem, Inputs } from './settings.ts';

/** Line ends and other control characters, which no name and no value of one line has; a tab is a blank. */
const CONTROL = /(?!\t)[\p{Cc}\u2028\u2029]/u;

/**
 * `name=value`, as the input `set` has it line by line and the command line once a `--set`: blanks around both are none
 * of theirs, `#` begins a comment.
 */
export function readSet(
  lines: readonly string[],
  field: 'input set' | '--set',
): { readonly set: Inputs['set']; readonly problems: readonly ConfigProblem[] } {
  const set: { readonly name: string; readonly value: string }[] = [];
  const problems: ConfigProblem[] = [];
  for (const written of lines) {
    const line = written.trim();
    if (line === '' || line.startsWith('#')) continue;
    const equals = line.indexOf('=');
    const name = line.slice(0, Math.max(0, equals)).trim();
    const value = line.slice(equals + 1).trim();
    const problem = problemOf({ line, name, value });
    if (problem) problems.push({ field, ...problem });
    else set.push({ name, value });
  }
  return { set, problems };
}

function problemOf(on: {
  readonly line: string;
  readonly name: string;
  readonly value: string;
}): Omit<ConfigProblem, 'field' | 'position'> | undefined {
  const { line, name, value } = on;
  if (CONTROL.test(line)) {
    return {
      message: `The value given for ${shown(name) || 'a name'} has a line end or another control character in it.`,
      found: `${shown(name)}=…`,
      allowed: 'name=value on one line; a value of several lines stands in rollout.yaml (value: |)',
    };
  }
  if (name === '') {
    return {
      message: 'There is no name before an equals sign: a name and a value are needed.',
      found: 'a line without a name',
      allowed: 'name=value, one per line, such as image=6.14.1',
    };
  }
  const prefix = /^(?:--?set|-)\s+/.exec(name)?.[0];
  if (prefix !== undefined) {
    const bare = shown(name.slice(prefix.length));
    return { message: `Leave “${prefix.trim()}” out.`, found: `${prefix}${bare}=…`, allowed: `${bare}=…` };
  }
  if (/^["'“”‘’]/.test(name) || /^(["'])[\s\S]*\1$/.test(value) || /^[“‘].*[”’]$/.test(value)) {
    return {
      message: 'Quotes would be part of the value: leave the quotes out.',
      found: 'quotes',
      allowed: `${shown(unquoted(name))}=…`,
    };
  }
  if (value === '') {
    return {
      message: `There is nothing after ${name}=: did an expression give nothing?`,
      found: 'nothing',
      allowed: "a value; to set an empty one, write value: '' into rollout.yaml",
    };
  }
  return undefined;
}

/** Of a line only the name is ever shown: the value may be a secret, and so may a line that is the rest of one. */
function unquoted(text: string): string {
  return text.replace(/^["'“”‘’]+|["'“”‘’]+$/g, '');
}

function shown(text: string): string {
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
