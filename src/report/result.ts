import { z } from 'zod';
import { REASONS, type Reason, VERDICTS, type Verdict } from '../rollout/verdict.ts';
import type { PlanView } from './plan-view.ts';
import type { RolloutView } from './view.ts';

const names = <T extends string>(record: Readonly<Record<T, unknown>>) => Object.keys(record) as [T, ...T[]];
const commit = z.strictObject({ sha: z.string(), url: z.string(), verified: z.boolean() });

/** The `result` output. Fields may be added within a version; none is removed or changes its meaning. */
export const resultSchema = z.strictObject({
  version: z.literal(1),
  id: z.string().describe('Rollout id, as on the pod template.'),
  name: z.string(),
  verdict: z.enum(names<Verdict>(VERDICTS)),
  reason: z.enum(names<Reason>(REASONS)),
  detail: z.string().describe('What happened, in a sentence or two.'),
  remedy: z.string().describe('What a person should do now.').optional(),
  startedAt: z.string().describe('ISO 8601.'),
  endedAt: z.string().describe('ISO 8601.'),
  source: z.strictObject({ repository: z.string(), sha: z.string(), runUrl: z.string() }),
  gitops: z.strictObject({ repository: z.string(), branch: z.string() }),
  changes: z.array(
    z.strictObject({
      what: z.string(),
      target: z.string(),
      from: z.string(),
      to: z.string(),
      path: z.string(),
      line: z.number(),
    }),
  ),
  commit: commit.optional(),
  adoption: commit.optional(),
  revert: commit.optional(),
  pullRequest: z.strictObject({ url: z.string(), number: z.number() }).optional(),
  proof: z.array(
    z.strictObject({
      link: z.string(),
      state: z.enum(['proven', 'waiting', 'failed', 'unknown']),
      at: z.string().describe('ISO 8601.').optional(),
      detail: z.string(),
    }),
  ),
  canaries: z.array(
    z.strictObject({
      target: z.string(),
      canary: z.string(),
      strategy: z.enum(['weighted', 'ab', 'blue-green']),
      phase: z.string(),
      weight: z.number().describe('Percent; the highest that was reached.'),
      iteration: z.number(),
      failedChecks: z.number(),
      threshold: z.number(),
      outcome: z.string().optional(),
    }),
  ),
  plan: z
    .strictObject({
      files: z.array(
        z.strictObject({
          path: z.string(),
          adoption: z.boolean(),
          diff: z.string().describe('Unified; without lines of Secrets, empty where all is secret.'),
        }),
      ),
      built: z
        .array(
          z.strictObject({ object: z.string(), diff: z.string().describe('Unified; empty for a Secret.') }),
        )
        .describe('What changes in the build of the folder; empty where it was not built.'),
      canaries: z.array(
        z.strictObject({
          target: z.string(),
          adopted: z.boolean(),
          strategy: z.enum(['weighted', 'ab', 'blue-green']),
          shortestMs: z.number(),
          longestMs: z.number(),
        }),
      ),
      checks: z.array(
        z.strictObject({
          what: z.string(),
          state: z.enum(['good', 'warning', 'unchecked']),
          detail: z.string(),
        }),
      ),
      worstRollbackMs: z.number(),
    })
    .describe('Of a plan that was only shown.')
    .optional(),
  notes: z.array(z.string()),
});

export type RolloutResult = z.infer<typeof resultSchema>;

/** The result of a rollout that has ended; undefined while it has not. */
export function resultOf(view: RolloutView): RolloutResult | undefined {
  const { outcome, commit, adoption, revert, pullRequest } = view;
  if (!outcome) return undefined;
  const iso = (ms: number) => new Date(ms).toISOString();
  const short = ({ sha, url, verified }: { sha: string; url: string; verified: boolean }) => ({
    sha,
    url,
    verified,
  });
  return {
    version: 1,
    id: view.id,
    name: view.name,
    verdict: outcome.verdict,
    reason: outcome.reason,
    detail: outcome.detail,
    ...(outcome.remedy === undefined ? {} : { remedy: outcome.remedy }),
    startedAt: iso(view.startedAt),
    endedAt: iso(view.updatedAt),
    source: view.source,
    gitops: view.gitops,
    changes: [...view.changes],
    ...(commit ? { commit: short(commit) } : {}),
    ...(adoption ? { adoption: short(adoption) } : {}),
    ...(revert ? { revert: short(revert) } : {}),
    ...(pullRequest ? { pullRequest } : {}),
    proof: view.proof.map(({ link, state, at, detail }) => ({
      link,
      state,
      ...(at === undefined ? {} : { at: iso(at) }),
      detail,
    })),
    canaries: view.canaries.map(
      ({
        target,
        canary,
        strategy,
        phase,
        weight,
        highest,
        iteration,
        failedChecks,
        threshold,
        outcome: end,
      }) => ({
        target,
        canary,
        strategy,
        phase,
        weight: highest ?? weight,
        iteration,
        failedChecks,
        threshold,
        ...(end ? { outcome: end.kind } : {}),
      }),
    ),
    ...(view.plan ? { plan: planResult(view.plan) } : {}),
    notes: [...view.notes],
  };
}

function planResult(plan: PlanView): NonNullable<RolloutResult['plan']> {
  return {
    files: plan.files.map(({ path, adoption, diff }) => ({ path, adoption, diff })),
    built: plan.built.map(({ object, diff }) => ({ object, diff })),
    canaries: plan.canaries.map(({ target, adopted, analysis, shortestMs, longestMs }) => ({
      target,
      adopted,
      strategy: analysis.strategy,
      shortestMs,
      longestMs,
    })),
    checks: plan.checks.map(({ what, state, detail }) => ({ what, state, detail })),
    worstRollbackMs: plan.worstRollbackMs,
  };
}
