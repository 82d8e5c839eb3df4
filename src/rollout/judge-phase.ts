import { failedOutcome, failureCause } from './failure-cause.ts';
import type { JudgeContext, Judgement } from './judgement.ts';
import { revisionNotReady, trafficElsewhere } from './knative.ts';
import type { CanaryView, ClusterTime, TargetView } from './observation.ts';
import { analysisLimitMs, holdMs, promotionLimitMs, startLimitMs } from './time-budget.ts';
import type { Track } from './track.ts';

export interface PhaseInput {
  readonly view: TargetView;
  readonly canary: CanaryView;
  readonly context: JudgeContext;
  /** Our ReplicaSet's hash, where it may be joined with lastAppliedSpec. */
  readonly hash: string | undefined;
  readonly since: ClusterTime | undefined;
}

/** What the phase of a delivered target says; it counts only when it is about ours. */
export function judgePhase(input: PhaseInput): Judgement {
  const { view, canary, context, hash, since } = input;
  const { track, limits } = context;
  const mine =
    hash === undefined
      ? canary.lastAppliedSpec !== track.baseline.lastAppliedSpec
      : canary.lastAppliedSpec === hash;
  const notStarted: Judgement = {
    stage: 'delivering',
    limit: {
      ms: startLimitMs(canary),
      outcome: {
        kind: 'not-started',
        reason: 'no-new-revision',
        detail: `${track.target} carries our commit, but Flagger still shows ${canary.phase || 'no phase'} of the release before${lastWarning(view)}.`,
      },
    },
  };
  switch (canary.phase) {
    case 'Succeeded':
      return mine ? judgeSucceeded(input, notStarted) : notStarted;
    case 'Failed':
      return mine && isFresh(canary, track, since) ? judgeFailed(input) : notStarted;
    case 'Waiting':
    case 'WaitingPromotion': {
      if (canary.phase === 'WaitingPromotion' && context.barrierClosed && mine) {
        // Bounded by what the others may take; each of them has limits of its own.
        return {
          stage: 'waitingPromotion',
          analysing: true,
          waitingFor: 'the other canaries of this rollout (barrier)',
        };
      }
      const gate = canary.phase === 'Waiting' ? 'confirm-rollout' : 'confirm-promotion';
      return {
        stage: canary.phase === 'Waiting' ? 'waitingApproval' : 'waitingPromotion',
        analysing: canary.phase === 'WaitingPromotion' && mine,
        waitingFor: `gate ${gateNames(canary, gate)} (${gate}) has not been opened`,
        limit: {
          ms: limits.approvalMs,
          outcome: {
            kind: 'timed-out',
            reason: 'approval-timeout',
            detail: `Gate ${gateNames(canary, gate)} of ${track.target} stayed closed.`,
          },
        },
      };
    }
    case 'Progressing':
      if (!mine) return notStarted;
      return {
        stage: 'analysing',
        analysing: true,
        ...(revisionNotReady(canary, view, track) ?? { limit: analysisLimit(input) }),
      };
    case 'Promoting':
    case 'Finalising':
      return {
        stage: canary.phase === 'Promoting' ? 'promoting' : 'finalising',
        analysing: mine,
        limit: {
          ms: promotionLimitMs(canary, view.primary),
          outcome: {
            kind: 'timed-out',
            reason: 'promotion-timeout',
            detail: `The promotion of ${track.target} took longer than its primary's deadline allows${lastWarning(view)}.`,
          },
        },
      };
    default:
      return notStarted;
  }
}

function analysisLimit({ view, canary, context }: PhaseInput): NonNullable<Judgement['limit']> {
  return {
    ms: analysisLimitMs(canary),
    outcome: {
      kind: 'timed-out',
      reason: 'analysis-timeout',
      detail: `The analysis of ${context.track.target} took longer than its schedule allows${lastWarning(view)}.`,
    },
  };
}

