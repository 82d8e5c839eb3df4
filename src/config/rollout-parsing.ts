import { kindMeant, type TargetRef } from '../rollout/target.ts';
import { TARGET_PATTERN } from './rollout-schema.ts';
import type { ConfigProblem } from './settings.ts';
import type { YamlPositions } from './yaml-positions.ts';

/** `change[1].env`. */
export function fieldName(path: readonly PropertyKey[]): string {
  return path.reduce<string>((name, part) => {
    if (typeof part === 'number') return `${name}[${part}]`;
    return name === '' ? String(part) : `${name}.${String(part)}`;
  }, '');
}

/** A target as its pattern has let it pass. */
export function parseTarget(text: string): TargetRef {
  const [, kind, namespace = '', name = ''] = TARGET_PATTERN.exec(text) ?? [];
  return { kind: kindMeant(kind), namespace, name };
}

/** One, or several: both are written. */
export function list<T>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? value : [value as T];
}

/** A problem of a place in the file, for whoever wrote it. */
export function problem(
  yaml: YamlPositions,
  path: readonly PropertyKey[],
  what: Omit<ConfigProblem, 'position' | 'field'>,
): ConfigProblem {
  return { position: yaml.of(path), field: fieldName(path), ...what };
}
