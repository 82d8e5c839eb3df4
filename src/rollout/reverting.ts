import { backState } from './back.ts';
import { commonOf } from './begin-revert.ts';
import { mayStillBeTold, withLateCause } from './late-cause.ts';
import type { Observation, TargetView } from './observation.ts';
import {
  blockedOutcome,
  promotionFailedOutcome,
  provenOutcome,
  unreachableOutcome,
  unsureRevertOutcome,
  unverifiedOutcome,
} from './outcome-text.ts';
import type { RevertRecord, WriteRefusal } from './ports.ts';
import { withTrafficOf } from './proven.ts';
import { resumeCommands } from './resume-command.ts';
import type { RolloutEvent, RolloutState, Transition } from './state.ts';
import { analysisLimitMs, holdMs, promotionLimitMs } from './time-budget.ts';
import type { Outcome, Reason } from './verdict.ts';

type Reverting = Extract<RolloutState, { phase: 'reverting' }>;
type Opening = Extract<RolloutState, { phase: 'openingPullRequest' }>;
type Verifying = Extract<RolloutState, { phase: 'verifyingRevert' }>;
type Done = Extract<RolloutState, { phase: 'done' }>;

/** Said without naming a rule or a right that somebody would have to change first. */
const MAY_PASS: readonly WriteRefusal[] = [
  'github-unreachable',
  'rate-limited',
  'bad-credentials',
  'repository-not-found',
  'branch-contended',
];

/** The answer to a revert that was asked for. */
export function onRevertAnswer(state: Reverting, event: RolloutEvent, now: number): Transition {
  switch (event.type) {
    case 'reverted':
      return verify(state, event.revert, now);
    case 'revertConflict':
      return openPullRequest(
        state,
        'changed-since',
        `${event.paths.join(', ')} was changed after our commit.`,
      );
    case 'revertUnsure':
      return ended(state, now, unsureRevertOutcome(state, event), { revertOpen: { sha: event.revert } });
    case 'revertRefused':
      // What GitHub names no rule or right for may pass, only not within the time that this job has.
      if (MAY_PASS.includes(event.reason)) {
        return ended(state, now, unreachableOutcome(state, event), { revertOpen: {} });
      }
      return openPullRequest(state, 'revert-refused', `${event.detail} ${event.remedy}`);
    default:
      return { state, effects: [] };
  }
}

export function onPullRequestAnswer(state: Opening, event: RolloutEvent, now: number): Transition {
  if (event.type !== 'pullRequestAnswered') return { state, effects: [] };
  const { outcome: pullRequest } = event;
  const outcome = blockedOutcome({
    cause: state.cause,
    reason: state.why,
    why: state.whyDetail,
    commit: state.commit.sha,
    pullRequest,
  });
  if (pullRequest.kind !== 'opened') return ended(state, now, outcome);
  return ended(state, now, outcome, { pullRequest: { url: pullRequest.url, number: pullRequest.number } });
}

function openPullRequest(state: Reverting, why: Opening['why'], whyDetail: string): Transition {
  const { cause, forms } = state;
  return {
    state: { ...commonOf(state), phase: 'openingPullRequest', cause, forms, why, whyDetail },
    effects: [{ type: 'openPullRequest', forms, cause, why: whyDetail }],
  };
}

function verify(state: Reverting, revert: RevertRecord, now: number): Transition {
  const { cause, forms } = state;
  return {
    state: {
      ...commonOf(state),
      phase: 'verifyingRevert',
      cause,
      forms,
      revert,
      revertedAt: now,
      deadline: now + state.intent.limits.backMs + ownAnalysisMs(state),
      backSince: {},
      confirming: false,
    },
    effects: [{ type: 'requestReconcile', of: 'source' }, { type: 'read' }],
  };
}

/** A revert of what was promoted is itself analysed and promoted; that takes its own time (ms). */
function ownAnalysisMs(state: Reverting): number {
  const times = Object.values(state.tracks).map(track => {
    const view = state.observation?.targets[track.target];
    const canary = view?.canary;
    if (!canary) return 0;
    const promotion = promotionLimitMs(canary, view?.primary);
    const again = analysisLimitMs(canary) + promotion;
    if (canary.phase === 'Promoting' || canary.phase === 'Finalising') return promotion + again;
    return view?.primary?.rolloutId === state.intent.id ? again : 0;
  });
  return Math.max(0, ...times);
}