function judgeSucceeded(input: PhaseInput, notStarted: Judgement): Judgement {
  const { view, canary, context, hash, since } = input;
  const { track } = context;
  if (canary.lastPromotedSpec !== canary.lastAppliedSpec || view.primary?.rolloutId !== context.rolloutId) {
    return notStarted;
  }
  if (!view.primary.complete) {
    return {
      stage: 'finalising',
      analysing: true,
      waitingFor: `the rollout of ${view.primary.name} has not finished`,
      limit: {
        ms: promotionLimitMs(canary, view.primary),
        outcome: {
          kind: 'timed-out',
          reason: 'promotion-timeout',
          detail: `Flagger says Succeeded, but the rollout of ${view.primary.name} did not finish.`,
        },
      },
    };
  }
  const astray = trafficElsewhere(view, each => each.rolloutId === context.rolloutId);
  if (astray !== undefined) {
    return {
      stage: 'finalising',
      analysing: true,
      waitingFor: astray,
      limit: {
        ms: startLimitMs(canary),
        outcome: {
          kind: 'timed-out',
          reason: 'promotion-timeout',
          detail: `Flagger says Succeeded for ${track.target}, but ${astray}.`,
        },
      },
    };
  }
  if (hash === undefined) {
    // Without the exact join a moved hash could be a Flagger upgrade: require a newer condition that holds.
    if (!isFresh(canary, track, since)) return notStarted;
    const held = track.terminalSince !== undefined && context.now - track.terminalSince >= holdMs(canary);
    if (!held) return { stage: 'finalising', analysing: true, holding: true };
  }
  const analysed = !canary.skipAnalysis;
  return {
    stage: 'ended',
    analysing: true,
    outcome: {
      kind: 'promoted',
      analysed,
      detail: analysed
        ? `${track.target}: Flagger promoted revision ${canary.lastPromotedSpec}; ${view.primary.name} runs it.`
        : `${track.target}: promoted without analysis (skipAnalysis); ${view.primary.name} runs it.`,
    },
  };
}

function judgeFailed(input: PhaseInput): Judgement {
  const { view, canary, context, since } = input;
  const { track, rolloutId } = context;
  if (canary.canaryWeight >= 100) {
    const { failedChecks } = track.peak;
    const cause = failureCause({ canary, events: view.events, since, failedChecks });
    return {
      stage: 'ended',
      outcome: {
        kind: 'promotion-failed',
        reason: 'primary-not-ready',
        detail: `${track.target}: ${cause.detail}`,
      },
    };
  }
  const tainted = view.primary?.rolloutId === rolloutId;
  const updated = canary.promoted?.lastUpdateTime;
  const tooSoon =
    updated !== undefined &&
    since !== undefined &&
    updated - canary.flaggerSkewMs - since < canary.analysis.intervalMs;
  if (!tainted && track.analysedFrom === undefined && tooSoon) {
    // A rollback of the release before, in flight when we arrived, writes *our* hash and never starts us.
    return {
      stage: 'ended',
      outcome: {
        kind: 'not-started',
        reason: 'no-new-revision',
        detail: `Flagger was rolling back the release before when ours arrived, and never began an analysis of ${track.target}.`,
      },
    };
  }
  return { stage: 'ended', outcome: failedOutcome({ canary, track, events: view.events, since, tainted }) };
}

/** Condition `Promoted` was written since the baseline and not before the delivery. Flagger canary/status.go. */
export function isFresh(canary: CanaryView, track: Track, since: ClusterTime | undefined): boolean {
  const updated = canary.promoted?.lastUpdateTime;
  if (updated === undefined || updated === track.baseline.promotedAt) return false;
  return since === undefined || updated - canary.flaggerSkewMs >= since;
}

function gateNames(canary: CanaryView, type: string): string {
  const names = canary.analysis.webhooks
    .filter(webhook => webhook.type === type)
    .map(webhook => webhook.name);
  return names.length > 0 ? names.map(name => `“${name}”`).join(', ') : 'of Flagger';
}

function lastWarning(view: TargetView): string {
  const warning = view.events.findLast(event => event.type === 'Warning');
  return warning ? `; its last warning: “${warning.message}”` : '';
}
