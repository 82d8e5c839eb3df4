import crds from './flagger-crds.json' with { type: 'json' };

/** What a definition would not take, or would drop without a word. */
export interface SpecProblem {
  /** Path within the object: `spec.analysis.stepWeight`. */
  readonly field: string;
  readonly found: string;
  readonly allowed: string;
  readonly message: string;
}

/** What a definition says of one place, with all that it takes to say it of a file. */
export interface CrdProblem extends SpecProblem {
  /** A field that is not known; of another type or value; missing; or fields that exclude or need each other. */
  readonly kind: 'unknown' | 'type' | 'value' | 'missing' | 'choice';
  /** Below `spec`. */
  readonly path: Path;
  readonly value: unknown;
  /** The fields or words that are known there. */
  readonly names: readonly string[];
}

type Path = readonly (string | number)[];

/** The version of the definitions that are checked against. */
export const CRD_VERSION = crds.version;

export type FlaggerKind = 'Canary' | 'MetricTemplate' | 'AlertProvider';

/** The keywords that Flagger's definitions use (OpenAPI v3 as Kubernetes structural schemas). */
interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema;
  readonly items?: Schema;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxItems?: number;
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly not?: Schema;
  readonly 'x-kubernetes-int-or-string'?: boolean;
}

const KINDS: Readonly<Record<FlaggerKind, Schema>> = crds.kinds;

/** Flagger's pattern for times. */
const DURATION = '^[0-9]+(m|s)';
const A_DURATION = 'a duration such as 30s or 1m';

/** Of Canary.spec. */
export const CANARY_FIELDS: readonly string[] = Object.keys(KINDS.Canary.properties ?? {});

/**
 * A spec against Flagger's published definition, as the API server checks it; and fields that it does not know, which the
 * API server would drop.
 */
export function checkSpec(kind: FlaggerKind, spec: unknown): readonly CrdProblem[] {
  return problemsOf(KINDS[kind], spec, []);
}

function problemsOf(schema: Schema, value: unknown, path: Path): readonly CrdProblem[] {
  if (value === null || value === undefined) return [];
  const wrongType = typeProblem(schema, value, path);
  if (wrongType) return [wrongType];
  const own = [...valueProblems(schema, value, path), ...choiceProblems(schema, value, path)];
  if (Array.isArray(value)) {
    const { items } = schema;
    return items
      ? [...own, ...value.flatMap((item, index) => problemsOf(items, item, [...path, index]))]
      : own;
  }
  if (typeof value !== 'object') return own;
  return [...own, ...fieldProblems(schema, Object.entries(value), path)];
}

function typeProblem(schema: Schema, value: unknown, path: Path): CrdProblem | undefined {
  const { type } = schema;
  if (type === undefined || schema['x-kubernetes-int-or-string'] === true) return undefined;
  const actual = Array.isArray(value) ? 'array' : typeof value;
  const fits = type === 'integer' ? Number.isInteger(value) : actual === type;
  if (fits) return undefined;
  const allowed =
    schema.pattern === DURATION
      ? A_DURATION
      : ({ array: 'a list', object: 'a map', integer: 'a whole number', string: 'text' }[type] ??
        `a ${type}`);
  const field = fieldOf(path);
  const message = `${field} must be ${allowed}.`;
  return { kind: 'type', path, value, names: [], field, found: shown(value), allowed, message };
}

function valueProblems(schema: Schema, value: unknown, path: Path): readonly CrdProblem[] {
  const problems: CrdProblem[] = [];
  const field = fieldOf(path);
  const add = (allowed: string, names: readonly string[] = []): void => {
    const message = `${field} cannot be ${shown(value)}.`;
    problems.push({ kind: 'value', path, value, names, field, found: shown(value), allowed, message });
  };
  if (schema.enum && !schema.enum.includes(value)) {
    const words = schema.enum.filter(each => each !== '').map(String);
    add(words.join(', '), words);
  }
  if (schema.pattern !== undefined && typeof value === 'string' && !new RegExp(schema.pattern).test(value)) {
    add(schema.pattern === DURATION ? A_DURATION : `text like ${schema.pattern}`);
  }
  if (typeof value === 'number') {
    if (schema.minimum !== undefined && value < schema.minimum) add(`at least ${schema.minimum}`);
    if (schema.maximum !== undefined && value > schema.maximum) add(`at most ${schema.maximum}`);
  }
  if (Array.isArray(value) && schema.maxItems !== undefined && value.length > schema.maxItems) {
    add(`at most ${schema.maxItems} items`);
  }
  return problems;
}

function fieldProblems(
  schema: Schema,
  entries: readonly (readonly [string, unknown])[],
  path: Path,
): readonly CrdProblem[] {
  const { properties, additionalProperties, required = [] } = schema;
  const present = new Set(entries.filter(([, value]) => value !== undefined).map(([key]) => key));
  const missing = required
    .filter(key => !present.has(key))
    .map((key): CrdProblem => {
      const at = [...path, key];
      const message = `${fieldOf(at)} is missing.`;
      const words = { field: fieldOf(at), found: 'nothing', allowed: 'a value', message };
      return { kind: 'missing', path: at, value: undefined, names: [], ...words };
    });
  const inside = entries.flatMap(([key, value]): readonly CrdProblem[] => {
    const at = [...path, key];
    const known = properties?.[key] ?? additionalProperties;
    if (known) return problemsOf(known, value, at);
    if (!properties) return [];
    const names = Object.keys(properties);
    const message = `Flagger ${CRD_VERSION} has no field ${fieldOf(at)}.`;
    const words = { field: fieldOf(at), found: key, allowed: names.join(', '), message };
    return [{ kind: 'unknown', path: at, value, names, ...words }];
  });
  return [...missing, ...inside];
}

/** oneOf, anyOf and not of these definitions only ever speak of which fields are there. */
function choiceProblems(schema: Schema, value: unknown, path: Path): readonly CrdProblem[] {
  const { oneOf, anyOf, not } = schema;
  const fits = (choice: Schema): boolean =>
    problemsOf(choice, value, path).length === 0 &&
    (choice.not === undefined || problemsOf(choice.not, value, path).length > 0);
  const problem = (choices: readonly Schema[], words: string): CrdProblem => {
    const allowed = choices.flatMap(({ required }) => (required ? [required.join(', ')] : [])).join(' · ');
    const field = fieldOf(path);
    const message = `${field} must have ${words} of these.`;
    return { kind: 'choice', path, value, names: [], field, found: keysOf(value), allowed, message };
  };
  const problems: CrdProblem[] = [];
  if (oneOf && oneOf.filter(fits).length !== 1) problems.push(problem(oneOf, 'exactly one'));
  if (anyOf && !anyOf.some(fits)) problems.push(problem(anyOf, 'at least one'));
  if (not && fits(not)) problems.push(problem([not], 'none'));
  return problems;
}

/** `spec.analysis.metrics[0].name`. */
function fieldOf(path: Path): string {
  const parts = path.map(part =>
    typeof part === 'number' ? `[${part}]` : /^[\w-]+$/.test(part) ? `.${part}` : `["${part}"]`,
  );
  return `spec${parts.join('')}`;
}

function keysOf(value: unknown): string {
  return typeof value === 'object' && value !== null
    ? Object.keys(value).join(', ') || 'nothing'
    : shown(value);
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
