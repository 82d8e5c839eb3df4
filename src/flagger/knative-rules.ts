import type { SpecProblem } from './crd-check.ts';

type Fields = Readonly<Record<string, unknown>>;

/** What Flagger 1.44 refuses of, or does wrong with, a Canary of a Knative Service or of provider knative. */
export function knativeProblems(spec: Fields): readonly SpecProblem[] {
  const { provider } = spec;
  const { apiVersion, kind } = fields(spec['targetRef']);
  const isService = kind === 'Service' && apiVersion === 'serving.knative.dev/v1';
  if (!isService) return provider === 'knative' ? [notForKnative(kind, apiVersion)] : [];
  const analysis = fields(spec['analysis'] ?? spec['canaryAnalysis']);
  const problems: SpecProblem[] = [];
  // controller.go, verifyKnativeCanary: these two are refused, and the Canary is never looked at again.
  if (provider !== 'knative') {
    problems.push(
      at(
        'provider',
        typeof provider === 'string' && provider !== '' ? provider : 'nothing',
        'knative',
        'Flagger takes a Knative Service with provider knative only, said in the Canary itself.',
      ),
    );
  }
  if (spec['autoscalerRef'] !== undefined) {
    problems.push(
      at(
        'autoscalerRef',
        'a scaler',
        'nothing',
        'Knative scales by itself; Flagger refuses an autoscalerRef.',
      ),
    );
  }
  if (spec['skipAnalysis'] === true) {
    // scheduler.go, shouldSkipAnalysis: SetRoutes comes before Promote, and names the primary of before.
    problems.push(
      at(
        'skipAnalysis',
        'true',
        'false',
        'With skipAnalysis Flagger says Succeeded while all traffic stays on the Revision of before.',
      ),
    );
  }
  if (Number(analysis['stepWeightPromotion'] ?? 0) > 0) {
    // router/knative.go, GetRoutes: once promoted, primary and latest are one Revision, and the first weight is taken
    // for both: the next sum is not 100, and Knative refuses it.
    problems.push(
      at(
        'analysis.stepWeightPromotion',
        String(analysis['stepWeightPromotion']),
        'nothing',
        'Flagger cannot move a Knative Service to its promoted Revision in steps: it would stay Promoting for good.',
      ),
    );
  }
  return problems;
}

function notForKnative(kind: unknown, apiVersion: unknown): SpecProblem {
  const core = kind === 'Service' ? ` (${String(apiVersion ?? 'no apiVersion')})` : '';
  return at(
    'provider',
    'knative',
    'a target of kind Service (serving.knative.dev/v1)',
    `Provider knative moves traffic between revisions of a Knative Service; this target${core} is none.`,
  );
}

function at(field: string, found: string, allowed: string, message: string): SpecProblem {
  return { field: `spec.${field}`, found, allowed, message };
}

function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value))
    : {};
}
