import type { RolloutView } from '../report/view.ts';
import { viewOfState } from '../report/view-of-state.ts';
import type { ClusterView } from '../rollout/ports.ts';
import type { RolloutState, Transition } from '../rollout/state.ts';
import type { RestoreTexts } from './compose-revert.ts';
import { revertPushedOutcome } from './end-of-run.ts';
import { follow } from './follow.ts';
import type { OpenedRepository, RunParts } from './parts.ts';
import type { RunReport } from './run-report.ts';

export interface FollowedRollout {
  readonly state: RolloutState;
  readonly view: RolloutView;
}

/** Follows what was committed and shows it as it goes; the last view is returned, and is not reported yet. */
export async function followRollout(
  parts: Pick<RunParts, 'clock' | 'cancel' | 'remember' | 'mayWrite'>,
  on: {
    readonly first: Transition;
    readonly view: ClusterView;
    readonly repository: OpenedRepository;
    readonly restoreTexts: RestoreTexts;
    readonly report: RunReport;
  },
): Promise<FollowedRollout> {
  const { report } = on;
  const state = await follow(on.first, {
    frame: report.frame,
    restoreTexts: on.restoreTexts,
    parts: {
      clock: parts.clock,
      cluster: on.view,
      gitops: on.repository.gitops,
      cancel: parts.cancel,
      remember: parts.remember,
      mayWrite: parts.mayWrite,
      onView: view => report.show(view),
    },
  });
  const view = viewOfState(report.frame, state, parts.clock.now());
  if (state.phase !== 'verifyingRevert') return { state, view };
  return { state, view: { ...view, outcome: revertPushedOutcome(state) } };
}
