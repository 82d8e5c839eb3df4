import type { z } from 'zod';
import { CANARY_FIELDS } from '../flagger/crd-check.ts';
import { canarySchema } from './canary-schema.ts';
import { nearest } from './nearest.ts';
import { either, named } from './problem-text.ts';
import { fieldName, list } from './rollout-parsing.ts';
import { rolloutSchema, TARGET_PATTERN } from './rollout-schema.ts';
import { exampleOf, fieldsOf, schemasAt, wordsOf } from './schema-at.ts';
import type { ConfigProblem } from './settings.ts';
import type { YamlPositions } from './yaml-positions.ts';

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

interface On {
  readonly yaml: YamlPositions;
  /** The whole file, as data. */
  readonly data: unknown;
}

/** What the schema does not take, in words of the file: one problem for each mistake. */
export function schemaProblems(issues: readonly Issue[], on: On): readonly ConfigProblem[] {
  const all = issues.flatMap(issue => chosen(issue, []));
  const unknown = all.flatMap(({ issue, path }) =>
    issue.code === 'unrecognized_keys' ? issue.keys.map(key => ({ path, key })) : [],
  );
  // A field that is missing, and one beside it that has nearly its name, are one mistake.
  const mistyped = ({ path }: At): boolean =>
    dataAt(on.data, path) === undefined &&
    unknown.some(each => isBeside(each.path, path) && nearest(each.key, [String(path.at(-1))]) !== undefined);
  return [...all.filter(at => !mistyped(at)).flatMap(at => problemsOf(at, on)), ...misplacedFields(all, on)];
}

interface At {
  readonly issue: Issue;
  /** From the top of the file. */
  readonly path: Path;
}

function isBeside(map: Path, field: Path): boolean {
  return map.length === field.length - 1 && map.every((key, index) => key === field[index]);
}

/** Of what may be one thing or another: the mistakes in the one that was most likely meant. */
function chosen(issue: Issue, above: Path): readonly At[] {
  const path = [...above, ...issue.path];
  if (issue.code !== 'invalid_union') return [{ issue, path }];
  const choices = issue.errors
    .filter(errors => !errors.some(each => each.code === 'invalid_type' && each.path.length === 0))
    .map(errors => errors.flatMap(each => chosen(each, path)));
  const [best] = choices.toSorted((one, other) => weight(one) - weight(other));
  return best ?? [{ issue, path }];
}

function weight(at: readonly At[]): number {
  return at.reduce(
    (sum, { issue }) =>
      sum +
      (issue.code === 'unrecognized_keys' ? 2 * issue.keys.length : issue.code === 'invalid_type' ? 2 : 1),
    0,
  );
}

function problemsOf({ issue, path }: At, { yaml, data }: On): readonly ConfigProblem[] {
  const schemas = schemasAt(rolloutSchema, path);
  const field = fieldName(path) || 'rollout.yaml';
  const position = yaml.of(path);
  const key = path.length === 0 || typeof path.at(-1) === 'number' ? '' : String(path.at(-1));
  const example = exampleOf(schemas, key);
  const common = { position, field, ...(example === undefined ? {} : { example }) };
  if (issue.code === 'unrecognized_keys') return issue.keys.map(each => unknownField(each, { path, yaml }));
  if (issue.code === 'invalid_key') return isCanaryField(path) ? [] : [unknownTarget(path, { yaml, data })];
  const value = dataAt(data, path);
  const found = named(value, yaml.source(path));
  if (value === undefined) {
    const map = fieldName(path.slice(0, -1)) || 'the file';
    return [
      { ...common, message: `${key || field} is missing in ${map}.`, allowed: allowedBy(issue, schemas) },
    ];
  }
  const meant = meantBy(value, issue, path);
  return [
    { ...common, found, ...(meant === undefined ? {} : { meant }), allowed: allowedBy(issue, schemas) },
  ];
}

/** What a value most likely stands for, in the words that are allowed. */
function meantBy(value: unknown, issue: Issue, path: Path): string | undefined {
  if (path[0] === 'target' && typeof value === 'object' && value !== null) {
    const [namespace, name] = [dataAt(value, ['namespace']), dataAt(value, ['name'])];
    return typeof namespace === 'string' && typeof name === 'string' ? `${namespace}/${name}` : undefined;
  }
  if (typeof value !== 'string') return undefined;
  if (issue.code === 'invalid_value') return nearest(value, issue.values.map(String));
  const lower = value.toLowerCase();
  if (path[0] === 'target' && lower !== value && TARGET_PATTERN.test(lower)) return lower;
  return /(?:github\.[^/:]+|^git@[^:]+)[/:]([\w.-]+\/[\w.-]+?)(?:\.git)?\/?$/.exec(value)?.[1];
}

