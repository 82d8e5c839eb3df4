import { CRD_VERSION, type CrdProblem, checkSpec } from '../flagger/crd-check.ts';
import { canarySchema } from './canary-schema.ts';
import { nearest } from './nearest.ts';
import { named } from './problem-text.ts';
import { fieldName } from './rollout-parsing.ts';
import { fieldsOf } from './schema-at.ts';
import type { ConfigProblem } from './settings.ts';
import type { YamlPositions } from './yaml-positions.ts';

/** Longer lists are left out where it is plain what was meant. */
const MOST_NAMES = 8;
const WEIGHTS = ['stepWeight', 'stepWeights', 'maxWeight'];

/**
 * Fields of a Canary in Flagger's own words, each by itself: whether it is known, and of the right kind. What they make
 * together with those that the Canary has already is checked where it is known (plan/check-canary.ts).
 */
export function canaryFieldProblems(
  target: string,
  on: { readonly spec: Readonly<Record<string, unknown>>; readonly yaml: YamlPositions },
): readonly ConfigProblem[] {
  const found = checkSpec('Canary', withoutNothing(on.spec))
    .filter(({ kind }) => kind === 'unknown' || kind === 'type' || kind === 'value')
    .map(problem => inWords(target, problem, on.yaml));
  return [...found, ...exclusive(target, on)];
}

function inWords(target: string, problem: CrdProblem, yaml: YamlPositions): ConfigProblem {
  const path = ['canary', target, ...problem.path];
  const field = fieldName(path);
  const key = String(path.at(-1));
  const names = problem.path.length === 1 ? [...problem.names, ...fieldsOf([canarySchema])] : problem.names;
  if (problem.kind === 'unknown') {
    const meant = nearest(key, names);
    return {
      position: yaml.ofKey(path.slice(0, -1), key),
      field,
      message: `Flagger ${CRD_VERSION} has no field ${key} there.`,
      ...(meant === undefined ? {} : { meant }),
      allowed:
        meant === undefined || names.length <= MOST_NAMES
          ? [...new Set(names)].join(', ')
          : `${meant} and ${names.length - 1} others`,
    };
  }
  const { value } = problem;
  const meant = typeof value === 'string' ? nearest(value, names) : undefined;
  return {
    position: yaml.of(path),
    field,
    found: named(value, yaml.source(path)),
    ...(meant === undefined ? {} : { meant }),
    allowed: problem.allowed,
  };
}

/** `field: null` takes a field of the Canary away. */
function withoutNothing(spec: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(spec).filter(([, value]) => value !== null && value !== undefined),
  );
}

function exclusive(
  target: string,
  { spec, yaml }: { readonly spec: Readonly<Record<string, unknown>>; readonly yaml: YamlPositions },
): readonly ConfigProblem[] {
  const { analysis } = spec;
  if (typeof analysis !== 'object' || analysis === null) return [];
  const given = Object.entries(analysis).flatMap(([key, value]) => (value === null ? [] : [key]));
  const weights = WEIGHTS.filter(key => given.includes(key));
  if (!given.includes('iterations') || weights.length === 0) return [];
  const path = ['canary', target, 'analysis'];
  return [
    {
      position: yaml.ofKey(path, 'iterations'),
      field: fieldName([...path, 'iterations']),
      message: `iterations excludes ${weights.join(' and ')}.`,
      allowed: 'weights, which move the traffic step by step, or iterations, which only count checks',
    },
  ];
}
