import { canaryAnalysis } from './canary-analysis.ts';
import type { SpecProblem } from './crd-check.ts';
import { knativeProblems } from './knative-rules.ts';

type Fields = Readonly<Record<string, unknown>>;
type MatchKind = 'exact' | 'prefix' | 'suffix' | 'regex';

interface Matching {
  readonly headers: readonly MatchKind[];
  /** A cookie by its name, beside at most one header. */
  readonly oneHeaderAndOneCookie?: true;
  readonly queryParams?: true;
  readonly sourceLabels?: true;
}

/** What a provider of Flagger 1.44 can do, read from its router (pkg/router). */
interface ProviderFacts {
  /** Traffic by weight; without it only blue/green. */
  readonly weighted: boolean;
  /** A/B by `match`; undefined: its router never looks at it. */
  readonly match?: Matching;
  readonly mirror?: true;
  readonly sessionAffinity?: true;
  /** Fields of spec without which its router gives up, and why. */
  readonly needs?: readonly (readonly [field: string, why: string])[];
}

const GATEWAY_API: ProviderFacts = {
  weighted: true,
  match: { headers: ['exact', 'regex'], queryParams: true },
  mirror: true,
  sessionAffinity: true,
  needs: [['service.gatewayRefs', 'Flagger attaches the HTTPRoute to it (for Linkerd: to the Service)']],
};
const SMI: ProviderFacts = { weighted: true };
const APP_MESH: ProviderFacts = {
  weighted: true,
  match: { headers: ['exact', 'prefix', 'suffix', 'regex'] },
};

export const PROVIDERS: Readonly<Record<string, ProviderFacts>> = {
  istio: {
    weighted: true,
    match: { headers: ['exact', 'prefix', 'suffix', 'regex'], queryParams: true, sourceLabels: true },
    mirror: true,
    sessionAffinity: true,
  },
  linkerd: SMI,
  osm: SMI,
  'smi:v1alpha1': SMI,
  'smi:v1alpha2': SMI,
  'smi:v1alpha3': SMI,
  'gatewayapi:v1': GATEWAY_API,
  'gatewayapi:v1beta1': GATEWAY_API,
  nginx: {
    weighted: true,
    match: { headers: ['exact', 'regex'], oneHeaderAndOneCookie: true },
    needs: [['ingressRef', 'Flagger copies this Ingress for the canary']],
  },
  skipper: { weighted: true, needs: [['ingressRef', 'Flagger copies this Ingress for the canary']] },
  contour: { weighted: true, match: { headers: ['exact', 'prefix', 'suffix'] } },
  gloo: { weighted: true, match: { headers: ['exact', 'regex'] } },
  traefik: { weighted: true },
  apisix: { weighted: true, needs: [['routeRef', 'Flagger copies this ApisixRoute for the canary']] },
  kuma: { weighted: true },
  appmesh: { ...APP_MESH, needs: [['service.meshName', 'virtual nodes belong to a mesh']] },
  'appmesh:v1beta2': APP_MESH,
  knative: { weighted: true },
  kubernetes: { weighted: false },
};

/** Flagger canary_types.go: GetAnalysisInterval. */
const SHORTEST_INTERVAL_S = 10;

/**
 * What Flagger would not do with a Canary's spec although its definition takes it: combinations that the provider
 * ignores or fails at, each with the nearest thing that works. Nothing is said where the provider is Flagger's flag's.
 */
export function checkProvider(spec: Fields): readonly SpecProblem[] {
  const analysis = fields(spec['analysis'] ?? spec['canaryAnalysis']);
  return [...providerProblems(spec, analysis), ...analysisProblems(analysis)];
}

function providerProblems(spec: Fields, analysis: Fields): readonly SpecProblem[] {
  const { provider } = spec;
  const knative = knativeProblems(spec);
  if (knative.length > 0 && provider !== 'knative') return knative;
  if (typeof provider !== 'string' || provider === '') return [];
  const facts = PROVIDERS[provider];
  if (!facts) {
    const allowed = Object.keys(PROVIDERS).join(', ');
    const hint = provider === 'gatewayapi' ? ' A version belongs to it: gatewayapi:v1.' : '';
    return [at('provider', provider, allowed, `Flagger has no provider ${provider}.${hint}`)];
  }
  const missing = (facts.needs ?? []).filter(([field]) => valueAt(spec, field) === undefined);
  return [
    ...missing.map(([field, why]) =>
      at(field, 'nothing', 'a value', `Provider ${provider} needs spec.${field}: ${why}.`),
    ),
    ...knative,
    ...strategyProblems(provider, facts, analysis),
  ];
}

