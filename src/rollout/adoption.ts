import { fluxProgress } from './flux-progress.ts';
import type { JudgeContext, Judgement } from './judgement.ts';
import { trafficElsewhere } from './knative.ts';
import type { TargetView } from './observation.ts';
import { promotionLimitMs } from './time-budget.ts';

/**
 * The verdict of a Canary that our commit adds to a target whose template stays as it is: Flagger makes a primary of
 * what runs and ends Initialized, without an analysis (Flagger scheduler.go: the first revision is never analysed).
 */
export function judgeAdoption(view: TargetView, context: JudgeContext): Judgement {
  const { track, limits, known } = context;
  const { canary, primary, target } = view;
  if (!target || target.uid !== track.baseline.targetUid) {
    return {
      stage: 'ended',
      outcome: {
        kind: 'replaced',
        reason: 'target-replaced',
        detail: `${track.target} was deleted or created anew while its Canary was added.`,
      },
    };
  }
  if (!canary) {
    const progress = fluxProgress(view.flux, known, 'containsCommit');
    if (progress.kind === 'failed') {
      return {
        stage: 'ended',
        outcome: { kind: 'not-applied', reason: progress.reason, detail: progress.detail },
      };
    }
    const detail =
      progress.kind === 'attempted'
        ? 'Flux applied the commit, but the Canary is not there.'
        : progress.detail;
    return {
      stage: 'applying',
      waitingFor: detail,
      limit: {
        ms: limits.applyMs,
        outcome: {
          kind: 'not-applied',
          reason: progress.kind === 'attempted' ? 'apply-timeout' : progress.reason,
          detail,
        },
      },
    };
  }
  const astray = trafficElsewhere(view, ({ revision }) => revision === primary?.name);
  if (canary.phase === 'Initialized' && primary?.complete && astray === undefined) {
    return {
      stage: 'ended',
      delivered: true,
      outcome: { kind: 'initialized', detail: `${track.target}: ${primary.name} serves what ran before.` },
    };
  }
  const warning = view.events.findLast(event => event.type === 'Warning');
  return {
    stage: 'delivering',
    delivered: true,
    limit: {
      ms: promotionLimitMs(canary, primary ?? target),
      outcome: {
        kind: 'not-started',
        reason: 'no-new-revision',
        detail: `Flagger did not initialize the Canary of ${track.target} (phase ${canary.phase || 'none'})${warning ? `; its last warning: “${warning.message}”` : ''}.`,
      },
    },
  };
}
