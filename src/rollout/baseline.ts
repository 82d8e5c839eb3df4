import { type LinkGenerations, linkKey } from './link-progress.ts';
import type { CanaryPhase, ClusterTime, TargetView } from './observation.ts';
import type { TargetKey } from './target.ts';

/**
 * One canary as it was read before our commit. Everything later is judged against it: what it shows already cannot be
 * ours. It also travels in the commit's trailers, so that a later run can take the rollout up.
 */
export interface CanaryBaseline {
  readonly target: TargetKey;
  readonly targetUid: string;
  /** Absent when the target had no Canary (adoption). */
  readonly canaryUid?: string;
  readonly phase: CanaryPhase;
  readonly lastAppliedSpec: string;
  readonly lastPromotedSpec: string;
  /** lastUpdateTime of condition Promoted. */
  readonly promotedAt?: ClusterTime;
  /** Rollout ids that the target's and the primary's pod templates carried. */
  readonly targetId?: string;
  readonly primaryId?: string;
  readonly trackedConfigs: Readonly<Record<string, string>>;
  /**
   * The hash of a ReplicaSet was seen to equal lastAppliedSpec, so that hashes can be joined exactly (they need not:
   * Flagger and Kubernetes of other versions may compute them differently).
   */
  readonly joinsByHash: boolean;
  /** When the newest ReplicaSet was created; only kept where templates are told by their values (identity.ts). */
  readonly newestReplicaSetAt?: ClusterTime;
  /** Generations of the objects between Kustomization and target, by linkKey; absent where there are none. */
  readonly links?: LinkGenerations;
}

/** The baseline that a look at the cluster gives; undefined while the target does not exist. */
export function baselineOf(target: TargetKey, view: TargetView): CanaryBaseline | undefined {
  if (!view.target) return undefined;
  const canary = view.canary;
  const links = view.flux?.links ?? [];
  return {
    target,
    targetUid: view.target.uid,
    ...(canary ? { canaryUid: canary.uid } : {}),
    phase: canary?.phase ?? '',
    lastAppliedSpec: canary?.lastAppliedSpec ?? '',
    lastPromotedSpec: canary?.lastPromotedSpec ?? '',
    ...(canary?.promoted ? { promotedAt: canary.promoted.lastUpdateTime } : {}),
    ...(view.target.rolloutId !== undefined ? { targetId: view.target.rolloutId } : {}),
    ...(view.primary?.rolloutId !== undefined ? { primaryId: view.primary.rolloutId } : {}),
    trackedConfigs: canary?.trackedConfigs ?? {},
    joinsByHash:
      canary !== undefined &&
      canary.lastAppliedSpec !== '' &&
      view.replicaSets.some(replicaSet => replicaSet.podTemplateHash === canary.lastAppliedSpec),
    ...(links.length > 0
      ? { links: Object.fromEntries(links.map(link => [linkKey(link), link.view.generation])) }
      : {}),
  };
}
