import { z } from 'zod';
import type { Condition } from '../rollout/observation.ts';
import { withoutUrlSecrets } from '../secrets/public-urls.ts';

/** What a controller says in its own words: it quotes addresses, with all that is in them. */
export const wordsSchema = z.string().default('').transform(withoutUrlSecrets);

/** Shapes that every object of Kubernetes shares. Only what is used is asked for; all else may be anything. */

export const metadataSchema = z.looseObject({
  name: z.string(),
  namespace: z.string().default(''),
  uid: z.string().default(''),
  resourceVersion: z.string().default(''),
  generation: z.number().default(0),
  creationTimestamp: z.string().default(''),
  labels: z.record(z.string(), z.string()).nullish(),
  annotations: z.record(z.string(), z.string()).nullish(),
  managedFields: z
    .array(
      z.looseObject({
        manager: z.string().optional(),
        operation: z.string().optional(),
        subresource: z.string().optional(),
        time: z.string().optional(),
      }),
    )
    .nullish(),
  ownerReferences: z.array(z.looseObject({ kind: z.string(), uid: z.string() })).nullish(),
});

export type Metadata = z.infer<typeof metadataSchema>;

export const conditionSchema = z.looseObject({
  type: z.string(),
  status: z.enum(['True', 'False', 'Unknown']).catch('Unknown'),
  reason: z.string().default(''),
  message: wordsSchema,
  lastTransitionTime: z.string().default(''),
  lastUpdateTime: z.string().default(''),
  observedGeneration: z.number().optional(),
});

export type RawCondition = z.infer<typeof conditionSchema>;

export function conditionOf(conditions: readonly RawCondition[], type: string): Condition | undefined {
  const found = conditions.find(condition => condition.type === type);
  if (!found) return undefined;
  const { status, reason, message, observedGeneration: generation } = found;
  return { status, reason, message, ...(generation === undefined ? {} : { generation }) };
}

/** ms since the epoch by the cluster's clock; 0 for no time. */
export function clusterTime(text: string | undefined): number {
  const time = Date.parse(text ?? '');
  return Number.isNaN(time) ? 0 : time;
}

/** The commit in a Flux revision: `main@sha1:…`, or the older `main/…`. */
export function commitIn(revision: string | undefined): string | undefined {
  return /(?:sha1:|\/|^)([0-9a-f]{40})$/.exec(revision ?? '')?.[1];
}
