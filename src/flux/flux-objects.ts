import type { TargetRef } from '../rollout/target.ts';

/** An object of Flux that applies others. */
export interface Applier {
  readonly kind: 'Kustomization' | 'HelmRelease';
  readonly namespace: string;
  readonly name: string;
}

/** A reference to where a Kustomization or a chart comes from. */
export interface SourceRef {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

export interface FoundObject {
  /** As the API server or the build shows it (parsed JSON). */
  readonly object: unknown;
  /** What applies it in turn; undefined at the root. */
  readonly applier: Applier | undefined;
  /** The file of the repository in which it is written, where no cluster was asked. */
  readonly manifest?: string;
}

/**
 * The objects of Flux, wherever they are looked up: in a cluster, where labels tell who applied what, or in the
 * repository's own tree, as Flux builds it. Every method throws Refusal, ClusterForbidden or ClusterUnavailable.
 */
export interface FluxObjects {
  /** What applies the target; undefined: nothing of Flux. @throws Refusal when the target itself is not there. */
  applierOf(target: TargetRef): Promise<Applier | undefined>;
  find(applier: Applier): Promise<FoundObject | undefined>;
  /** A source; undefined when it is not there, or not to be seen. */
  source(ref: SourceRef): Promise<unknown>;
  /** A source that is not there may still exist: the tree does not hold everything. */
  readonly sourcesMayBeHidden: boolean;
}
