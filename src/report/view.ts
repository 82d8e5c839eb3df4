import type { CanaryPhase, CanaryStrategy, FlaggerEvent } from '../rollout/observation.ts';
import type { PlanView } from './plan-view.ts';
import type { MetricPoint, ProgressPoint } from '../rollout/history.ts';
import type { RevertForm } from '../rollout/ports.ts';
import type { TargetKey } from '../rollout/target.ts';
import type { Outcome } from '../rollout/verdict.ts';

/**
 * Everything a report shows, once, as plain data. The check run, the comment, the job summary, the log and the
 * `result` output are renderings of it and say nothing else. Times are ms since the epoch by the runner's clock.
 */
export interface RolloutView {
  readonly id: string;
  readonly name: string;
  readonly purpose: Purpose;
  readonly stage: Stage;
  /** Set when the rollout has ended. */
  readonly outcome?: Outcome;
  readonly startedAt: number;
  readonly updatedAt: number;
  readonly source: { readonly repository: string; readonly sha: string; readonly runUrl: string };
  readonly gitops: { readonly repository: string; readonly branch: string };
  readonly changes: readonly ChangeView[];
  readonly commit?: CommitView;
  readonly adoption?: CommitView;
  readonly revert?: CommitView & { readonly forms: Readonly<Record<TargetKey, RevertForm>> };
  readonly pullRequest?: { readonly url: string; readonly number: number };
  /** Why it is being taken back, while it is. */
  readonly cause?: string;
  /** Who serves the users now, by the last look, a sentence for each canary; while something may be wrong with it. */
  readonly serving: readonly string[];
  readonly proof: readonly ProofLink[];
  /** What happens next, while it has not ended. */
  readonly next?: string;
  /** What cancelling the job does, while that is possible. */
  readonly onCancel?: 'revert' | 'hand-over';
  readonly canaries: readonly CanaryProgressView[];
  /** Of a plan that is only shown. */
  readonly plan?: PlanView;
  /** Warnings of the plan and things worth knowing that happened on the way, oldest first. */
  readonly notes: readonly string[];
}

/** A plan shows what a release would do. */
export type Purpose = 'release' | 'plan';

export type Stage =
  | 'preparing'
  | 'settling'
  | 'adopting'
  | 'committing'
  | 'applying'
  | 'delivering'
  | 'waitingApproval'
  | 'analysing'
  | 'waitingPromotion'
  | 'promoting'
  | 'finalising'
  | 'reverting'
  | 'verifyingRevert'
  | 'done';

export interface ChangeView {
  readonly what: string;
  readonly target: TargetKey;
  readonly from: string;
  readonly to: string;
  readonly path: string;
  readonly line: number;
}

export interface CommitView {
  readonly sha: string;
  readonly url: string;
  readonly verified: boolean;
}

export interface ProofLink {
  readonly link: 'committed' | 'applied' | 'delivered' | 'analysed' | 'promoted' | 'reverted' | 'back';
  readonly state: 'proven' | 'waiting' | 'failed' | 'unknown';
  /** When it was first seen to hold. */
  readonly at?: number;
  readonly detail: string;
}

export interface CanaryProgressView {
  readonly target: TargetKey;
  readonly canary: string;
  readonly strategy: CanaryStrategy;
  readonly phase: CanaryPhase;
  readonly stage: Stage;
  /** Percent of traffic on the canary, as Flagger's status says; the last known while it shows zeros. */
  readonly weight: number;
  /** The highest share of traffic that was on the release, percent, the primary's included; absent = not known. */
  readonly highest?: number;
  /** Percent. Weighted only. */
  readonly maxWeight?: number;
  readonly iteration: number;
  readonly iterations?: number;
  readonly failedChecks: number;
  readonly threshold: number;
  /** Something that is waited for and that a person can change: a gate, a suspension. */
  readonly waitingFor?: string;
  readonly outcome?: { readonly kind: string; readonly detail: string };
  /** Where the analysis stands in its own steps. */
  readonly step?: number;
  readonly steps?: number;
  /** Until it is promoted when no check fails any more, ms. */
  readonly leftMs?: number;
  /** Gates that are waited for. */
  readonly gates: readonly GateView[];
  /** How traffic, iterations and failed checks went, oldest first. */
  readonly progress: readonly ProgressPoint[];
  readonly metrics: readonly MetricView[];
  /** When the first check failed. */
  readonly failingSince?: number;
  /** Flagger's events of this rollout, newest last. */
  readonly events: readonly FlaggerEvent[];
}

/** One metric of the analysis: what it must be, and what was seen of it. */
export interface MetricView {
  readonly name: string;
  readonly min?: number;
  readonly max?: number;
  /** `builtin`, `inline`, or the MetricTemplate that holds the query. */
  readonly source: string;
  /** Oldest first; without a value: it was asked for, and there was none. */
  readonly points: readonly MetricPoint[];
}

export interface GateView {
  readonly name: string;
  readonly type: 'confirm-rollout' | 'confirm-promotion';
  readonly url: string;
  readonly opening:
    | { readonly kind: 'command'; readonly command: string }
    /** It refuses always. */
    | { readonly kind: 'never' }
    /** Whatever answers at its address decides. */
    | { readonly kind: 'elsewhere' };
}
