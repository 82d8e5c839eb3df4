import type { Mode } from '../config/settings.ts';
import type { Purpose, RolloutView } from '../report/view.ts';
import { ClusterForbidden, ClusterUnavailable } from '../rollout/ports.ts';
import { type Outcome, Refusal } from '../rollout/verdict.ts';
import { LostCommit } from './commit-rollout.ts';
import { brokenOutcome, cancelledBeforeCommit, refusedOutcome } from './end-of-run.ts';
import type { Memory } from './memory.ts';
import { CancelledBeforeCommit, type RunParts, TakenOver } from './parts.ts';
import { planOnly } from './plan-only.ts';
import { release } from './release.ts';
import { newRolloutId } from './rollout-id.ts';
import { RunReport } from './run-report.ts';
import { sweep } from './sweep.ts';

const MODES = { release, plan: planOnly, sweep } as const satisfies Record<Mode, typeof release>;

/**
 * One step of a workflow, from its parts to the last report. Whatever is thrown on the way becomes a verdict; only
 * `taken-over` has none, because the post step tells the end.
 */
export async function runStep(parts: RunParts, mode: Mode): Promise<RolloutView | 'taken-over'> {
  let memory: Memory | undefined;
  const remember = (next: Memory): void => {
    memory = next;
    parts.remember(next);
  };
  const watched: RunParts = { ...parts, remember };
  const report = beginReport(parts, mode === 'plan' ? 'plan' : 'release');
  try {
    if (mode !== 'plan') await parts.requireAllowedSource(mode);
    return parts.secrets.hideIn(await MODES[mode](watched, report));
  } catch (error) {
    if (error instanceof TakenOver) return 'taken-over';
    const live = memory?.ended === false ? memory.commit : undefined;
    return parts.secrets.hideIn(await report.end(outcomeOf(error, { parts, live })));
  }
}

export function beginReport(parts: RunParts, purpose: Purpose): RunReport {
  const { run, rollout, random, clock } = parts;
  const id = newRolloutId({
    name: rollout.name,
    sourceSha: run.sha,
    runId: run.id,
    runAttempt: run.attempt,
    random,
  });
  const { owner = '', repo = '' } = rollout.gitops.repository ?? {};
  return new RunReport({
    clock,
    reporter: parts.reporterFor({ id, sourceSha: run.sha }),
    frame: {
      id,
      name: rollout.name,
      purpose,
      startedAt: parts.startedAt,
      source: { repository: run.repository, sha: run.sha, runUrl: run.url },
      gitops: {
        repository: rollout.gitops.repository ? `${owner}/${repo}` : run.repository,
        branch: rollout.gitops.branch ?? '',
      },
      changes: [],
      notes: [],
    },
  });
}

function unavailable(error: ClusterUnavailable): Refusal {
  const { reason, message } = error;
  const detail = reason === 'cluster-unreachable' ? `The cluster could not be read: ${message}` : message;
  const remedy =
    error.remedy ?? 'Look whether the API server can be reached from the runner, then run this again.';
  return new Refusal(reason, detail, { remedy, cause: error });
}

function outcomeOf(
  error: unknown,
  on: { readonly parts: Pick<RunParts, 'cancel'>; readonly live: string | undefined },
): Outcome {
  if (error instanceof LostCommit) {
    return {
      verdict: 'unknown',
      reason: 'github-unreachable',
      detail: `GitHub fell silent while our commit ${error.sha} was being pushed: ${error.message}`,
      remedy: `The post step looks whether it is on the branch and takes it back. If it cannot: git revert ${error.sha}`,
    };
  }
  // With a commit on its way nothing may be called refused or cancelled: the post step has work to do.
  if (on.live !== undefined) return brokenOutcome(error, on.live);
  if (error instanceof CancelledBeforeCommit || on.parts.cancel.aborted) {
    return cancelledBeforeCommit(String(on.parts.cancel.reason ?? 'signal'));
  }
  if (error instanceof Refusal) return refusedOutcome(error);
  if (error instanceof ClusterForbidden) {
    return refusedOutcome(
      new Refusal('cluster-forbidden', error.message, {
        remedy:
          'Give the credentials in the kubeconfig this right; the README lists the rights that are needed.',
      }),
    );
  }
  if (error instanceof ClusterUnavailable) {
    return refusedOutcome(unavailable(error));
  }
  return brokenOutcome(error, undefined);
}