function allowedBy(issue: Issue, schemas: readonly z.core.$ZodType[]): string {
  switch (issue.code) {
    case 'invalid_value':
      return issue.values.map(String).join(', ');
    case 'invalid_format':
      return issue.message;
    case 'too_small':
      return issue.origin === 'string' ? 'a text that is not empty' : 'at least one';
    default:
      return wordsOf(schemas);
  }
}

/** Fields that people know from elsewhere. */
const HINTS: readonly (readonly [path: RegExp, key: string, hint: string])[] = [
  [/\.metrics\.\d+$/, 'thresholdRange', 'min and max stand here directly: {name: success, min: 99}'],
  [/\.metrics\.\d+$/, 'threshold', 'Say min (the least that passes) or max.'],
  [/^change\.\d+$/, 'tag', 'The new tag stands in value, or behind the image: ghcr.io/acme/shop:6.14.1'],
  [/^$/, 'canaries', 'Canaries stand by target: canary: {prod/shop: {…}}'],
  [/^$/, 'apiVersion', 'rollout.yaml is no object of Kubernetes; it begins with target and change.'],
  [/^$/, 'kind', 'rollout.yaml is no object of Kubernetes; it begins with target and change.'],
];

function unknownField(
  key: string,
  { path, yaml }: { readonly path: Path; readonly yaml: YamlPositions },
): ConfigProblem {
  const names = fieldsOf(schemasAt(rolloutSchema, path));
  const map = fieldName(path);
  const name = /^\S+$/.test(key) ? key : `“${key}”`;
  const meant = nearest(key, names);
  const hint = HINTS.find(([at, name]) => name === key && at.test(path.map(String).join('.')))?.[2];
  return {
    position: yaml.ofKey(path, key),
    field: map === '' ? name : `${map}.${name}`,
    message: `There is no field ${name}${map === '' ? '' : ` in ${map}`}.`,
    ...(meant === undefined || hint !== undefined ? {} : { meant }),
    allowed: names.join(', '),
    ...(hint === undefined ? {} : { remedy: hint }),
  };
}

/** `canary: {provider: nginx}`: what belongs to a target stands beside the targets. */
function isCanaryField(path: Path): boolean {
  const known = [...fieldsOf([canarySchema]), ...CANARY_FIELDS];
  return path.length === 2 && path[0] === 'canary' && known.includes(String(path[1]));
}

function misplacedFields(all: readonly At[], { yaml, data }: On): readonly ConfigProblem[] {
  const keys = all
    .filter(({ issue, path }) => issue.code === 'invalid_key' && isCanaryField(path))
    .map(({ path }) => String(path[1]));
  const [first] = keys;
  if (first === undefined) return [];
  const target = targetsOf(data)[0] ?? 'prod/shop';
  return [
    {
      position: yaml.ofKey(['canary'], first),
      field: 'canary',
      message: `${either(keys).replace(' or ', ' and ')} ${keys.length === 1 ? 'is' : 'are'} of a Canary, and Canaries stand by target.`,
      allowed: 'the targets of this rollout, with the fields of their Canary below them',
      example: `canary: {${target}: {${first}: …}}`,
    },
  ];
}

function unknownTarget(path: Path, { yaml, data }: On): ConfigProblem {
  const key = String(path.at(-1));
  const targets = targetsOf(data);
  const meant = targets.find(target => target.endsWith(`/${key}`)) ?? nearest(key, targets);
  return {
    position: yaml.ofKey(path.slice(0, -1), key),
    field: fieldName(path),
    found: `“${key}”, which is no target`,
    ...(meant === undefined ? {} : { meant }),
    allowed: targets.length > 0 ? either(targets) : 'namespace/name of a target',
    example: `canary: {${meant ?? targets[0] ?? 'prod/shop'}: {analysis: {interval: 30s}}}`,
  };
}

function targetsOf(data: unknown): readonly string[] {
  const target = dataAt(data, ['target']);
  return target === undefined ? [] : list(target).filter(isTarget);
}

function isTarget(value: unknown): value is string {
  return typeof value === 'string' && TARGET_PATTERN.test(value);
}

function dataAt(data: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (at, key) => (typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined),
    data,
  );
}
