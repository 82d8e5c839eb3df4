import { z } from 'zod';
import { rolloutSchema } from '../src/config/rollout-schema.js';
import { resultSchema } from '../src/report/result.js';
/** The published schemas, by the file that each is in. */
export const SCHEMAS = {
  'schema/rollout.schema.json': jsonSchema(rolloutSchema, 'rollout.yaml of Gated Rollout', 'input'),
  'schema/result.schema.json': jsonSchema(resultSchema, 'Output “result” of Gated Rollout', 'output'),
};
function jsonSchema(schema, title, io) {
  const generated = z.toJSONSchema(schema, { io, target: 'draft-7' });
  return `${JSON.stringify({ title, ...generated }, undefined, 2)}\n`;
}
