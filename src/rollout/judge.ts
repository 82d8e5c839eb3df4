import type { Expectation } from './expectation.ts';
import { failedOutcome, failureCause } from './failure-cause.ts';
import { fluxProgress, type KnownRevisions } from './flux-progress.ts';
import { helmRollback } from './helm-rollback.ts';
import type { Identity } from './identity.ts';
import { revisionNotReady, trafficElsewhere } from './knative.ts';
import { liveValue, sourceOf } from './live-value.ts';
import type { CanaryView, ClusterTime, ReplicaSetView, TargetView } from './observation.ts';
import { analysisLimitMs, holdMs, promotionLimitMs, startLimitMs } from './time-budget.ts';
import type { Track, TrackOutcome, TrackStage } from './track.ts';
import type { Reason } from './verdict.ts';

/** What one look at one canary says: where it stands, or how it ended. */
export interface Judgement {
  readonly stage: TrackStage;
  readonly outcome?: TrackOutcome;
  /** Something that is waited for and that a person can change. */
  readonly waitingFor?: string;
  /** The stage's clock stands still. */
  readonly held?: boolean;
  /** How long this stage may last, and how it ends when it lasts longer. */
  readonly limit?: { readonly ms: number; readonly outcome: TrackOutcome };
  readonly delivered?: boolean;
  readonly deliveredClusterTime?: ClusterTime;
  readonly valuesLive?: boolean;
  readonly analysing?: boolean;
  readonly amended?: boolean;
  /** A terminal phase of ours that has to hold before it is believed. */
  readonly holding?: boolean;
}

export interface JudgeContext {
  readonly rolloutId: string;
  readonly identity: Identity;
  readonly track: Track;
  readonly expectations: readonly Expectation[];
  readonly objects: Readonly<Record<string, unknown>>;
  readonly known: KnownRevisions;
  readonly limits: { readonly applyMs: number; readonly approvalMs: number };
  /** The canaries of this rollout still wait for each other. */
  readonly barrierClosed: boolean;
  readonly now: number;
}

/**
 * The verdict of one canary of a release, by the rules of docs/architecture.md ("Verdict of one canary"). It trusts
 * nothing that was visible before the commit: a phase counts only when its hash is ours (`mine`) and, for Failed, its
 * condition is newer than the delivery (`fresh`).
 */
export function judge(view: TargetView, context: JudgeContext): Judgement {
  const { track, rolloutId } = context;
  const replaced = replacement(view, track);
  if (replaced) return { stage: 'ended', outcome: replaced };
  const { canary, target } = view;
  if (!canary || !target) throw new Error('unreachable: replacement() covers missing objects');

  if (target.rolloutId !== rolloutId) return judgeUndelivered(view, context);

  const withId = view.replicaSets.filter(replicaSet => replicaSet.rolloutId === rolloutId);
  // Where one object carries our id and another the value, Flux may apply them one after the other: what had our id and
  // not yet the value was nobody's amendment.
  const whole = withId.filter(replicaSet => holdsValues(replicaSet, context.expectations));
  const ours = whole.length > 0 ? whole : withId;
  const delivery: Pick<Judgement, 'delivered' | 'deliveredClusterTime' | 'amended'> = {
    delivered: true,
    ...deliveryTime(view, ours),
    ...(ours.length > 1 ? { amended: true } : {}),
  };
  const missing = missingValue(view, context);
  if (missing) {
    return { ...delivery, stage: 'delivering', limit: { ms: VALUE_GRACE_MS, outcome: missing } };
  }
  const facts = { ...delivery, valuesLive: true };
  if (canary.suspended) {
    return {
      ...facts,
      stage: track.stage === 'applying' ? 'delivering' : track.stage,
      held: true,
      waitingFor: `Canary ${canary.namespace}/${canary.name} is suspended; nothing moves until it is resumed`,
    };
  }
  // With several ReplicaSets of ours (amended) the newest is the one that Flagger looks at.
  const hash = track.baseline.joinsByHash ? ours[0]?.podTemplateHash : undefined;
  const since = delivery.deliveredClusterTime ?? track.deliveredClusterTime;
  return { ...facts, ...judgePhase({ view, canary, context, hash, since }) };
}

/** Objects applied just before or after the target in the same Flux apply need a moment (ms). */
const VALUE_GRACE_MS = 15_000;

