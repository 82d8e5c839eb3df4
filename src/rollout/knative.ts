import type { Judgement } from './judgement.ts';
import type { CanaryView, RevisionTraffic, TargetView } from './observation.ts';
import type { Track } from './track.ts';

/**
 * What a Knative Service needs beside the rules of all targets. Its primary is a Revision, named by an annotation of
 * Flagger; its traffic stands in its own spec; and Flagger's hash is of the latest Revision's *name*, so that it cannot
 * be joined with anything (Flagger canary/knative_controller.go, router/knative.go).
 */

/** Where traffic goes that should go to wanted Revisions only, in words; undefined when it is as it should be. */
export function trafficElsewhere(
  view: TargetView,
  isWanted: (traffic: RevisionTraffic) => boolean,
): string | undefined {
  if (view.target?.kind !== 'Service') return undefined;
  const routed = (view.traffic ?? []).filter(({ percent }) => percent > 0);
  const stray = routed.find(each => !isWanted(each));
  if (stray) return `${stray.percent} % of the traffic goes to Revision ${stray.revision}`;
  return routed.length > 0 ? undefined : 'it is not known where its traffic goes';
}

/** The latest Revision is newer than what Flagger's status speaks of; it will be analysed at the next tick. */
export function revisionUnnoticed(canary: CanaryView, view: TargetView): boolean {
  const [latest] = view.replicaSets;
  if (view.target?.kind !== 'Service' || !latest) return false;
  // The release before was promoted as the latest; anything later is a change that Flagger has not seen.
  if (canary.phase !== 'Failed') return latest.name !== view.primary?.name;
  const failedAt = canary.promoted?.lastUpdateTime;
  return failedAt !== undefined && latest.createdAt > failedAt - canary.flaggerSkewMs;
}

/**
 * Flagger notes whatever Revision is the latest when it initializes, and "" when there is none yet; it never looks again
 * (canary/knative_controller.go, Initialize).
 */
export function hasNoPrimaryRevision(canary: CanaryView, view: TargetView): boolean {
  if (view.target?.kind !== 'Service' || view.primary || view.replicaSets.length === 0) return false;
  return canary.phase !== '' && canary.phase !== 'Initializing';
}

/** The Service asks for the very content that its primary Revision runs, under another Revision's name. */
export function runsWhatPrimaryRuns({ target, primary }: TargetView): boolean {
  if (target?.kind !== 'Service' || !primary) return false;
  if (target.rolloutId !== primary.rolloutId) return false;
  return canonical(specOf(target.template)) === canonical(specOf(primary.template));
}

/**
 * Flagger waits for a Revision without an end, whatever the Canary's progressDeadlineSeconds says
 * (canary/knative_controller.go: IsCanaryReady is always retriable), so that the deadline is ours to keep.
 */
export function revisionNotReady(
  canary: CanaryView,
  { target }: TargetView,
  track: Track,
): Pick<Judgement, 'waitingFor' | 'limit'> | undefined {
  if (target?.kind !== 'Service' || target.notReady === undefined) return undefined;
  // With traffic on it, the schedule is the limit.
  if (canary.canaryWeight > 0 || canary.iterations > 0) return undefined;
  const seconds = Math.round(canary.progressDeadlineMs / 1000);
  return {
    waitingFor: `the Revision of ${track.target} to become ready: ${target.notReady}`,
    limit: {
      ms: canary.progressDeadlineMs,
      outcome: {
        kind: 'failed',
        reason: 'canary-not-ready',
        detail: `The Revision of ${track.target} did not become ready within the ${seconds} s of the Canary's deadline: ${target.notReady}`,
        tainted: false,
      },
    },
  };
}

function specOf(template: unknown): unknown {
  return typeof template === 'object' && template !== null && 'spec' in template ? template.spec : undefined;
}

/** Sorted, without what is empty: clients written in Go add empty fields to what they update. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, at: unknown) => {
    if (typeof at !== 'object' || at === null || Array.isArray(at)) return at;
    const kept = Object.entries(at).filter(([, field]) => !isEmpty(field));
    return Object.fromEntries(kept.toSorted(([one], [other]) => (one < other ? -1 : 1)));
  });
}

function isEmpty(value: unknown): boolean {
  if (value === null || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}
