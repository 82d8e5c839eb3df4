import { type ViewFrame, viewOfState } from '../report/view-of-state.ts';
import type { RolloutView } from '../report/view.ts';
import { drive } from '../rollout/drive.ts';
import type { Clock, ClusterView, GitOps, RevertRequest } from '../rollout/ports.ts';
import type { RolloutState, Transition } from '../rollout/state.ts';
import { composeOpening } from './barrier-files.ts';
import { composeRevert, type RestoreTexts } from './compose-revert.ts';
import type { Memory } from './memory.ts';
import type { KeptSecrets } from './parts.ts';
import type { Stamper } from './restored-stamps.ts';

export interface FollowParts {
  readonly clock: Clock;
  readonly cluster: ClusterView;
  readonly gitops: GitOps;
  readonly cancel: AbortSignal;
  readonly secrets: Pick<KeptSecrets, 'hideIn'>;
  readonly onView: (view: RolloutView) => void;
  /** Told whenever something changed that the post step would need. */
  readonly remember: (memory: Memory) => void;
  /** @throws TakenOver */
  readonly mayWrite: () => Promise<void>;
  /** Before the rollout is taken back, by a commit or by a pull request. Never throws. */
  readonly beforeRevert: (state: RolloutState) => Promise<void>;
  /** For a commit that is not ours. */
  readonly stamp?: Stamper | undefined;
  /** What post needs beside, for a commit that is not ours. */
  readonly followed?: Memory['followed'];
}

/**
 * Follows a commit of ours to its end, or, when cancelled, until its revert is on the branch. Everything decided is
 * decided in rollout/; here it is only shown and remembered.
 */
export async function follow(
  first: Transition,
  on: { readonly frame: ViewFrame; readonly restoreTexts: RestoreTexts; readonly parts: FollowParts },
): Promise<RolloutState> {
  const { frame, restoreTexts, parts } = on;
  const memory = (state: RolloutState): Memory => ({
    ...parts.secrets.hideIn(memoryOf(state, frame)),
    ...(parts.followed ? { followed: parts.followed } : {}),
  });
  let remembered = '';
  const onState = (state: RolloutState): void => {
    const now = memory(state);
    const text = JSON.stringify(now);
    // Before the report: what is remembered must be there whatever happens next.
    if (text !== remembered) parts.remember(now);
    remembered = text;
    parts.onView(viewOfState(frame, state, parts.clock.now()));
  };
  return await drive(first, {
    cluster: parts.cluster,
    gitops: parts.gitops,
    clock: parts.clock,
    cancel: parts.cancel,
    onState,
    composeOpening: state =>
      composeOpening({ state, runUrl: frame.source.runUrl, beforePush: parts.mayWrite }),
    composeRevert: async (state, effect): Promise<RevertRequest> => {
      await parts.beforeRevert(state);
      const stamped = Object.entries(effect.forms).filter(([, form]) => form === 'stamped');
      const request = composeRevert({
        state,
        effect,
        runUrl: frame.source.runUrl,
        restoreTexts,
        stamps: (await parts.stamp?.(stamped.map(([target]) => target))) ?? [],
        beforePush: async sha => {
          await parts.mayWrite();
          parts.remember({ ...memory(state), revert: sha });
        },
      });
      const { title, body } = request;
      return { ...request, ...parts.secrets.hideIn({ title, body }) };
    },
  });
}

function memoryOf(state: RolloutState, frame: ViewFrame): Memory {
  const { intent, commit } = state;
  const common = { id: intent.id, branch: frame.gitops.branch, commit: commit.sha };
  const cause = 'cause' in state && state.cause ? { cause: state.cause } : {};
  const revert = 'revert' in state && state.revert ? { revert: state.revert.sha } : {};
  // While the version may still be in Git, whoever comes next tries again.
  const ended = state.phase === 'done' && state.revertOpen === undefined;
  return { ...common, ended, ...cause, ...revert, seen: seenOf(state, frame) };
}

/** As many as one line of a report names. */
const MOST_CHANGES = 5;

function seenOf(state: RolloutState, { startedAt, changes }: ViewFrame): NonNullable<Memory['seen']> {
  const { committedAt, appliedAt, tracks } = state;
  return {
    startedAt,
    committed: committedAt,
    ...(appliedAt === undefined ? {} : { applied: appliedAt }),
    canaries: Object.fromEntries(Object.values(tracks).map(({ target, proven }) => [target, proven])),
    // Versions only: other values may be secret, or long.
    changes: changes.filter(({ what }) => /^(?:image|chart) /.test(what)).slice(0, MOST_CHANGES),
  };
}
