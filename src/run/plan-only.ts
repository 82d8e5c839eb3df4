import { CRD_VERSION } from '../flagger/crd-check.ts';
import { treeGround } from '../flux/tree-ground.ts';
import type { BuildProof } from '../plan/plan.ts';
import type { MetricNow, ReleasePlan } from '../plan/plan.ts';
import type { PlannedFile, PlanView } from '../report/plan-view.ts';
import type { RolloutView } from '../report/view.ts';
import type { FileChange } from '../rollout/ports.ts';
import { type Outcome, Refusal } from '../rollout/verdict.ts';
import { goingOn, toBeAdopted } from './going-on.ts';
import { objectsOf } from './observed-objects.ts';
import { metricCheck } from './metric-check.ts';
import type { DryRun, KeptSecrets, RunParts } from './parts.ts';
import { planRelease } from './plan-release.ts';
import { branchOf } from './release.ts';
import type { RunReport } from './run-report.ts';

/** What a build writes out is YAML, whatever it was made from. */
const BUILT = 'build.yaml';

/**
 * What a release would do, checked as far as a release is, without writing to Git.
 * @throws as release does.
 */
export async function planOnly(parts: RunParts, report: RunReport): Promise<RolloutView> {
  if (parts.workspaceOnly) return await planFromWorkspace(parts, parts.workspaceOnly, report);
  const chains = await parts.cluster.trace();
  const repository = await parts.openRepository(branchOf(chains));
  report.opened(repository.name);
  const preflight = await parts.cluster.preflight(chains);
  const warnings = new Set([
    ...preflight.warnings.map(({ message }) => message),
    ...goingOn(preflight.observation),
  ]);
  for (const warning of warnings) report.note(warning);
  for (const words of toBeAdopted(preflight.observation)) report.note(words);
  const view = parts.cluster.view({ chains, objects: objectsOf(parts.rollout) });
  try {
    const plan = await planRelease(parts, {
      chains,
      gitops: repository.gitops,
      view,
      // With the objects of `at` changes, which the preflight does not look at.
      observation: await view.read(),
      rolloutId: report.frame.id,
      report,
    });
    const secrets = await parts.cluster.missingSecrets(plan.rendered);
    for (const warning of [
      ...plan.warnings.map(({ message }) => message),
      ...secrets.map(secret => `The Secret ${secret} does not exist; what names it would fail.`),
    ]) {
      warnings.add(warning);
      report.note(warning);
    }
    const [dryRun, metrics] = await Promise.all([
      parts.cluster.dryRun(plan.rendered),
      parts.cluster.metricsNow(plan),
    ]);
    const { backMs } = parts.inputs.limits;
    const { secrets: kept } = parts;
    const on = { dryRun, backMs, metrics, secrets: kept, warnings: warnings.size };
    report.planned(plan.found, planView(plan, on));
    return await report.end(plannedOutcome(plan));
  } finally {
    await view.close();
  }
}

const HOW_TO_CHOOSE =
  'Say which one under via: in rollout.yaml: the file of the manifest (via: clusters/prod/apps.yaml).';

/** From a fork: what the workspace says of itself. Nothing is proven by it, and nothing secret is needed for it. */
async function planFromWorkspace(
  parts: RunParts,
  workspace: NonNullable<RunParts['workspaceOnly']>,
  report: RunReport,
): Promise<RolloutView> {
  if ('impossible' in workspace) {
    throw new Refusal('fork-or-dependabot', workspace.impossible, {
      remedy: 'Push the branch to this repository, where the run has its secrets, to see a plan.',
    });
  }
  const { files, tree } = workspace;
  report.note('This run has no secrets (a fork, or Dependabot): no cluster was asked, so nothing is proven.');
  const { via, viaFile, gitops, targets } = parts.rollout;
  const ground = await treeGround(
    { ...tree, files, via, branch: gitops.branch, cluster: viaFile, howToChoose: HOW_TO_CHOOSE },
    targets,
  );
  const plan = await parts.planner.plan({ files, ...ground, rolloutId: report.frame.id });
  for (const warning of plan.warnings) report.note(warning.message);
  const view = planView(plan, {
    dryRun: { kind: 'unchecked', why: 'this run has no secrets' },
    backMs: parts.inputs.limits.backMs,
    metrics: [],
    warnings: plan.warnings.length,
    secrets: parts.secrets,
  });
  const unproven = { what: 'Chain', state: 'unchecked', detail: 'this run has no secrets' } as const;
  const checks = view.checks.map(check => (check.what === 'Chain' ? unproven : check));
  report.planned(plan.found, { ...view, checks });
  return await report.end(plannedOutcome(plan));
}

