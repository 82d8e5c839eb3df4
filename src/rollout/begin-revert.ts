import type { RevertForm } from './ports.ts';
import { revertForm } from './revert-form.ts';
import type { Cause, Followed, Transition } from './state.ts';

/**
 * From any phase that follows our commit: how it is taken back, or why it cannot be. One commit for all canaries, its
 * form chosen for each from the latest look at the cluster.
 */
export function beginRevert(
  followed: Followed & { readonly phase: string },
  cause: Cause,
  _now: number,
): Transition {
  const forms = Object.fromEntries(
    Object.values(followed.tracks).map(track => [
      track.target,
      followed.intent.kind === 'adoption'
        ? ('plain' satisfies RevertForm)
        : revertForm({
            view: followed.observation?.targets[track.target],
            track,
            rolloutId: followed.intent.id,
            known: followed.known,
          }),
    ]),
  );
  const common = commonOf(followed);
  const blocked = blockedBecause(followed, cause);
  if (blocked !== undefined) {
    return {
      state: {
        ...common,
        phase: 'openingPullRequest',
        cause,
        forms,
        why: 'no-restore-point',
        whyDetail: blocked,
      },
      effects: [{ type: 'openPullRequest', forms, cause, why: blocked }],
    };
  }
  return {
    state: { ...common, phase: 'reverting', cause, forms },
    effects: [{ type: 'revert', forms, cause }],
  };
}

/** Why an automatic revert would do harm; undefined when it would not. */
function blockedBecause(followed: Followed, cause: Cause): string | undefined {
  const { intent, tracks, observation } = followed;
  if (intent.restore.kind === 'none') return intent.restore.why;
  if (intent.kind === 'adoption') {
    // Flux would prune the Canary, and its primary and Services with it: an outage.
    const live = Object.keys(tracks).filter(target => observation?.targets[target]?.canary !== undefined);
    if (live.length > 0 || observation === undefined) {
      return `The Canary of ${live.join(', ') || 'the target'} exists; taking it out of Git would delete it together with its primary and Services.`;
    }
  }
  if (cause.verdict === 'promotion-failed') {
    const changed = Object.values(tracks).find(track => {
      const now = observation?.targets[track.target]?.canary?.trackedConfigs ?? {};
      return JSON.stringify(sorted(now)) !== JSON.stringify(sorted(track.baseline.trackedConfigs));
    });
    // Flagger scheduler.go: a changed tracked config with an unready primary rolls back, all traffic to the primary.
    if (changed) {
      return `A ConfigMap or Secret of ${changed.target} changed too: reverting it now would send all traffic to the broken primary.`;
    }
  }
  return undefined;
}

function sorted(record: Readonly<Record<string, string>>): readonly (readonly [string, string])[] {
  return Object.entries(record).toSorted(([left], [right]) => (left < right ? -1 : 1));
}

/** What all phases share, without what belongs to the phase that is left. */
export function commonOf(followed: Followed): Followed {
  const { intent, commit, committedAt, tracks, observation, known, appliedAt, appliedDetail, notes } =
    followed;
  const { barrierOpenedAt } = followed;
  return {
    intent,
    commit,
    committedAt,
    tracks,
    known,
    notes,
    ...(observation ? { observation } : {}),
    ...(appliedAt === undefined ? {} : { appliedAt }),
    ...(appliedDetail === undefined ? {} : { appliedDetail }),
    ...(barrierOpenedAt === undefined ? {} : { barrierOpenedAt }),
  };
}
