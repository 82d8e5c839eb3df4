/** What a metric's query is filled in with. Flagger scheduler_metrics.go: toMetricModel. */
export interface MetricModel {
  readonly name: string;
  readonly namespace: string;
  readonly target: string;
  readonly service: string;
  readonly ingress: string;
  readonly route: string;
  readonly interval: string;
  readonly variables: Readonly<Record<string, string>>;
}

type Fields = Readonly<Record<string, unknown>>;

export function metricModel(
  canary: { readonly name: string; readonly namespace: string; readonly spec: Fields },
  metric: { readonly interval: string; readonly variables: Readonly<Record<string, string>> },
): MetricModel {
  const { name, namespace, spec } = canary;
  const target = nameIn(spec['targetRef']) ?? name;
  return {
    name,
    namespace,
    target,
    service: nameIn(spec['service']) ?? target,
    ingress: nameIn(spec['ingressRef']) ?? target,
    route: nameIn(spec['routeRef']) ?? target,
    ...metric,
  };
}

function nameIn(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || !('name' in value)) return undefined;
  return typeof value.name === 'string' && value.name !== '' ? value.name : undefined;
}

const WORD = /\{\{-?\s*([a-z]+)(?:\.(\w+))?\s*-?\}\}/g;

/**
 * The query as Flagger would ask it, from the functions that its templates know (Flagger metrictemplate.go:
 * TemplateFunctions). Undefined when it uses more of Go's templates than these, or a variable that is not given.
 */
export function renderQuery(template: string, model: MetricModel): string | undefined {
  let complete = true;
  const rendered = template.replace(WORD, (whole, word: string, key: string | undefined) => {
    const value = word === 'variables' ? model.variables[key ?? ''] : key === undefined && field(model, word);
    if (typeof value === 'string') return value;
    complete = false;
    return whole;
  });
  return complete && !rendered.includes('{{') ? rendered : undefined;
}

function field(model: MetricModel, word: string): string | undefined {
  return word === 'variables' ? undefined : Object.entries(model).find(([key]) => key === word)?.[1];
}
