import { type KnownRevisions, suspension } from './flux-progress.ts';
import { isFresh } from './judge-phase.ts';
import { trafficElsewhere } from './knative.ts';
import { isAtWork, linkKey, linkOnWayBack } from './link-progress.ts';
import type { TargetView } from './observation.ts';
import type { Track } from './track.ts';

/** Whether one canary is where it was before our commit. */
export type BackState =
  | { readonly kind: 'back'; readonly detail: string }
  | { readonly kind: 'waiting'; readonly detail: string }
  /** It will not come back by itself. */
  | {
      readonly kind: 'lost';
      readonly reason: 'reanalysis-failed' | 'not-seen-back' | 'newer-release';
      readonly detail: string;
    };

/**
 * Target and primary run without our id, the primary is complete and serves (not Failed at 100; of a Knative Service no
 * traffic goes to a Revision with our id), and Flux attempted the revert, as did every link between it and the target.
 * Phase and hashes alone prove nothing: a revert that landed during Promoting ends Succeeded with the
 * reverted release on the primary.
 */
export function backState(options: {
  readonly view: TargetView;
  readonly track: Track;
  readonly rolloutId: string;
  readonly known: KnownRevisions;
}): BackState {
  const { view, track, rolloutId, known } = options;
  const { target, primary, canary, flux } = view;
  if (!target || !canary) {
    return { kind: 'waiting', detail: `${track.target} or its Canary cannot be seen` };
  }
  const attempted = flux?.kustomizations.at(-1)?.lastAttemptedRevision;
  const reverted = attempted !== undefined && known[attempted]?.containsRevert === true;
  const held = flux ? suspension(flux) : undefined;
  // A suspended Kustomization that never had our commit takes the branch's head, with the revert, when it is resumed.
  const untouched = track.deliveredAt === undefined && target.rolloutId !== rolloutId && held !== undefined;
  if (!reverted && !untouched) {
    return { kind: 'waiting', detail: held ? held.detail : 'Flux has not applied the revert yet' };
  }
  // The Kustomization is past our commit, but what it applied of it (a HelmRelease, a Kustomization) may be at work yet.
  const busy = track.deliveredAt === undefined ? flux?.links.find(isAtWork) : undefined;
  if (busy) return { kind: 'waiting', detail: `${linkKey(busy)} is at work` };
  const link = untouched ? undefined : linkOnWayBack(flux?.links ?? [], rolloutId);
  if (link !== undefined) return { kind: 'waiting', detail: link };
  if (target.rolloutId === rolloutId) {
    return { kind: 'waiting', detail: `${track.target} still carries our template` };
  }
  if (primary?.rolloutId === rolloutId) {
    if (
      canary.phase === 'Failed' &&
      canary.canaryWeight < 100 &&
      isFresh(canary, track, undefined) &&
      reanalysed(view, track)
    ) {
      return {
        kind: 'lost',
        reason: 'reanalysis-failed',
        detail: `Flagger rejected the restored version of ${track.target}; ${primary.name} still runs the reverted release.`,
      };
    }
    return {
      kind: 'waiting',
      detail: `${primary.name} still runs the reverted release (Canary ${canary.phase})`,
    };
  }
  if (canary.phase === 'Failed' && canary.canaryWeight >= 100) {
    return { kind: 'waiting', detail: `all traffic is on ${track.target}: its primary failed to start` };
  }
  const astray = trafficElsewhere(view, each => each.rolloutId !== rolloutId);
  if (astray !== undefined) return { kind: 'waiting', detail: `${track.target}: ${astray}` };
  if (!primary?.complete) {
    return { kind: 'waiting', detail: `the rollout of ${primary?.name ?? 'the primary'} has not finished` };
  }
  const still = canary.phase === 'Progressing' ? '; Flagger analyses the restored version' : '';
  return { kind: 'back', detail: `${primary.name} runs what it ran before${still}` };
}

/** Failed speaks of the restored template when that is the one Flagger applied last. */
function reanalysed(view: TargetView, track: Track): boolean {
  const canary = view.canary;
  if (!canary || canary.lastAppliedSpec === canary.lastPromotedSpec) return false;
  const current = view.replicaSets.find(replicaSet => replicaSet.rolloutId === view.target?.rolloutId);
  // Hashes of Revisions cannot be joined: what was said after the restored one came is about it.
  if (view.target?.kind === 'Service') {
    return current !== undefined && isFresh(canary, track, current.createdAt);
  }
  return current?.podTemplateHash === canary.lastAppliedSpec;
}
