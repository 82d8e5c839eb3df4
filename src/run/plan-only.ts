import type { RolloutView } from '../report/view.ts';
import { objectsOf } from './observed-objects.ts';
import type { RunParts } from './parts.ts';
import { planRelease } from './plan-release.ts';
import { branchOf } from './release.ts';
import type { RunReport } from './run-report.ts';

/**
 * What a release would do, checked as far as a release is, without writing to Git.
 * @throws as release does.
 */
export async function planOnly(parts: RunParts, report: RunReport): Promise<RolloutView> {
  const chains = await parts.cluster.trace();
  const repository = await parts.openRepository(branchOf(chains));
  report.opened(repository.name);
  const preflight = await parts.cluster.preflight(chains);
  for (const warning of preflight.warnings) report.note(warning.message);
  const view = parts.cluster.view({ chains, objects: objectsOf(parts.rollout) });
  try {
    const plan = await planRelease(parts, {
      chains,
      gitops: repository.gitops,
      view,
      observation: preflight.observation,
      rolloutId: report.frame.id,
      report,
    });
    for (const warning of plan.warnings) report.note(warning.message);
    report.planned(plan.found);
    const files = [...plan.adoption, ...plan.files].map(({ path }) => path);
    return await report.end({
      verdict: 'unchanged',
      reason: 'planned',
      detail: plan.unchanged
        ? 'A release would find nothing to change.'
        : `A release would change ${[...new Set(files)].join(', ')}. Nothing was written.`,
    });
  } finally {
    await view.close();
  }
}
