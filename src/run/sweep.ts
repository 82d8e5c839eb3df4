import type { RolloutView } from '../report/view.ts';
import { Automations } from './automations.ts';
import { settleEarlierHolds } from './earlier-holds.ts';
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
    const automations = new Automations(parts, chains);
    const observation = await view.read();
    const left = await takeUp(parts, { repository, view, observation, automations });
    const { gitops } = repository;
    const except = left.kind === 'ended' ? [left.id] : [];
    const notes = await settleEarlierHolds(parts, { automations, gitops, observation, except });
    for (const note of notes) report.note(note);
    if (left.kind === 'ended') return left.view;
    if (left.kind === 'unseen') {
      const { why: detail, remedy } = left;
      return await report.end({ verdict: 'unknown', reason: 'left-unseen', detail, remedy });
    }
  } finally {
    await view.close();
  }
  return await report.end({
    verdict: 'unchanged',
    reason: 'nothing-to-sweep',
    detail: `No rollout of ${parts.rollout.name} was left unfinished. Nothing was written.`,
  });
}