function strategyProblems(provider: string, facts: ProviderFacts, analysis: Fields): readonly SpecProblem[] {
  const { strategy } = canaryAnalysis({ analysis });
  const problems: SpecProblem[] = [];
  const mirrors = analysis['mirror'] === true;
  if (strategy === 'weighted' && !facts.weighted) {
    problems.push(
      at(
        'analysis.stepWeight',
        'weights',
        'iterations (blue/green)',
        `Provider ${provider} moves no traffic by weight; Flagger would run it as blue/green.`,
      ),
    );
  }
  if (strategy === 'ab') problems.push(...matchProblems(provider, facts.match, analysis));
  if (mirrors && !facts.mirror) {
    problems.push(
      at(
        'analysis.mirror',
        'true',
        'istio, gatewayapi:v1, gatewayapi:v1beta1',
        `Provider ${provider} mirrors no traffic; leave mirror out, or use a provider that does.`,
      ),
    );
  }
  if (mirrors && strategy === 'ab') {
    problems.push(
      at(
        'analysis.mirror',
        'true with match',
        'mirror with iterations',
        'Flagger mirrors in blue/green only.',
      ),
    );
  }
  if (analysis['sessionAffinity'] !== undefined && !facts.sessionAffinity) {
    problems.push(
      at(
        'analysis.sessionAffinity',
        'a cookie',
        'istio, gatewayapi:v1, gatewayapi:v1beta1',
        `Provider ${provider} keeps no user on one version.`,
      ),
    );
  }
  return problems;
}

function matchProblems(
  provider: string,
  can: Matching | undefined,
  analysis: Fields,
): readonly SpecProblem[] {
  if (!can) {
    const others = Object.entries(PROVIDERS)
      .filter(([, facts]) => facts.match)
      .map(([name]) => name);
    const near =
      provider === 'linkerd' || provider.startsWith('smi')
        ? 'With Linkerd use gatewayapi:v1, or nginx in front of it.'
        : 'Use weights, or a provider that matches requests.';
    return [
      at(
        'analysis.match',
        'match',
        others.join(', '),
        `Provider ${provider} ignores match: all users would get the canary by chance. ${near}`,
      ),
    ];
  }
  const matches = (Array.isArray(analysis['match']) ? analysis['match'] : []).map(fields);
  const problems: SpecProblem[] = [];
  for (const [index, match] of matches.entries()) {
    const where = `analysis.match[${index}]`;
    for (const [header, wanted] of Object.entries(fields(match['headers']))) {
      const kinds = Object.keys(fields(wanted));
      const cookieByName = can.oneHeaderAndOneCookie === true && header === 'cookie';
      const allowed: readonly string[] = cookieByName ? ['exact'] : can.headers;
      for (const kind of kinds.filter(each => !allowed.includes(each))) {
        const words = cookieByName
          ? 'NGINX looks for a cookie by its name, which `exact` gives; its value must be “always”.'
          : `Provider ${provider} does not match headers by ${kind}.`;
        problems.push(at(`${where}.headers.${header}`, kind, allowed.join(', '), words));
      }
    }
    if (match['queryParams'] !== undefined && !can.queryParams)
      problems.push(notMatched(provider, `${where}.queryParams`, 'query parameters'));
    if (match['sourceLabels'] !== undefined && !can.sourceLabels)
      problems.push(notMatched(provider, `${where}.sourceLabels`, 'labels of the source'));
  }
  if (can.oneHeaderAndOneCookie) problems.push(...tooManyHeaders(matches));
  return problems;
}

/** Flagger router/ingress.go: of several headers the last one wins, in no certain order. */
function tooManyHeaders(matches: readonly Fields[]): readonly SpecProblem[] {
  const names = matches.flatMap(match => Object.keys(fields(match['headers'])));
  const headers = names.filter(name => name !== 'cookie');
  const cookies = names.length - headers.length;
  if (headers.length <= 1 && cookies <= 1) return [];
  return [
    at(
      'analysis.match',
      names.join(', '),
      'one header and one cookie',
      'An NGINX Ingress knows one header and one cookie; of several Flagger takes one by chance. Match one of them, or use gatewayapi:v1.',
    ),
  ];
}

function notMatched(provider: string, field: string, what: string): SpecProblem {
  return at(field, what, 'headers', `Provider ${provider} does not match ${what}.`);
}

function analysisProblems(analysis: Fields): readonly SpecProblem[] {
  const problems: SpecProblem[] = [];
  const interval = /^(\d+)s$/.exec(String(analysis['interval'] ?? ''))?.[1];
  if (interval !== undefined && Number(interval) < SHORTEST_INTERVAL_S) {
    problems.push(
      at(
        'analysis.interval',
        `${interval}s`,
        '10s or longer',
        'Flagger checks no sooner than 10 s after the last check, whatever is asked for.',
      ),
    );
  }
  const { stepWeight, maxWeight, stepWeights } = analysis;
  if (typeof stepWeight === 'number' && typeof maxWeight === 'number' && stepWeight > maxWeight) {
    problems.push(
      at(
        'analysis.stepWeight',
        String(stepWeight),
        `at most maxWeight, ${maxWeight}`,
        'The first step would go past maxWeight.',
      ),
    );
  }
  const steps = Array.isArray(stepWeights) ? stepWeights.map(Number) : [];
  if (steps.some((step, index) => step <= (steps[index - 1] ?? 0) || step > 100)) {
    problems.push(
      at(
        'analysis.stepWeights',
        steps.join(', '),
        'growing numbers from 1 to 100',
        'Each step must be more than the one before.',
      ),
    );
  }
  return problems;
}

function at(field: string, found: string, allowed: string, message: string): SpecProblem {
  return { field: `spec.${field}`, found, allowed, message };
}

function valueAt(spec: Fields, path: string): unknown {
  return path.split('.').reduce<unknown>((value, key) => fields(value)[key], spec);
}

function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value))
    : {};
}
