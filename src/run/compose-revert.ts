import { findPlacements, restoredFiles } from '../plan/stamp.ts';
import type { FileBlob, FileChange, RevertRequest } from '../rollout/ports.ts';
import type { Effect, RolloutState } from '../rollout/state.ts';
import { revertPullRequestText, revertText } from './commit-text.ts';
import { withStamps } from './restored-stamps.ts';
import { revertId } from './rollout-id.ts';
import { revertTrailers } from './rollout-record.ts';

/**
 * What the paths of the commit held in the commit that is the restore point, when that is not the parent; read before
 * it is needed, because a cancelled job has seconds. Null = the path did not exist there.
 */
export type RestoreTexts = ReadonlyMap<string, FileBlob | null>;

/** The revert commit, or the content of its pull request, for the forms that were chosen. */
export function composeRevert(on: {
  readonly state: RolloutState;
  readonly effect: Extract<Effect, { type: 'revert' | 'openPullRequest' }>;
  readonly runUrl: string;
  readonly restoreTexts: RestoreTexts;
  /** Ids for templates that the commit put none on; see restored-stamps.ts. */
  readonly stamps: readonly FileChange[];
  readonly beforePush: RevertRequest['beforePush'];
}): RevertRequest {
  const { state, effect, runUrl } = on;
  const { intent, commit } = state;
  const { cause, forms } = effect;
  const { name } = intent;
  const text =
    effect.type === 'revert'
      ? revertText({
          name,
          commit: commit.sha,
          ...(intent.identity === 'values' ? { paths: commit.files.map(({ path }) => path) } : {}),
          reason: cause.reason,
          detail: cause.detail,
        })
      : revertPullRequestText({
          name,
          commit: commit.sha,
          commitUrl: commit.url,
          runUrl,
          detail: cause.detail,
          why: effect.why,
        });
  const files = restoredFiles({
    commit,
    placements: findPlacements(commit.files, {
      id: intent.id,
      targets: intent.baselines.map(baseline => baseline.target),
    }),
    forms,
    revertId: revertId(intent.id),
    restoreTexts: on.restoreTexts,
    // A Canary that the cluster never had may go again; rollout/begin-revert.ts blocks every other case.
    mayRemove: intent.kind === 'adoption',
  });
  return {
    commit,
    files: withStamps(files, on.stamps),
    ...text,
    trailers: revertTrailers({ id: intent.id, name, runUrl, reason: cause.reason }),
    beforePush: on.beforePush,
    ...(intent.limits.revertBy === undefined ? {} : { deadline: intent.limits.revertBy }),
  };
}
