import type { KnownRevisions } from './flux-progress.ts';
import type { TargetView } from './observation.ts';
import type { RevertForm } from './ports.ts';
import { kindOfKey } from './target.ts';
import type { Track } from './track.ts';

/**
 * Which way one canary's template is put back.
 *
 * A *plain* revert restores the template byte for byte. While Flagger analyses, it does not notice that: it goes on
 * over the old pods and ends Succeeded (Flagger canary/spec.go: hasSpecChanged is false when the hash is the promoted
 * one). So an analysis that runs, or may begin before the revert arrives, is ended by a *stamped* revert: the old
 * content under a new id, which Flagger's next tick takes for a new revision.
 *
 * Of a Knative Service every change of the template makes a Revision with a name of its own, and Flagger hashes that
 * name (canary/knative_controller.go): a plain revert is noticed in every phase.
 */
export function revertForm(options: {
  readonly view: TargetView | undefined;
  readonly track: Track;
  readonly rolloutId: string;
  readonly known: KnownRevisions;
}): RevertForm {
  const { view, track, rolloutId } = options;
  if (kindOfKey(track.target) === 'Service') return 'plain';
  if (track.outcome?.kind === 'not-applied') return notAppliedForm(track.outcome.reason);
  const canary = view?.canary;
  // Nothing was seen since the push: the commit may be live and about to be analysed.
  if (!view || !canary) return 'stamped';
  if (view.target?.rolloutId !== rolloutId) return 'stamped';
  switch (canary.phase) {
    case 'Progressing':
    case 'WaitingPromotion':
      return 'stamped';
    case 'Waiting':
      return 'plain';
    case 'Promoting':
    case 'Finalising':
      // Cannot be stopped; plain takes effect when they end, and a failing promotion must not meet a new revision.
      return 'plain';
    case 'Failed':
      if (canary.canaryWeight >= 100) return 'plain';
      if (view.primary?.rolloutId === rolloutId) return 'stamped';
      return track.outcome?.kind === 'failed' || track.outcome?.kind === 'errored' ? 'plain' : 'stamped';
    case 'Succeeded':
      // Ours was promoted: plain, and Flagger analyses the old version. Else it has not ticked yet.
      return view.primary?.rolloutId === rolloutId ? 'plain' : 'stamped';
    default:
      return 'stamped';
  }
}

/** Flux said that it could not: the cluster never had it. When it merely took too long, it may still arrive. */
function notAppliedForm(reason: string): RevertForm {
  return reason === 'build-failed' ? 'plain' : 'stamped';
}
