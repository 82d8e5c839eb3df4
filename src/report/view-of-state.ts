import type { CanaryView } from '../rollout/observation.ts';
import type { RolloutState } from '../rollout/state.ts';
import { TRACK_STAGES, type Track, type TrackStage } from '../rollout/track.ts';
import type { PlanView } from './plan-view.ts';
import { gatesOf } from './gate.ts';
import { nextStep } from './next-step.ts';
import { isTakenBack, proofOf } from './proof.ts';
import { servingWords } from './serving.ts';
import { stepOf, timeLeftMs } from './time-left.ts';
import type { CanaryProgressView, ChangeView, CommitView, RolloutView, Stage } from './view.ts';

/** What a report needs beyond the state: where the run comes from, and what was planned. */
export interface ViewFrame {
  readonly id: string;
  readonly name: string;
  readonly purpose: RolloutView['purpose'];
  readonly startedAt: number;
  readonly source: RolloutView['source'];
  readonly gitops: RolloutView['gitops'];
  readonly changes: readonly ChangeView[];
  readonly adoption?: CommitView;
  readonly plan?: PlanView;
  readonly notes: readonly string[];
}

/** Before anything is committed, or when it never is. */
export function viewBeforeCommit(
  frame: ViewFrame,
  now: number,
  progress: Pick<RolloutView, 'stage'> & Partial<Pick<RolloutView, 'outcome'>>,
): RolloutView {
  return { ...frame, ...progress, updatedAt: now, serving: [], proof: [], canaries: [] };
}

export function viewOfState(frame: ViewFrame, state: RolloutState, now: number): RolloutView {
  const { intent, commit } = state;
  const adopting = intent.kind === 'adoption';
  const commitView: CommitView = { sha: commit.sha, url: commit.url, verified: commit.verified };
  const revert = 'revert' in state ? state.revert : undefined;
  const forms = 'forms' in state ? state.forms : undefined;
  return {
    ...frame,
    stage: stageOf(state),
    updatedAt: now,
    ...(adopting ? { adoption: commitView } : { commit: commitView }),
    ...(state.phase === 'done' ? { outcome: state.outcome } : {}),
    ...(revert ? { revert: { ...revert, verified: commit.verified, forms: forms ?? {} } } : {}),
    ...(state.phase === 'done' && state.pullRequest ? { pullRequest: state.pullRequest } : {}),
    ...(state.phase !== 'done' && 'cause' in state ? { cause: state.cause.detail } : {}),
    serving: servingWords(state),
    proof: proofOf(state),
    ...withNext(nextStep(state, now)),
    ...(state.phase === 'following' ? { onCancel: intent.onCancel } : {}),
    canaries: Object.values(state.tracks).map(track => canaryProgress(state, track, now)),
    notes: [...frame.notes, ...state.notes],
  };
}

function stageOf(state: RolloutState): Stage {
  switch (state.phase) {
    case 'following':
      return state.intent.kind === 'adoption' ? 'adopting' : slowest(Object.values(state.tracks));
    case 'reverting':
    case 'openingPullRequest':
      return 'reverting';
    case 'verifyingRevert':
      return 'verifyingRevert';
    case 'done':
      return 'done';
  }
}

/** The stage of the canary that is furthest from its end. */
function slowest(tracks: readonly Track[]): Stage {
  const index = Math.min(...tracks.map(track => TRACK_STAGES.indexOf(track.stage)));
  return shown(TRACK_STAGES[index] ?? 'applying');
}

function shown(stage: TrackStage): Stage {
  return stage === 'ended' ? 'finalising' : stage;
}

function withNext(next: string | undefined): Pick<RolloutView, 'next'> {
  return next === undefined ? {} : { next };
}

function canaryProgress(state: RolloutState, track: Track, now: number): CanaryProgressView {
  const canary = state.observation?.targets[track.target]?.canary;
  const outcome = fateOf(state, track);
  const at = stepOf(track, canary);
  const leftMs = timeLeftMs(track, canary, now);
  const failingSince = track.history.progress.find(({ failedChecks }) => failedChecks > 0)?.at;
  const weights = canary?.analysis.weights ?? [];
  const maxWeight = weights.length > 0 ? Math.max(...weights) : undefined;
  return {
    target: track.target,
    canary: canary ? `${canary.namespace}/${canary.name}` : track.target,
    strategy: canary?.analysis.strategy ?? 'weighted',
    phase: track.phase,
    stage: shown(track.stage),
    weight: weightShown(track, maxWeight),
    ...(track.proven.traffic === undefined ? {} : { highest: track.proven.traffic }),
    ...(maxWeight === undefined ? {} : { maxWeight }),
    iteration: track.peak.iteration,
    ...(canary?.analysis.iterations === undefined ? {} : { iterations: canary.analysis.iterations }),
    failedChecks: track.peak.failedChecks,
    threshold: canary?.analysis.threshold ?? 0,
    ...(track.waitingFor === undefined ? {} : { waitingFor: track.waitingFor }),
    ...(outcome ? { outcome } : {}),
    ...(at ?? {}),
    ...(leftMs === undefined || outcome ? {} : { leftMs }),
    gates: gatesOf(track, canary),
    progress: track.history.progress,
    metrics: (canary?.analysis.metrics ?? []).map(metric => ({
      ...metric,
      source: templateName(metric.source, canary),
      points: track.history.metrics[metric.name] ?? [],
    })),
    ...(failingSince === undefined ? {} : { failingSince }),
    events: track.events,
  };
}

/** How it ended for one canary: what the whole rollout came to counts, too. */
function fateOf(state: RolloutState, { outcome, proven, target }: Track): CanaryProgressView['outcome'] {
  const own = outcome && { kind: outcome.kind, detail: outcome.detail };
  if (state.phase === 'following') return own;
  if (isTakenBack(state) && (!own || own.kind === 'promoted')) {
    const kind = own || proven.traffic === 100 ? 'promoted-then-taken-back' : 'taken-back';
    return { kind, detail: `${target} was taken back with the whole commit.` };
  }
  if (own || state.phase !== 'done' || state.outcome.verdict === 'pending') return own;
  return { kind: 'unknown', detail: `How ${target} ended is not known.` };
}

/** Flagger scheduler_metrics.go: a MetricTemplate is looked for beside the Canary unless its namespace is named. */
function templateName(source: string, canary: CanaryView | undefined): string {
  if (source === 'builtin' || source === 'inline' || source.includes('/') || !canary) return source;
  return `${canary.namespace}/${source}`;
}

/** In WaitingPromotion Flagger's status says 0 while traffic stays at the maximum. */
function weightShown(track: Track, maxWeight: number | undefined): number {
  if (track.stage === 'waitingPromotion' && maxWeight !== undefined) return maxWeight;
  return track.peak.weight;
}
