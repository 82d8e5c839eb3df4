import { baselineOf } from '../rollout/baseline.ts';
import type { CanaryBaseline } from '../rollout/baseline.ts';
import type { Observation } from '../rollout/observation.ts';
import type { CommitOutcome, CommitRecord, FileChange } from '../rollout/ports.ts';
import type { Intent, RestorePoint } from '../rollout/state.ts';
import type { TargetKey } from '../rollout/target.ts';
import { Refusal } from '../rollout/verdict.ts';
import type { CommitText } from './commit-text.ts';
import { withOpened } from './barrier-files.ts';
import { CancelledBeforeCommit, type OpenedRepository, type RunParts } from './parts.ts';
import { type RolloutRecord, trailersOf } from './rollout-record.ts';

export interface RolloutToCommit {
  readonly id: string;
  readonly kind: Intent['kind'];
  readonly files: readonly FileChange[];
  readonly text: CommitText;
  readonly baselines: readonly CanaryBaseline[];
  readonly expectations: Intent['expectations'];
  readonly restore: RestorePoint;
  readonly barrier: boolean;
}

export type CommittedRollout =
  | { readonly kind: 'committed'; readonly commit: CommitRecord; readonly intent: Intent }
  /** The files were changed on the branch meanwhile: plan again. */
  | { readonly kind: 'stale'; readonly paths: readonly string[] };

/**
 * Puts a rollout on the branch. What the post step needs is remembered before the branch is moved.
 * @throws Refusal when GitHub does not take the commit; CancelledBeforeCommit; TakenOver; LostCommit.
 */
export async function commitRollout(
  parts: Pick<
    RunParts,
    'run' | 'rollout' | 'inputs' | 'cancel' | 'remember' | 'mayWrite' | 'startedAt' | 'secrets'
  >,
  on: { readonly repository: OpenedRepository; readonly mustBeVerified: boolean },
  rollout: RolloutToCommit,
): Promise<CommittedRollout> {
  const record = recordOf(parts, rollout);
  let pushed: string | undefined;
  const memory = (commit: string, ended: boolean) =>
    parts.remember({ id: rollout.id, branch: on.repository.name.branch, commit, ended });
  const outcome = await on.repository.gitops.commit({
    files: rollout.files,
    ...parts.secrets.hideIn(rollout.text),
    trailers: trailersOf(record),
    mustBeVerified: on.mustBeVerified,
    beforePush: async sha => {
      await parts.mayWrite();
      if (parts.cancel.aborted) throw new CancelledBeforeCommit();
      memory(sha, false);
      pushed = sha;
    },
  });
  if (outcome.kind === 'committed') {
    memory(outcome.commit.sha, false);
    return { kind: 'committed', commit: withOpened(outcome.commit), intent: intentOf(parts, record) };
  }
  if (outcome.kind === 'unsure') throw new LostCommit(outcome.sha, outcome.detail);
  if (pushed !== undefined) memory(pushed, true);
  if (outcome.kind === 'stale') return { kind: 'stale', paths: outcome.paths };
  throw refusalOf(outcome);
}

/** GitHub fell silent while the branch was being moved: the commit may be on it. */
export class LostCommit extends Error {
  override readonly name = 'LostCommit';
  readonly sha: string;

  constructor(sha: string, detail: string) {
    super(detail);
    this.sha = sha;
  }
}

/** @throws Refusal when a target is gone. */
export function baselinesOf(
  observation: Observation,
  targets: readonly TargetKey[],
): readonly CanaryBaseline[] {
  return targets.map(target => {
    const view = observation.targets[target];
    const baseline = view && baselineOf(target, view);
    if (baseline === undefined) {
      throw new Refusal('target-not-found', `${target} is not in the cluster any more.`);
    }
    return baseline;
  });
}

/** What a rollout sets out to do, from its record: the same for a run that made it and for one that takes it up. */
export function intentOf(
  parts: Pick<RunParts, 'inputs' | 'startedAt'>,
  record: Omit<RolloutRecord, 'source' | 'runUrl'>,
  onCancel: Intent['onCancel'] = parts.inputs.onCancel,
): Intent {
  const { id, name, kind, identity, baselines, expectations, restore, barrier } = record;
  const { applyMs, approvalMs, lostSightMs, backMs, jobMs } = parts.inputs.limits;
  const revertBy = jobMs === undefined ? undefined : parts.startedAt + jobMs;
  const jobEndsAt = revertBy === undefined ? undefined : revertBy - backMs;
  return {
    id,
    name,
    kind,
    identity,
    baselines,
    expectations,
    restore,
    barrier,
    limits: { applyMs, approvalMs, lostSightMs, backMs, revertBy, jobEndsAt },
    onCancel,
  };
}

function recordOf(parts: Pick<RunParts, 'run' | 'rollout'>, rollout: RolloutToCommit): RolloutRecord {
  const { id, kind, baselines, expectations, restore, barrier } = rollout;
  const { repository, sha, url } = parts.run;
  return {
    id,
    name: parts.rollout.name,
    kind,
    source: { repository, sha },
    runUrl: url,
    baselines,
    expectations,
    restore,
    barrier,
    identity: 'annotation',
  };
}

function refusalOf(outcome: Extract<CommitOutcome, { kind: 'refused' }>): Refusal {
  return new Refusal(outcome.reason, outcome.detail, { remedy: outcome.remedy });
}
