import type { RolloutView } from '../report/view.ts';
import { objectsOf } from './observed-objects.ts';
import type { RunParts } from './parts.ts';
import { branchOf } from './release.ts';
import type { RunReport } from './run-report.ts';
import { takeUp } from './take-up.ts';

/**
 * Ends what runs before left unfinished, and releases nothing: for a schedule, so that nobody's next release has to.
 * @throws as release does.
 */
export async function sweep(parts: RunParts, report: RunReport): Promise<RolloutView> {
  const chains = await parts.cluster.trace();
  const repository = await parts.openRepository(branchOf(chains));
  report.opened(repository.name);
  const view = parts.cluster.view({ chains, objects: objectsOf(parts.rollout) });
  try {
    const ended = await takeUp(parts, { repository, view, observation: await view.read() });
    if (ended) return ended;
  } finally {
    await view.close();
  }
  return await report.end({
    verdict: 'unchanged',
    reason: 'nothing-to-sweep',
    detail: `No rollout of ${parts.rollout.name} was left unfinished. Nothing was written.`,
  });
}
