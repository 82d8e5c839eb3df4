import { z } from 'zod';
import type { CanaryBaseline } from '../rollout/baseline.ts';
import type { Expectation } from '../rollout/expectation.ts';
import type { CanaryPhase } from '../rollout/observation.ts';
import type { Intent, RestorePoint } from '../rollout/state.ts';
import { REASONS, type Reason } from '../rollout/verdict.ts';

/**
 * What a commit's trailers tell of its rollout: enough for any later run to follow it to its end. Trailers are
 * believed only on commits that are ours (gitops/own-commit.ts).
 */
export interface RolloutRecord {
  readonly id: string;
  readonly name: string;
  readonly kind: Intent['kind'];
  readonly source: { readonly repository: string; readonly sha: string };
  readonly runUrl: string;
  readonly baselines: readonly CanaryBaseline[];
  readonly expectations: readonly Expectation[];
  readonly restore: RestorePoint;
  readonly barrier: boolean;
  readonly identity: Intent['identity'];
}

type Trailer = readonly [name: string, value: string];

const NAME = 'Gated-Rollout';
const ID = 'Gated-Rollout-Id';
const KIND = 'Gated-Rollout-Kind';
const SOURCE = 'Gated-Rollout-Source';
const RUN = 'Gated-Rollout-Run';
const BASELINE = 'Gated-Rollout-Baseline';
const EXPECTS = 'Gated-Rollout-Expects';
const RESTORE = 'Gated-Rollout-Restore';
const BARRIER = 'Gated-Rollout-Barrier';
const IDENTITY = 'Gated-Rollout-Identity';
const OPENS = 'Gated-Rollout-Opens';
const REVERTS = 'Gated-Rollout-Reverts';
const CAUSE = 'Gated-Rollout-Cause';

export function trailersOf(record: RolloutRecord): readonly Trailer[] {
  const { source, restore } = record;
  return [
    [NAME, record.name],
    [ID, record.id],
    [KIND, record.kind],
    [SOURCE, `${source.repository}@${source.sha}`],
    [RUN, record.runUrl],
    [RESTORE, JSON.stringify(restore)],
    ...(record.barrier ? [[BARRIER, 'closed'] satisfies Trailer] : []),
    ...(record.identity === 'values' ? [[IDENTITY, record.identity] satisfies Trailer] : []),
    ...record.expectations.map((expectation): Trailer => [EXPECTS, JSON.stringify(expectation)]),
    ...record.baselines.map((baseline): Trailer => [BASELINE, JSON.stringify(baseline)]),
  ];
}

/** The commit that takes the barrier of a rollout out again. */
export function openingTrailers(record: Pick<RolloutRecord, 'id' | 'name' | 'runUrl'>): readonly Trailer[] {
  return [
    [NAME, record.name],
    [OPENS, record.id],
    [RUN, record.runUrl],
  ];
}

/** The revert names the rollout that it takes back, and why, so that the post step reports the right cause. */
export function revertTrailers(record: {
  readonly id: string;
  readonly name: string;
  readonly runUrl: string;
  readonly reason: Reason;
}): readonly Trailer[] {
  return [
    [NAME, record.name],
    [REVERTS, record.id],
    [CAUSE, record.reason],
    [RUN, record.runUrl],
  ];
}

/** Undefined when the trailers are not those of a rollout, or of another version that we cannot read. */
export function recordFromTrailers(trailers: readonly Trailer[]): RolloutRecord | undefined {
  const one = (name: string): string | undefined => trailers.find(([key]) => key === name)?.[1];
  const all = (name: string): readonly unknown[] =>
    trailers.filter(([key]) => key === name).map(([, value]) => json(value));
  const [repository = '', sha = ''] = one(SOURCE)?.split('@') ?? [];
  const parsed = recordSchema.safeParse({
    id: one(ID),
    name: one(NAME),
    kind: one(KIND),
    source: { repository, sha },
    runUrl: one(RUN) ?? '',
    baselines: all(BASELINE),
    expectations: all(EXPECTS),
    restore: json(one(RESTORE) ?? ''),
    barrier: one(BARRIER) !== undefined,
    identity: one(IDENTITY) ?? 'annotation',
  });
  return parsed.success ? parsed.data : undefined;
}

export function reasonFromTrailers(trailers: readonly Trailer[]): Reason | undefined {
  const value = trailers.find(([key]) => key === CAUSE)?.[1];
  return value !== undefined && isReason(value) ? value : undefined;
}

function isReason(value: string): value is Reason {
  return Object.hasOwn(REASONS, value);
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const PHASES = [
  '',
  'Initializing',
  'Initialized',
  'Waiting',
  'Progressing',
  'WaitingPromotion',
  'Promoting',
  'Finalising',
  'Succeeded',
  'Failed',
  'Terminating',
  'Terminated',
] as const satisfies readonly CanaryPhase[];

const baselineSchema: z.ZodType<CanaryBaseline> = z.object({
  target: z.string(),
  targetUid: z.string(),
  canaryUid: z.string().exactOptional(),
  phase: z.enum(PHASES),
  lastAppliedSpec: z.string(),
  lastPromotedSpec: z.string(),
  promotedAt: z.number().exactOptional(),
  targetId: z.string().exactOptional(),
  primaryId: z.string().exactOptional(),
  trackedConfigs: z.record(z.string(), z.string()),
  joinsByHash: z.boolean(),
  newestReplicaSetAt: z.number().exactOptional(),
  links: z.record(z.string(), z.number()).exactOptional(),
});

const inContainer = { target: z.string(), container: z.string().exactOptional() };
const objectSchema = z.object({
  apiVersion: z.string().exactOptional(),
  kind: z.string(),
  namespace: z.string().exactOptional(),
  name: z.string(),
});
const expectationSchema: z.ZodType<Expectation> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('image'), ...inContainer, repository: z.string(), version: z.string() }),
  z.object({ kind: z.literal('env'), ...inContainer, name: z.string(), value: z.string() }),
  z.object({ kind: z.literal('arg'), ...inContainer, name: z.string(), value: z.string() }),
  z.object({
    kind: z.literal('field'),
    target: z.string(),
    object: objectSchema,
    path: z.array(z.union([z.string(), z.number()])),
    within: z
      .object({
        format: z.enum(['yaml', 'properties']),
        path: z.array(z.union([z.string(), z.number()])),
      })
      .exactOptional(),
    value: z.string(),
  }),
  z.object({
    kind: z.literal('chart'),
    target: z.string(),
    release: z.object({ namespace: z.string(), name: z.string() }),
    chart: z.string(),
    version: z.string(),
  }),
  z.object({
    kind: z.literal('secret'),
    target: z.string(),
    what: z.string(),
    written: z.object({ object: objectSchema, since: z.string() }).exactOptional(),
  }),
]);

const recordSchema: z.ZodType<RolloutRecord> = z.object({
  id: z.string().min(1),
  name: z.string().min(1),
  kind: z.enum(['release', 'adoption']),
  source: z.object({ repository: z.string(), sha: z.string() }),
  runUrl: z.string(),
  baselines: z.array(baselineSchema).min(1),
  expectations: z.array(expectationSchema),
  restore: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('parent') }),
    z.object({ kind: z.literal('commit'), sha: z.string() }),
    z.object({ kind: z.literal('none'), why: z.string() }),
  ]),
  barrier: z.boolean(),
  identity: z.enum(['annotation', 'values']),
});
