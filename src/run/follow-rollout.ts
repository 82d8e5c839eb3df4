import type { RolloutView } from '../report/view.ts';
import { viewOfState } from '../report/view-of-state.ts';
import type { ClusterView } from '../rollout/ports.ts';
import type { RolloutState, Transition } from '../rollout/state.ts';
import type { Automations } from './automations.ts';
import type { RestoreTexts } from './compose-revert.ts';
import { revertPushedOutcome } from './end-of-run.ts';
import { type FollowParts, follow } from './follow.ts';
import type { OpenedRepository, RunParts } from './parts.ts';
import type { RunReport } from './run-report.ts';

export interface FollowedRollout {
  readonly state: RolloutState;
  readonly view: RolloutView;
}

/** Follows what was committed and shows it as it goes; the last view is returned, and is not reported yet. */
export async function followRollout(
  parts: Pick<RunParts, 'clock' | 'cancel' | 'remember' | 'mayWrite' | 'secrets'>,
  on: {
    readonly first: Transition;
    readonly view: ClusterView;
    readonly repository: OpenedRepository;
    readonly restoreTexts: RestoreTexts;
    readonly report: RunReport;
    readonly automations: Automations;
  } & Pick<FollowParts, 'stamp' | 'followed'>,
): Promise<FollowedRollout> {
  const { report, automations } = on;
  const state = await follow(on.first, {
    frame: report.frame,
    restoreTexts: on.restoreTexts,
    parts: {
      clock: parts.clock,
      cluster: on.view,
      gitops: on.repository.gitops,
      cancel: parts.cancel,
      secrets: parts.secrets,
      remember: parts.remember,
      mayWrite: parts.mayWrite,
      beforeRevert: state => automations.keep(state),
      stamp: on.stamp,
      followed: on.followed,
      onView: view => report.show(view),
    },
  });
  const last = viewOfState(report.frame, state, parts.clock.now());
  const view = state.phase === 'verifyingRevert' ? { ...last, outcome: revertPushedOutcome(state) } : last;
  return { state, view: await automations.ended(view, state.intent.id) };
}
