import { z } from 'zod';
import { rolloutSchema } from '../src/config/rollout-schema.ts';
import { resultSchema } from '../src/report/result.ts';

/** The published schemas, by the file that each is in. */
export const SCHEMAS: Readonly<Record<string, string>> = {
  'schema/rollout.schema.json': jsonSchema(rolloutSchema, 'rollout.yaml of Gated Rollout', 'input'),
  'schema/result.schema.json': jsonSchema(resultSchema, 'Output “result” of Gated Rollout', 'output'),
};

function jsonSchema(schema: z.ZodType, title: string, io: 'input' | 'output'): string {
  const generated = z.toJSONSchema(schema, { io, target: 'draft-7' });
  return `${JSON.stringify({ title, ...generated }, undefined, 2)}\n`;
}
