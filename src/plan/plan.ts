import type { Expectation } from '../rollout/expectation.ts';
import type { CanaryAnalysis } from '../rollout/observation.ts';
import type { FileChange } from '../rollout/ports.ts';
import type { TargetKey } from '../rollout/target.ts';
import type { PatchedObject } from './patch-list.ts';
import type { YamlPath } from '../edit/yaml-text.ts';

/** Where our annotations stand: the document of a file that sets the target's pod template. */
export type IdPlacement = {
  readonly target: TargetKey;
  readonly path: string;
  /** Index of the YAML document in the file. */
  readonly document: number;
} & (
  | {
      readonly kind: 'annotations';
      /** Path to the map: ['spec', 'template', 'metadata', 'annotations'], or one in a HelmRelease's values. */
      readonly annotations: YamlPath;
    }
  | {
      /** A patch that a list `patches` of the document holds as text. */
      readonly kind: 'in-patches';
      readonly list: YamlPath;
      readonly object: PatchedObject;
    }
  | {
      /** A patch in the postRenderers of a HelmRelease. */
      readonly kind: 'in-post-renderers';
      readonly list: YamlPath;
      readonly workload: PatchedObject;
    }
);

export interface PlanWarning {
  readonly code: string;
  readonly message: string;
  readonly path?: string;
  readonly line?: number;
}

/** What one target's analysis will do when all goes well. */
export interface ScheduledAnalysis {
  readonly target: TargetKey;
  readonly analysis: CanaryAnalysis;
  /** ms from the start of the analysis until promotion, without a failed check. */
  readonly shortestMs: number;
  /** ms until promotion or rollback, with every tolerated failed check used. */
  readonly longestMs: number;
  /** The Canary as it will be; undefined when it is written somewhere else. */
  readonly canary?: {
    readonly name: string;
    readonly namespace: string;
    readonly spec: Readonly<Record<string, unknown>>;
  };
}

/** What a metric of an analysis says now, before anything is released, of the workload that serves. */
export interface MetricNow {
  readonly target: TargetKey;
  readonly metric: string;
  readonly min?: number;
  readonly max?: number;
  readonly state: 'value' | 'none' | 'unchecked';
  readonly value?: number;
  /** Of `unchecked`. */
  readonly why?: string;
}

/** The value in the tree before the change, and where it stands; the proof of the chain compares it with the cluster. */
export interface FoundValue {
  readonly change: string;
  readonly target: TargetKey;
  readonly path: string;
  /** 1-based. */
  readonly line: number;
  readonly current: string;
  readonly requested: string;
  /** What must be live *now* if the tree is what runs; absent for a Secret's value, which is not read. */
  readonly currentExpectation?: Expectation;
}

export interface ReleasePlan {
  readonly head: string;
  readonly files: readonly FileChange[];
  readonly placements: readonly IdPlacement[];
  readonly expectations: readonly Expectation[];
  readonly found: readonly FoundValue[];
  /** Nothing but our annotations would change. */
  readonly unchanged: boolean;
  /** Files that are changed and have lines which image automation writes (`$imagepolicy`). */
  readonly automated: readonly string[];
  /** Image automation shall write the values itself: `files` shows what is waited for, and no id is placed. */
  readonly follows: boolean;
  readonly schedule: readonly ScheduledAnalysis[];
  readonly warnings: readonly PlanWarning[];
  /** Canaries to be created first, in a commit of their own with unchanged templates. */
  readonly adoption: readonly FileChange[];
  readonly adopted: readonly TargetKey[];
  /** Objects of Flagger that the commits create or change, as they will be in the cluster. */
  readonly rendered: readonly RenderedObject[];
  /** Whether the folder was really built with these files, and what that changed. */
  readonly build: BuildProof;
}

export interface RenderedObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: unknown;
}

/** What Flux's own build says of a plan: what a release changes in it, and that it changes nothing else. */
export interface BuildProof {
  readonly kind: 'proven';
  /** The program that built it. */
  readonly by: string;
  readonly objects: readonly BuiltChange[];
  /** Values that were compared in the objects that Flux applies. */
  readonly compared: number;
}

export interface BuiltChange {
  /** `Deployment prod/frontend`. */
  readonly object: string;
  /** As YAML; empty where there is none. */
  readonly before: string;
  readonly after: string;
  /** Its content is nobody's to see: neither text is given. */
  readonly secret: boolean;
}
