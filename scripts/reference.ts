import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';
import { METRIC_PRESETS, METRIC_SECRET_KEYS } from '../src/flagger/metric-presets.ts';
import { checkProvider, PROVIDERS } from '../src/flagger/provider-rules.ts';
import { SCHEMAS } from './schemas.ts';

/** docs/reference.md, made of the schemas, the tables and action.yml that the action itself works with. */
export function referencePage(): string {
  return [
    '# Reference',
    'Made by `npm run schemas` from what the action checks with; do not edit it by hand.',
    '## rollout.yaml',
    'Editors complete it with `# yaml-language-server: $schema=…/schema/rollout.schema.json`.',
    fieldTable(schemaSchema.parse(JSON.parse(SCHEMAS['schema/rollout.schema.json'] ?? '{}'))),
    '## Metrics in short form',
    '`preset` saves writing a query. `{{ namespace }}`, `{{ target }}`, `{{ ingress }}` and `{{ interval }}` are filled in by Flagger.',
    presetTable(),
    'The Secret that `provider.secretRef` names holds:',
    secretTable(),
    '## Providers',
    'What Flagger’s router for each provider does (Flagger 1.44, `pkg/router`). Anything else is refused before it is committed.',
    providerTable(),
    '## Inputs',
    inputTable(),
    '## Outputs',
    outputTable(),
    '',
  ].join('\n\n');
}

interface Schema {
  readonly type?: string | readonly string[] | undefined;
  readonly description?: string | undefined;
  readonly default?: unknown;
  readonly examples?: readonly unknown[] | undefined;
  readonly enum?: readonly unknown[] | undefined;
  readonly properties?: Readonly<Record<string, Schema>> | undefined;
  readonly additionalProperties?: Schema | boolean | undefined;
  readonly items?: Schema | undefined;
  readonly anyOf?: readonly Schema[] | undefined;
  readonly required?: readonly string[] | undefined;
}

const schemaSchema: z.ZodType<Schema> = z.lazy(() =>
  z.looseObject({
    type: z.union([z.string(), z.array(z.string())]).optional(),
    description: z.string().optional(),
    default: z.unknown().optional(),
    examples: z.array(z.unknown()).optional(),
    enum: z.array(z.unknown()).optional(),
    properties: z.record(z.string(), schemaSchema).optional(),
    additionalProperties: z.union([z.boolean(), schemaSchema]).optional(),
    items: schemaSchema.optional(),
    anyOf: z.array(schemaSchema).optional(),
    required: z.array(z.string()).optional(),
  }),
);

function fieldTable(schema: Schema): string {
  const rows = fieldRows(schema, '');
  return `| Field | Type | Meaning |\n|---|---|---|\n${rows.join('\n')}`;
}

function fieldRows(schema: Schema, path: string): readonly string[] {
  const own = Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const at = path === '' ? name : `${path}.${name}`;
    const needed =
      schema.required?.includes(name) === true && field.default === undefined ? ' **required**' : '';
    const row = `| \`${at}\` | ${typeOf(field)}${needed} | ${meaning(field)} |`;
    return [row, ...fieldRows(field, at)];
  });
  const { items, additionalProperties, anyOf = [] } = schema;
  const values =
    typeof additionalProperties === 'object' ? fieldRows(additionalProperties, `${path}.TARGET`) : [];
  const choices = anyOf.flatMap(each => fieldRows(each, path));
  return unique([...own, ...(items ? fieldRows(items, `${path}[]`) : []), ...choices, ...values]);
}

function unique(rows: readonly string[]): readonly string[] {
  return [...new Set(rows)];
}

function typeOf(schema: Schema): string {
  if (schema.enum) return schema.enum.map(value => `\`${String(value)}\``).join(', ');
  if (schema.anyOf) return [...new Set(schema.anyOf.map(typeOf))].join(' or ');
  if (schema.type === 'array') return `list of ${schema.items ? typeOf(schema.items) : 'anything'}`;
  const names: Readonly<Record<string, string>> = {
    object: 'map',
    string: 'text',
    number: 'number',
    boolean: 'true or false',
  };
  const types = [schema.type ?? []].flat();
  return types.map(type => names[type] ?? type).join(' or ') || 'any value';
}

