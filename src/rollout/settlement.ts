import { hasNoPrimaryRevision, revisionUnnoticed, runsWhatPrimaryRuns, trafficElsewhere } from './knative.ts';
import type { CanaryView, TargetView } from './observation.ts';
import type { Reason } from './verdict.ts';

/**
 * Whether a baseline may be released upon. `settled`: nothing is going on. `failed`: a release was rejected and never
 * reverted: rolling forward is allowed, going back to the parent is not. `absent`: no Canary, to be adopted.
 */
export type Settlement =
  | { readonly kind: 'settled' }
  | { readonly kind: 'failed' }
  | { readonly kind: 'absent' }
  | { readonly kind: 'wait'; readonly what: string }
  | { readonly kind: 'refuse'; readonly reason: Reason; readonly what: string; readonly remedy: string };

export function settlement(view: TargetView): Settlement {
  const canary = view.canary;
  if (!canary) return { kind: 'absent' };
  const name = `Canary ${canary.namespace}/${canary.name}`;
  if (canary.suspended) {
    return {
      kind: 'refuse',
      reason: 'canary-suspended',
      what: `${name} is suspended; a commit would resume it unasked, because Flux applies spec.suspend from Git.`,
      remedy: `Resume it first: kubectl -n ${canary.namespace} patch canary ${canary.name} --type merge -p '{"spec":{"suspend":false}}'`,
    };
  }
  if (hasNoPrimaryRevision(canary, view)) {
    return {
      kind: 'refuse',
      reason: 'baseline-unsettled',
      what: `${name} has no primary Revision, and stays so for good: Flagger initialized it before Knative had made the first Revision, or that Revision was deleted.`,
      remedy: `Let Flagger begin anew: kubectl -n ${canary.namespace} delete canary ${canary.name} (a Knative Service goes on serving), and have Flux apply it again.`,
    };
  }
  switch (canary.phase) {
    case 'Initialized':
    case 'Succeeded':
      return settledPrimary(name, canary, view);
    case 'Failed':
      return settledFailure(name, canary, view);
    case 'Terminating':
    case 'Terminated':
      return {
        kind: 'refuse',
        reason: 'baseline-unsettled',
        what: `${name} is ${canary.phase}: it is being deleted.`,
        remedy: 'Wait until it is gone, or restore it, then run this again.',
      };
    default:
      return {
        kind: 'wait',
        what: `${name} is ${canary.phase || 'not yet seen by Flagger'}${progress(canary)}`,
      };
  }
}

function settledPrimary(name: string, canary: CanaryView, view: TargetView): Settlement {
  if (canary.phase === 'Succeeded' && canary.lastAppliedSpec !== canary.lastPromotedSpec) {
    return {
      kind: 'wait',
      what: `${name} is Succeeded, but its last applied revision is not the promoted one`,
    };
  }
  return unsettled(name, canary, view) ?? { kind: 'settled' };
}

function settledFailure(name: string, canary: CanaryView, view: TargetView): Settlement {
  if (canary.canaryWeight >= 100) {
    return {
      kind: 'refuse',
      reason: 'promotion-failed-before',
      what:
        `${name} failed while it was promoted: its primary is broken and the pods of ${view.target?.name} serve. ` +
        'A new release now would send all traffic to the broken primary.',
      remedy:
        `Repair the primary first, for example kubectl -n ${canary.namespace} rollout undo ` +
        `deployment/${view.target?.name}-primary, wait until it is ready, then run this again.`,
    };
  }
  const waits = unsettled(name, canary, view);
  if (waits) return waits;
  // A revert of a Knative Service is a new Revision; when Flagger rejects that one, too, what runs is in Git all the same.
  const settled = canary.lastAppliedSpec === canary.lastPromotedSpec || runsWhatPrimaryRuns(view);
  return { kind: settled ? 'settled' : 'failed' };
}

function unsettled(name: string, canary: CanaryView, view: TargetView): Settlement | undefined {
  if (noticePending(canary, view) || revisionUnnoticed(canary, view)) {
    return { kind: 'wait', what: `a new revision of ${view.target?.name} waits for Flagger's next tick` };
  }
  if (!view.primary?.complete) {
    return { kind: 'wait', what: `the primary of ${name} has not finished rolling out` };
  }
  const astray = trafficElsewhere(view, ({ revision }) => revision === view.primary?.name);
  return astray === undefined ? undefined : { kind: 'wait', what: `${name}: ${astray}` };
}

/** The live template is newer than what Flagger's status speaks of. Told by the newest ReplicaSet, where hashes join. */
function noticePending(canary: CanaryView, view: TargetView): boolean {
  const joins = view.replicaSets.some(replicaSet => replicaSet.podTemplateHash === canary.lastAppliedSpec);
  if (!joins) return false;
  const current = view.replicaSets.find(replicaSet => replicaSet.rolloutId === view.target?.rolloutId);
  if (view.target?.rolloutId === undefined || current === undefined) return false;
  const sameId = view.replicaSets.filter(replicaSet => replicaSet.rolloutId === view.target?.rolloutId);
  return !sameId.some(replicaSet => replicaSet.podTemplateHash === canary.lastAppliedSpec);
}

function progress(canary: CanaryView): string {
  if (canary.phase !== 'Progressing') return '';
  return canary.analysis.strategy === 'weighted'
    ? ` at ${canary.canaryWeight} % of traffic`
    : `, iteration ${canary.iterations} of ${canary.analysis.iterations ?? '?'}`;
}