/** A look at the cluster while the revert is followed. */
export function verifyObservation(before: Verifying, observation: Observation, now: number): Transition {
  const state = withLateCause(before, observation);
  const looks = Object.values(state.tracks).map(track => {
    const view: TargetView = observation.targets[track.target] ?? { replicaSets: [], events: [] };
    return { track, view, back: backState({ view, track, rolloutId: state.intent.id, known: state.known }) };
  });
  const backSince = Object.fromEntries(
    looks.flatMap(({ track, back }) =>
      back.kind === 'back' ? [[track.target, state.backSince[track.target] ?? now] as const] : [],
    ),
  );
  const waiting = looks.find(({ back }) => back.kind !== 'back')?.back.detail;
  const { waitingFor: _old, ...kept } = state;
  const next: Verifying = {
    ...kept,
    tracks: Object.fromEntries(
      looks.map(({ track, view }) => [
        track.target,
        { ...track, proven: withTrafficOf(track.proven, view, state.intent.id) },
      ]),
    ),
    observation,
    backSince,
    ...(waiting === undefined ? {} : { waitingFor: waiting }),
    confirming: state.confirming && observation.source === 'watch',
  };
  const ends = endOfVerification(next, looks, now);
  if (!ends || (ends.back && mayStillBeTold(next, observation, now))) return expire(next, now);
  if (observation.source === 'read') return ended(next, now, ends.outcome, ends.back ? { backAt: now } : {});
  return { state: { ...next, confirming: true }, effects: state.confirming ? [] : [{ type: 'read' }] };
}

type Look = {
  readonly track: Verifying['tracks'][string];
  readonly view: TargetView;
  readonly back: ReturnType<typeof backState>;
};

function endOfVerification(
  state: Verifying,
  looks: readonly Look[],
  now: number,
): { readonly outcome: Outcome; readonly back: boolean } | undefined {
  const { cause } = state;
  const { revert } = state;
  const lost = looks.find(({ back }) => back.kind === 'lost')?.back;
  if (lost?.kind === 'lost') {
    return {
      outcome: unverifiedOutcome({
        ...{ cause, revert },
        reason: lost.reason,
        waitingFor: lost.detail,
        commands: resumeCommands(state.observation),
      }),
      back: false,
    };
  }
  if (cause.verdict === 'promotion-failed') {
    // It cannot be back by itself; Git and the pods that serve can.
    const restored = looks.every(
      ({ view, track }) =>
        view.target?.rolloutId !== state.intent.id &&
        (state.known[attemptedBy(view)]?.containsRevert ?? false) &&
        track !== undefined,
    );
    const targets = looks
      .filter(({ track }) => track.outcome?.kind === 'promotion-failed')
      .map(({ track }) => track.target);
    return restored ? { outcome: promotionFailedOutcome(cause, revert, targets), back: false } : undefined;
  }
  const held = looks.every(({ track, view, back }) => {
    const since = state.backSince[track.target];
    if (back.kind !== 'back' || since === undefined) return false;
    // What was never delivered cannot come back: Flux is past it.
    return track.deliveredAt === undefined && view.target?.rolloutId !== state.intent.id
      ? true
      : now - since >= holdMs(view.canary);
  });
  if (!held) return undefined;
  const detail = looks.map(({ back }) => back.detail).join('; ');
  return { outcome: provenOutcome(cause, revert, detail), back: true };
}

function attemptedBy(view: TargetView): string {
  return view.flux?.kustomizations.at(-1)?.lastAttemptedRevision ?? '';
}

/** Ends the verification when its time is used up. */
export function expire(state: Verifying, now: number): Transition {
  if (now < state.deadline) return { state, effects: [] };
  const reason: Reason = 'not-seen-back';
  const waitingFor = state.lostSight ?? state.waitingFor ?? 'it held for too short a time';
  return ended(
    state,
    now,
    unverifiedOutcome({
      cause: state.cause,
      ...{ reason, waitingFor },
      revert: state.revert,
      commands: resumeCommands(state.observation),
    }),
  );
}

function ended(
  state: Reverting | Opening | Verifying,
  now: number,
  outcome: Outcome,
  extra: Partial<Pick<Done, 'pullRequest' | 'backAt' | 'revertOpen'>> = {},
): Transition {
  const { revert, revertedAt } =
    state.phase === 'verifyingRevert' ? state : { revert: undefined, revertedAt: undefined };
  return {
    state: {
      ...commonOf(state),
      phase: 'done',
      outcome,
      endedAt: now,
      cause: state.cause,
      forms: state.forms,
      ...(revert ? { revert } : {}),
      ...(revertedAt === undefined ? {} : { revertedAt }),
      ...extra,
    },
    effects: [],
  };
}