function meaning(schema: Schema): string {
  const parts = [
    schema.description ?? '',
    schema.default === undefined ? '' : `Default: \`${JSON.stringify(schema.default)}\`.`,
    ...(schema.examples ?? []).map(example => `Example: \`${exampleText(example)}\`.`),
  ];
  return cell(parts.filter(part => part !== '').join(' '));
}

function exampleText(example: unknown): string {
  return typeof example === 'string' ? example : JSON.stringify(example).replaceAll('"', '');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replace(/\s+/g, ' ');
}

function presetTable(): string {
  const rows = Object.entries(METRIC_PRESETS).map(([name, preset]) => {
    const address = 'address' in preset ? `\`${preset.address}\`` : 'say `provider.address`';
    return `| \`${name}\` | ${preset.unit} | ${preset.what} | ${address} | \`${cell(preset.query)}\` |`;
  });
  return `| Preset | Unit | What it measures | Prometheus | Query |\n|---|---|---|---|---|\n${rows.join('\n')}`;
}

function secretTable(): string {
  const rows = Object.entries(METRIC_SECRET_KEYS).map(
    ([type, keys]) => `| \`${type}\` | ${keys.join(', ')} |`,
  );
  return `| Source | Keys |\n|---|---|\n${rows.join('\n')}`;
}

const KNATIVE_SERVICE = { apiVersion: 'serving.knative.dev/v1', kind: 'Service' };

/** Asked of the rules themselves, so that the table can't say anything else. */
function providerTable(): string {
  const strategies: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
    weighted: { stepWeight: 5 },
    'A/B by header': { iterations: 5, match: [{ headers: { a: { exact: 'b' } } }] },
    'A/B by query': { iterations: 5, match: [{ queryParams: { a: { exact: 'b' } } }] },
    'blue/green': { iterations: 5 },
    mirroring: { iterations: 5, mirror: true },
    'session affinity': { stepWeight: 5, sessionAffinity: { cookieName: 'a' } },
  };
  const rows = Object.entries(PROVIDERS).map(([provider, { needs = [] }]) => {
    const marks = Object.values(strategies).map(analysis => {
      const targetRef = provider === 'knative' ? KNATIVE_SERVICE : { kind: 'Deployment' };
      const spec = { provider, targetRef, ...neededBy(needs), analysis };
      return checkProvider(spec).length === 0 ? 'yes' : '–';
    });
    const fields = needs.map(([field]) => `\`${field}\``).join(', ') || '–';
    return `| \`${provider}\` | ${marks.join(' | ')} | ${fields} |`;
  });
  const names = Object.keys(strategies);
  return `| Provider | ${names.join(' | ')} | Needs |\n|---|${names.map(() => '---|').join('')}---|\n${rows.join('\n')}`;
}

function neededBy(
  needs: readonly (readonly [field: string, why: string])[],
): Readonly<Record<string, unknown>> {
  const given: Record<string, unknown> = {};
  for (const [field] of needs) {
    const [first = '', second] = field.split('.');
    given[first] = second === undefined ? {} : { [second]: [{}] };
  }
  return given;
}

const action = z.object({
  inputs: z.record(z.string(), z.object({ description: z.string(), default: z.unknown().optional() })),
  outputs: z.record(z.string(), z.object({ description: z.string() })),
});

function actionFile(): z.infer<typeof action> {
  return action.parse(parse(readFileSync(fileURLToPath(new URL('../action.yml', import.meta.url)), 'utf8')));
}

function inputTable(): string {
  const rows = Object.entries(actionFile().inputs).map(([name, input]) => {
    const value = String(input.default ?? '');
    return `| \`${name}\` | ${value === '' ? '–' : `\`${value}\``} | ${cell(input.description)} |`;
  });
  return `| Input | Default | Meaning |\n|---|---|---|\n${rows.join('\n')}`;
}

function outputTable(): string {
  const rows = Object.entries(actionFile().outputs).map(
    ([name, { description }]) => `| \`${name}\` | ${cell(description)} |`,
  );
  return `| Output | Meaning |\n|---|---|\n${rows.join('\n')}`;
}