function plannedOutcome(plan: ReleasePlan): Outcome {
  const files = [...plan.adoption, ...plan.files].map(({ path }) => path);
  return {
    verdict: 'unchanged',
    reason: 'planned',
    detail: plan.unchanged
      ? 'A release would find nothing to change. Nothing was written.'
      : `A release would change ${[...new Set(files)].join(', ')}. Nothing was written.`,
  };
}

function planView(
  plan: ReleasePlan,
  on: {
    readonly dryRun: DryRun;
    readonly backMs: number;
    readonly metrics: readonly MetricNow[];
    readonly warnings: number;
    readonly secrets: KeptSecrets;
  },
): PlanView {
  const longestMs = Math.max(0, ...plan.schedule.map(each => each.longestMs));
  const metrics = on.metrics.map(metricCheck);
  return {
    files: [
      ...plan.adoption.map(file => planned(file, { adoption: true, ...on })),
      ...(plan.unchanged ? [] : plan.files.map(file => planned(file, { adoption: false, ...on }))),
    ],
    built: plan.unchanged
      ? []
      : plan.build.objects.map(({ object, before, after }) => ({
          object,
          diff: on.secrets.diffOf({ path: BUILT, before, after }),
        })),
    canaries: plan.schedule.map(({ target, analysis, shortestMs, longestMs: longest }) => ({
      target,
      adopted: plan.adopted.includes(target),
      analysis,
      shortestMs,
      longestMs: longest,
    })),
    checks: [
      {
        what: 'Chain',
        state: 'good',
        detail: `what the tree says at ${plan.head.slice(0, 7)} is what runs now`,
      },
      buildCheck(plan.build),
      ...(plan.rendered.length === 0 ? [] : [definitions(plan), serverCheck(on.dryRun)]),
      ...metrics,
    ],
    warnings: on.warnings + metrics.filter(({ state }) => state === 'warning').length,
    worstRollbackMs: longestMs + on.backMs,
  };
}

function buildCheck({ by, compared }: BuildProof): PlanView['checks'][number] {
  const values = compared > 0 ? 'the values asked for are in it, and ' : '';
  return {
    what: 'Build',
    state: 'good',
    detail: `${by} built it before and after: ${values}nothing else changes`,
  };
}

function definitions(plan: ReleasePlan): PlanView['checks'][number] {
  const names = plan.rendered.map(({ kind, metadata }) => `${kind} ${metadata.name}`).join(', ');
  return { what: 'Definitions', state: 'good', detail: `${names}: as Flagger ${CRD_VERSION} defines them` };
}

function serverCheck(dryRun: DryRun): PlanView['checks'][number] {
  return dryRun.kind === 'accepted'
    ? { what: 'Dry run', state: 'good', detail: 'the API server would take them' }
    : { what: 'Dry run', state: 'unchecked', detail: `not asked: ${dryRun.why}` };
}

function planned(
  { path, before, text }: FileChange,
  { adoption, secrets }: { readonly adoption: boolean; readonly secrets: KeptSecrets },
): PlannedFile {
  return { path, adoption, diff: secrets.diffOf({ path, before: before?.text ?? '', after: text }) };
}
