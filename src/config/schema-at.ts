import { z } from 'zod';
import { either } from './problem-text.ts';

/** The schemas that may stand at a path: several, where it is one thing or another. */
export function schemasAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): readonly z.core.$ZodType[] {
  return path.reduce<readonly z.core.$ZodType[]>(
    (at, key) => at.flatMap(each => choicesOf(each).flatMap(choice => stepInto(choice, key))),
    [schema],
  );
}

function stepInto(schema: z.core.$ZodType, key: PropertyKey): readonly z.core.$ZodType[] {
  if (schema instanceof z.ZodObject) {
    const inner: z.core.$ZodType | undefined = schema.shape[String(key)];
    return inner ? [inner] : [];
  }
  if (schema instanceof z.ZodArray) return [schema.element];
  return schema instanceof z.ZodRecord ? [schema.valueType] : [];
}

/** Without what only says that it may be missing; the choices of a union one by one. */
function choicesOf(schema: z.core.$ZodType): readonly z.core.$ZodType[] {
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodExactOptional ||
    schema instanceof z.ZodDefault
  ) {
    return choicesOf(schema.unwrap());
  }
  return schema instanceof z.ZodUnion ? schema.options.flatMap(choicesOf) : [schema];
}

/** The fields of the maps that may stand there. */
export function fieldsOf(schemas: readonly z.core.$ZodType[]): readonly string[] {
  const fields = schemas
    .flatMap(choicesOf)
    .flatMap(choice => (choice instanceof z.ZodObject ? Object.keys(choice.shape) : []));
  return [...new Set(fields)];
}

/** In words: `a map`, `text or a list`, the words of an enumeration. */
export function wordsOf(schemas: readonly z.core.$ZodType[]): string {
  return either(schemas.flatMap(choicesOf).flatMap(wordsOfOne));
}

function wordsOfOne(schema: z.core.$ZodType): readonly string[] {
  if (schema instanceof z.ZodEnum) return schema.options.map(String);
  if (schema instanceof z.ZodArray) return ['a list'];
  if (schema instanceof z.ZodObject || schema instanceof z.ZodRecord) return ['a map'];
  if (schema instanceof z.ZodNumber) return ['a number'];
  if (schema instanceof z.ZodBoolean) return ['true', 'false'];
  return schema instanceof z.ZodString ? ['text'] : [];
}

/** As the schema’s own examples have it: `gitops: {repository: acme/fleet}`. */
export function exampleOf(schemas: readonly z.core.$ZodType[], key: string): string | undefined {
  const given = schemas
    .flatMap(each => [each, ...choicesOf(each)])
    .map(each => z.globalRegistry.get(each)?.examples);
  const found: unknown = given.find(examples => Array.isArray(examples) && examples.length > 0);
  if (!Array.isArray(found)) return undefined;
  const value = flow(found[0]);
  return key === '' ? value : `${key}: ${value}`;
}

/** As people write it: braces, and quotes only where needed. */
export function flow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`;
  if (typeof value !== 'object' || value === null) {
    const text = String(value);
    return typeof value !== 'string' || /^[\w./ @-][\w./:@ -]*$/.test(text)
      ? text
      : `'${text.replaceAll("'", "''")}'`;
  }
  const pairs = Object.entries(value).map(([key, each]) => `${key}: ${flow(each)}`);
  return `{${pairs.join(', ')}}`;
}
