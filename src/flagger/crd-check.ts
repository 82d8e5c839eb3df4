import crds from './flagger-crds.json' with { type: 'json' };

/** What a definition would not take, or would drop without a word. */
export interface SpecProblem {
  /** Path within the object: `spec.analysis.stepWeight`. */
  readonly field: string;
  readonly found: string;
  readonly allowed: string;
  readonly message: string;
}

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

/**
 * A spec against Flagger's published definition, as the API server checks it; and fields that it does not know, which the
 * API server would drop.
 */
export function checkSpec(kind: FlaggerKind, spec: unknown): readonly SpecProblem[] {
  return problemsOf(KINDS[kind], spec, 'spec');
}

function problemsOf(schema: Schema, value: unknown, field: string): readonly SpecProblem[] {
  if (value === null || value === undefined) return [];
  const wrongType = typeProblem(schema, value, field);
  if (wrongType) return [wrongType];
  const own = [...valueProblems(schema, value, field), ...choiceProblems(schema, value, field)];
  if (Array.isArray(value)) {
    const { items } = schema;
    return items
      ? [...own, ...value.flatMap((item, index) => problemsOf(items, item, `${field}[${index}]`))]
      : own;
  }
  if (typeof value !== 'object') return own;
  return [...own, ...fieldProblems(schema, Object.entries(value), field)];
}

function typeProblem(schema: Schema, value: unknown, field: string): SpecProblem | undefined {
  const { type } = schema;
  if (type === undefined || schema['x-kubernetes-int-or-string'] === true) return undefined;
  const actual = Array.isArray(value) ? 'array' : typeof value;
  const fits = type === 'integer' ? Number.isInteger(value) : actual === type;
  if (fits) return undefined;
  const allowed = { array: 'a list', object: 'a map', integer: 'a whole number' }[type] ?? `a ${type}`;
  return { field, found: shown(value), allowed, message: `${field} must be ${allowed}.` };
}

function valueProblems(schema: Schema, value: unknown, field: string): readonly SpecProblem[] {
  const problems: SpecProblem[] = [];
  const add = (allowed: string): void => {
    problems.push({ field, found: shown(value), allowed, message: `${field} cannot be ${shown(value)}.` });
  };
  if (schema.enum && !schema.enum.includes(value)) {
    add(
      schema.enum
        .filter(each => each !== '')
        .map(String)
        .join(', '),
    );
  }
  if (schema.pattern !== undefined && typeof value === 'string' && !new RegExp(schema.pattern).test(value)) {
    add(schema.pattern === '^[0-9]+(m|s)' ? 'a duration such as 30s or 1m' : `text like ${schema.pattern}`);
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
  field: string,
): readonly SpecProblem[] {
  const { properties, additionalProperties, required = [] } = schema;
  const present = new Set(entries.filter(([, value]) => value !== undefined).map(([key]) => key));
  const missing = required
    .filter(key => !present.has(key))
    .map(key => ({
      field: `${field}.${key}`,
      found: 'nothing',
      allowed: 'a value',
      message: `${field}.${key} is missing.`,
    }));
  const inside = entries.flatMap(([key, value]) => {
    const at = /^[\w-]+$/.test(key) ? `${field}.${key}` : `${field}["${key}"]`;
    const known = properties?.[key] ?? additionalProperties;
    if (known) return problemsOf(known, value, at);
    if (!properties) return [];
    const allowed = Object.keys(properties).join(', ');
    return [{ field: at, found: key, allowed, message: `Flagger ${CRD_VERSION} has no field ${at}.` }];
  });
  return [...missing, ...inside];
}

/** oneOf, anyOf and not of these definitions only ever speak of which fields are there. */
function choiceProblems(schema: Schema, value: unknown, field: string): readonly SpecProblem[] {
  const { oneOf, anyOf, not } = schema;
  const fits = (choice: Schema): boolean =>
    problemsOf(choice, value, field).length === 0 &&
    (choice.not === undefined || problemsOf(choice.not, value, field).length > 0);
  const problem = (choices: readonly Schema[], words: string): SpecProblem => {
    const allowed = choices.flatMap(({ required }) => (required ? [required.join(', ')] : [])).join(' · ');
    return { field, found: keysOf(value), allowed, message: `${field} must have ${words} of these.` };
  };
  const problems: SpecProblem[] = [];
  if (oneOf && oneOf.filter(fits).length !== 1) problems.push(problem(oneOf, 'exactly one'));
  if (anyOf && !anyOf.some(fits)) problems.push(problem(anyOf, 'at least one'));
  if (not && fits(not)) problems.push(problem([not], 'none'));
  return problems;
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
