import type { CanaryAnalysis } from '../rollout/observation.ts';
import type { TargetKey } from '../rollout/target.ts';

/** What a release would do; shown by `mode: plan`. */
export interface PlanView {
  readonly files: readonly PlannedFile[];
  /** What changes in the build of them; empty where they were not built. */
  readonly built: readonly PlannedObject[];
  readonly canaries: readonly PlannedAnalysis[];
  /** What was looked at, found to be good or not, or could not be looked at and why. */
  readonly checks: readonly {
    readonly what: string;
    readonly state: 'good' | 'warning' | 'unchecked';
    readonly detail: string;
  }[];
  /** How many things were found that a person should look at: notes that warn, and checks. */
  readonly warnings: number;
  /** From the commit until the cluster is back, when the release turns out to be bad at the last moment, ms. */
  readonly worstRollbackMs: number;
}

export interface PlannedFile {
  readonly path: string;
  /** In a commit of its own, before the release: a Canary is adopted. */
  readonly adoption: boolean;
  /** Unified, without the heads of the files; empty where all of it is secret, with the lines hidden that are. */
  readonly diff: string;
}

export interface PlannedObject {
  /** `Deployment prod/frontend`. */
  readonly object: string;
  /** Unified; empty for a Secret. */
  readonly diff: string;
}

export interface PlannedAnalysis {
  readonly target: TargetKey;
  /** Its Canary is created first, and what runs now is not analysed. */
  readonly adopted: boolean;
  readonly analysis: CanaryAnalysis;
  readonly shortestMs: number;
  readonly longestMs: number;
}
