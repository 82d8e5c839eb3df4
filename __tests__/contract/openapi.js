import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Ajv } from 'ajv';
import { fieldsAt, isFields, valueAt } from '../../sandbox/cluster/kube-object.js';
const METHODS = ['get', 'post', 'patch', 'put', 'delete'];
/** GitHub's own description of its API, as a judge of requests and answers. */
export class OpenApiJudge {
  operations;
  ajv;
  validators = new Map();
  constructor() {
    const file = createRequire(import.meta.url).resolve('@octokit/openapi/generated/api.github.com.json');
    const description = JSON.parse(readFileSync(file, 'utf8'));
    this.ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
    this.ajv.addSchema({ $id: 'github', components: nullable(fieldsAt(description, 'components')) });
    this.operations = Object.entries(fieldsAt(description, 'paths')).flatMap(([route, item]) =>
      METHODS.filter(method => valueAt(item, method) !== undefined).map(method => ({
        method: method.toUpperCase(),
        pattern: patternOf(route),
        fixed: route.split('/').filter(part => !part.startsWith('{')).length,
        route,
        definition: valueAt(item, method),
      })),
    );
  }
  /** What is wrong with an exchange by GitHub's description; nothing when it is as described. */
  problemsOf(exchange) {
    const operation = this.operationOf(exchange);
    const name = `${exchange.method} ${exchange.path}`;
    if (!operation) return [`${name}: GitHub describes no such operation`];
    return [...this.requestProblems(operation, exchange), ...this.answerProblems(operation, exchange)].map(
      problem => `${name} (${exchange.status ?? 'no answer'}): ${problem}`,
    );
  }
  operationOf({ method, path }) {
    return this.operations
      .filter(operation => operation.method === method && operation.pattern.test(path))
      .toSorted((one, other) => other.fixed - one.fixed)[0];
  }
  requestProblems(operation, exchange) {
    const schema = valueAt(operation.definition, 'requestBody', 'content', 'application/json', 'schema');
    if (schema === undefined || exchange.method === 'GET') return [];
    return this.validate(schema, exchange.body).map(problem => `request ${problem}`);
  }
  answerProblems(operation, exchange) {
    const { status } = exchange;
    if (status === undefined || exchange.fault !== undefined) return [];
    const responses = fieldsAt(operation.definition, 'responses');
    const response = this.resolved(responses[String(status)]);
    // 401, 403 and 404 may come from any operation, described or not.
    if (response === undefined)
      return [401, 403, 404].includes(status) ? [] : [`status ${status} is not described`];
    const schema = valueAt(response, 'content', 'application/json', 'schema');
    return schema === undefined
      ? []
      : this.validate(schema, exchange.answer).map(problem => `answer ${problem}`);
  }
  resolved(value) {
    const reference = valueAt(value, '$ref');
    if (typeof reference !== 'string') return value;
    const name = reference.split('/').at(-1) ?? '';
    const shared = this.ajv.getSchema('github')?.schema;
    return valueAt(shared, 'components', 'responses', name);
  }
  validate(schema, value) {
    const known = this.validators.get(schema) ?? this.ajv.compile(asSchema(nullable(schema)));
    this.validators.set(schema, known);
    if (known(value)) return [];
    return (known.errors ?? [])
      .slice(0, 5)
      .map(({ instancePath, message }) => `${instancePath || '/'} ${message ?? ''}`);
  }
}
/** OpenAPI 3.0 has `nullable`, which JSON schema has not, and points into its own document. */
function nullable(schema) {
  if (Array.isArray(schema)) return schema.map(nullable);
  if (!isFields(schema)) return schema;
  const { nullable: mayBeNull, ...rest } = schema;
  const next = Object.fromEntries(
    Object.entries(rest).map(([key, value]) => [
      key,
      key === '$ref' && typeof value === 'string' && value.startsWith('#/')
        ? `github${value}`
        : nullable(value),
    ]),
  );
  return mayBeNull === true ? { anyOf: [next, { type: 'null' }] } : next;
}
function asSchema(value) {
  return isFields(value) ? value : {};
}
/** `{ref}` and `{path}` may hold slashes. */
function patternOf(route) {
  const source = route
    .replace(/[.*+?^$()|[\]\\]/g, '\\$&')
    .replace(/\{(ref|path|basehead|branch)\}/g, '.+')
    .replace(/\{[^}]+\}/g, '[^/]+');
  return new RegExp(`^${source}$`);
}
