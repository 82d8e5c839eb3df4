import { z } from 'zod';
import type { AnalysisMetric, CanaryAnalysis } from '../rollout/observation.ts';
import { withoutUrlSecrets } from '../secrets/public-urls.ts';
import { goDurationMs } from './go-duration.ts';

/** Flagger canary_types.go: GetAnalysisInterval: 60 s unless given, never under 10 s. */
const DEFAULT_INTERVAL_MS = 60_000;
const MIN_INTERVAL_MS = 10_000;

const analysisSchema = z
  .looseObject({
    interval: z.string().optional().catch(undefined),
    threshold: z.number().optional().catch(undefined),
    iterations: z.number().optional().catch(undefined),
    maxWeight: z.number().optional().catch(undefined),
    stepWeight: z.number().optional().catch(undefined),
    stepWeights: z.array(z.number()).optional().catch(undefined),
    stepWeightPromotion: z.number().optional().catch(undefined),
    match: z.array(z.unknown()).optional().catch(undefined),
    metrics: z
      .array(
        z.looseObject({
          name: z.string(),
          thresholdRange: z
            .looseObject({ min: z.number().optional(), max: z.number().optional() })
            .optional(),
          threshold: z.number().optional(),
          query: z.string().optional(),
          templateRef: z.looseObject({ name: z.string(), namespace: z.string().optional() }).optional(),
        }),
      )
      .optional()
      .catch(undefined),
    webhooks: z
      .array(z.looseObject({ name: z.string(), type: z.string().optional(), url: z.string().optional() }))
      .optional()
      .catch(undefined),
  })
  .catch({});

/** `analysis` (or `canaryAnalysis`) of a Canary's spec, in the shape that verdicts and schedules are made from. */
export function canaryAnalysis(spec: Readonly<Record<string, unknown>>): CanaryAnalysis {
  const analysis = analysisSchema.parse(spec['analysis'] ?? spec['canaryAnalysis'] ?? {});
  const interval = goDurationMs(analysis.interval ?? '') ?? DEFAULT_INTERVAL_MS;
  const matches = (analysis.match ?? []).length > 0;
  const iterations = analysis.iterations ?? 0;
  const weights = matches || iterations > 0 ? [] : weightsOf(analysis);
  return {
    // Flagger scheduler.go: A/B when there are matches, blue/green when there are iterations only.
    strategy: matches ? 'ab' : iterations > 0 ? 'blue-green' : 'weighted',
    intervalMs: Math.max(interval, MIN_INTERVAL_MS),
    threshold: analysis.threshold ?? 0,
    ...(iterations > 0 ? { iterations } : {}),
    weights,
    ...(analysis.stepWeightPromotion === undefined || analysis.stepWeightPromotion <= 0
      ? {}
      : { stepWeightPromotion: analysis.stepWeightPromotion }),
    metrics: (analysis.metrics ?? []).map((metric): AnalysisMetric => {
      const { min, max } = metric.thresholdRange ?? {};
      const template = metric.templateRef;
      return {
        name: metric.name,
        ...(min === undefined ? {} : { min }),
        ...(max === undefined ? {} : { max }),
        source: template
          ? [template.namespace, template.name].filter(Boolean).join('/')
          : (metric.query ?? '') === ''
            ? 'builtin'
            : 'inline',
      };
    }),
    webhooks: (analysis.webhooks ?? []).map(({ name, type, url }) => ({
      name,
      type: type ?? 'rollout',
      url: withoutUrlSecrets(url ?? ''),
    })),
  };
}

/** Flagger scheduler.go: nextStepWeight, maxWeight: the weights in the order in which traffic goes through them. */
function weightsOf(analysis: z.infer<typeof analysisSchema>): readonly number[] {
  if (analysis.stepWeights !== undefined && analysis.stepWeights.length > 0) return analysis.stepWeights;
  const step = analysis.stepWeight ?? 0;
  const max = analysis.maxWeight ?? 100;
  if (step <= 0) return [];
  const count = Math.min(Math.ceil(max / step), 100);
  return Array.from({ length: count }, (_, index) => Math.min(step * (index + 1), 100));
}
