import { isAlias, isScalar, visit } from 'yaml';
import type { ConfigProblem } from './settings.ts';
import type { YamlPositions } from './yaml-positions.ts';

/** Every object of JavaScript has these by itself: as a field of a file they get lost on the way, without a word. */
const FORBIDDEN = ['__proto__', 'constructor', 'prototype'];

/** Keys that no field can have, at any depth. */
export function forbiddenKeys(yaml: YamlPositions): readonly ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const { document } = yaml;
  visit(document, {
    Pair: (_, { key }) => {
      const named: unknown = isAlias(key) ? key.resolve(document) : key;
      if (!isScalar(named) || !FORBIDDEN.includes(String(named.value))) return;
      const name = String(named.value);
      problems.push({
        position: yaml.at(offsetOf(key) ?? offsetOf(named) ?? 0),
        field: name,
        found: name,
        allowed: `any name but ${FORBIDDEN.join(', ')}`,
        message: `No field can be named ${name}.`,
      });
    },
  });
  return problems;
}

function offsetOf(node: unknown): number | undefined {
  return isScalar(node) || isAlias(node) ? node.range?.[0] : undefined;
}