function replacement(view: TargetView, track: Track): TrackOutcome | undefined {
  const baseline = track.baseline;
  if (!view.target || view.target.uid !== baseline.targetUid) {
    return {
      kind: 'replaced',
      reason: 'target-replaced',
      detail: `${track.target} was ${view.target ? 'deleted and created anew' : 'deleted'} while it was released.`,
    };
  }
  if (!view.canary || (baseline.canaryUid !== undefined && view.canary.uid !== baseline.canaryUid)) {
    return {
      kind: 'replaced',
      reason: 'canary-replaced',
      detail: `The Canary of ${track.target} was ${view.canary ? 'deleted and created anew' : 'deleted'} during the rollout; what it did before is lost.`,
    };
  }
  return undefined;
}

function judgeUndelivered(view: TargetView, context: JudgeContext): Judgement {
  const { track, known, limits } = context;
  const attempted = view.flux?.kustomizations.at(-1)?.lastAttemptedRevision;
  const facts = attempted === undefined ? undefined : known[attempted];
  const takenBack = facts?.changesOurPaths ? undefined : helmRollback(view, context);
  if (takenBack) return takenBack;
  if (track.deliveredAt !== undefined || (facts?.containsCommit && facts.changesOurPaths)) {
    return {
      stage: 'ended',
      outcome: {
        kind: 'superseded',
        reason: 'newer-release',
        detail: `${carriesAnother(view, context)}: a newer commit replaced ours.`,
      },
    };
  }
  const progress = fluxProgress(view.flux, known, 'containsCommit', track.baseline.links);
  if (progress.kind === 'failed') {
    return {
      stage: 'ended',
      outcome: { kind: 'not-applied', reason: progress.reason, detail: progress.detail },
    };
  }
  const detail =
    progress.kind === 'attempted'
      ? `Flux attempted ${progress.revision.slice(0, 7)}, but ${track.target} does not ${context.identity === 'values' ? 'run the values asked for' : 'carry our id'}.`
      : progress.detail;
  const reason: Reason = progress.kind === 'attempted' ? 'apply-timeout' : progress.reason;
  return {
    stage: 'applying',
    ...(progress.kind === 'attempted' ? {} : { waitingFor: detail }),
    limit: { ms: limits.applyMs, outcome: { kind: 'not-applied', reason, detail } },
  };
}

function carriesAnother(view: TargetView, { track, identity }: JudgeContext): string {
  if (identity === 'values') return `${track.target} does not run the values asked for any more`;
  const id = view.target?.rolloutId;
  return `${track.target} now carries ${id === undefined ? 'a template without a rollout id' : `rollout ${id}`}`;
}

function holdsValues(replicaSet: ReplicaSetView, expectations: readonly Expectation[]): boolean {
  const { template } = replicaSet;
  if (template === undefined) return true;
  return expectations.every(
    each => each.kind === 'field' || each.kind === 'chart' || liveValue(each, template).holds,
  );
}

function deliveryTime(
  view: TargetView,
  ours: readonly { readonly createdAt: ClusterTime }[],
): { deliveredClusterTime?: ClusterTime } {
  // The oldest ReplicaSet (or Revision) of ours dates the delivery; a DaemonSet has none, Flux's own apply does then.
  const time = ours.at(-1)?.createdAt ?? view.target?.appliedAt;
  return time === undefined ? {} : { deliveredClusterTime: time };
}

function missingValue(view: TargetView, context: JudgeContext): TrackOutcome | undefined {
  for (const expectation of context.expectations) {
    const live = liveValue(expectation, sourceOf(expectation, { view, objects: context.objects }));
    if (live.holds) continue;
    const asked = askedFor(expectation);
    return {
      kind: 'errored',
      reason: 'value-overridden',
      detail: `Our commit is live in ${expectation.target}, but ${describe(expectation)} is ${live.found === undefined ? 'absent' : `“${live.found}”`}, not “${asked}”: something else overrides it.`,
      tainted: false,
    };
  }
  return undefined;
}

function askedFor(expectation: Expectation): string {
  if (expectation.kind === 'image') return `${expectation.repository}:${expectation.version}`;
  return expectation.kind === 'chart' ? expectation.version : expectation.value;
}

function describe(expectation: Expectation): string {
  switch (expectation.kind) {
    case 'image':
      return 'the image';
    case 'env':
      return `environment variable ${expectation.name}`;
    case 'arg':
      return `argument ${expectation.name}`;
    case 'field':
      return `${expectation.path.join('.')} of ${expectation.object.kind}/${expectation.object.name}`;
    case 'chart':
      return `the version of chart ${expectation.chart}`;
  }
}

interface PhaseInput {
  readonly view: TargetView;
  readonly canary: CanaryView;
  readonly context: JudgeContext;
  /** Our ReplicaSet's hash, where it may be joined with lastAppliedSpec. */
  readonly hash: string | undefined;
  readonly since: ClusterTime | undefined;
}

function judgePhase(input: PhaseInput): Judgement {
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
