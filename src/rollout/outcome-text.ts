import type { Cause, Followed } from './state.ts';
import type { Track } from './track.ts';
import type { PullRequestOutcome, RevertRecord } from './ports.ts';
import type { Outcome, Reason } from './verdict.ts';

/** The words in which a rollout ends: what happened, what we did, what a person can do. */

export function promotedOutcome(followed: Followed, tracks: readonly Track[]): Outcome {
  const detail = tracks.map(track => track.outcome?.detail ?? '').join(' ');
  if (followed.intent.kind === 'adoption') {
    return {
      verdict: 'initialized',
      reason: 'adopted',
      detail: `${detail} This first version was not analysed.`,
    };
  }
  const analysed = tracks.every(track => track.outcome?.kind === 'promoted' && track.outcome.analysed);
  return { verdict: 'promoted', reason: analysed ? 'analysed' : 'not-analysed', detail };
}

/** @param range our commit and the newer one, where that is known */
export function supersededOutcome(
  reason: Reason,
  detail: string,
  range?: { readonly ours: string; readonly newer: string },
): Outcome {
  return {
    verdict: 'superseded',
    reason,
    detail: `${detail} Nothing of it was reverted.`,
    remedy: `Look at the newer commit’s rollout${range === undefined ? '' : ` (who and why: git log ${range.ours}..${range.newer})`}; release again only if this version is still wanted.`,
  };
}

export function rewrittenOutcome(followed: Followed, detail: string): Outcome {
  return {
    verdict: 'superseded',
    reason: 'branch-rewritten',
    detail: `${detail} But the branch was rewritten since, and does not hold commit ${short(followed.commit.sha)} any more: Flux takes the release back.`,
    remedy: 'Ask who rewrote the branch (a forced push); release again if this version is still wanted.',
  };
}

export function unknownOutcome(reason: Reason, detail: string, followed: Followed): Outcome {
  return {
    verdict: 'unknown',
    reason,
    detail: `${detail} Nothing more was written.`,
    remedy:
      `Look at the Canary (${Object.keys(followed.tracks).join(', ')}). If the release must go, revert commit ` +
      `${short(followed.commit.sha)} in the GitOps repository: git revert ${followed.commit.sha}`,
  };
}

/** The revert is on the branch, and the cluster is proven back. */
export function provenOutcome(cause: Cause, revert: RevertRecord, back: string): Outcome {
  const errored = cause.errored
    ? ' Whether the release is bad could not be told; it was taken back all the same.'
    : '';
  const untouched = cause.verdict === 'not-applied';
  return {
    verdict: cause.verdict,
    reason: cause.reason,
    detail: `${sentence(cause.detail)}${errored} ${takenBack(revert)}; ${untouched ? 'the cluster never ran the release' : back}.`,
    ...remedyOf(cause),
  };
}

export function promotionFailedOutcome(
  cause: Cause,
  revert: RevertRecord,
  targets: readonly string[],
): Outcome {
  const names = targets.join(', ');
  return {
    verdict: 'promotion-failed',
    reason: cause.reason,
    detail:
      `${sentence(cause.detail)} The release was copied to the primary, which did not become ready. ${takenBack(revert)}; all ` +
      `traffic is on the pods of ${names}, which run the restored version.`,
    remedy:
      'Repair the primary before the next release (which would send all traffic to it): ' +
      `${targets.map(undoCommand).join('; ')}. Then release again.`,
  };
}

export function unverifiedOutcome(options: {
  readonly cause: Cause;
  readonly reason: Reason;
  readonly waitingFor: string;
  readonly revert: RevertRecord;
  /** What makes the cluster go on, where that is known. */
  readonly commands: readonly string[];
}): Outcome {
  const { cause, reason, waitingFor, revert, commands } = options;
  return {
    verdict: 'revert-unverified',
    reason,
    detail: `${sentence(cause.detail)} ${takenBack(revert)}, but the cluster was not seen to be back: ${sentence(waitingFor)}`,
    remedy:
      commands.length === 0
        ? 'Look at Flux and the Canary now; Git is right already, so do not revert again.'
        : `Let it go on: ${commands.join('; ')}. Git is right already, so do not revert again.`,
  };
}

export function blockedOutcome(options: {
  readonly cause: Cause;
  readonly reason: Reason;
  readonly why: string;
  readonly commit: string;
  readonly pullRequest: PullRequestOutcome;
}): Outcome {
  const { cause, reason, why, commit, pullRequest } = options;
  return {
    verdict: cause.verdict === 'promotion-failed' ? 'promotion-failed' : 'revert-blocked',
    reason,
    detail: `${sentence(cause.detail)} It was not reverted automatically: ${sentence(why)}`,
    remedy: blockedRemedy(pullRequest, commit),
  };
}

function blockedRemedy(pullRequest: PullRequestOutcome, commit: string): string {
  switch (pullRequest.kind) {
    case 'opened':
      return pullRequest.left.length === 0
        ? `Merge ${pullRequest.url}: it takes the release back.`
        : `Merge ${pullRequest.url}: it takes back all but ${pullRequest.left.join(', ')}, which somebody changed since. Decide on these lines by hand: git revert --no-commit ${commit}`;
    case 'nothing-to-restore':
      return `Take the release back by hand: git revert --no-commit ${commit}, and decide on the lines that somebody changed since (${pullRequest.left.join(', ')}). No pull request was opened, for nothing could be put back by itself.`;
    case 'failed':
      return `No pull request could be opened (${pullRequest.message}). Take the release back by hand: git revert ${commit}`;
  }
}

/** The answer to the revert was lost, and nobody could say afterwards whether it is on the branch. */
export function unsureRevertOutcome(
  state: Followed & { readonly cause: Cause },
  on: { readonly revert: string; readonly detail: string },
): Outcome {
  return {
    verdict: 'unknown',
    reason: 'github-unreachable',
    detail: `${sentence(state.cause.detail)} It is not known whether the revert ${short(on.revert)} is on the branch: ${sentence(on.detail)}`,
    remedy: `The post step of this job looks again. Look whether the branch holds ${on.revert}; if not: git revert ${state.commit.sha}`,
  };
}

/** The revert was tried for as long as the job allows. */
export function unreachableOutcome(
  state: Followed & { readonly cause: Cause },
  on: { readonly detail: string },
): Outcome {
  return {
    verdict: 'unknown',
    reason: 'github-unreachable',
    detail: `${sentence(state.cause.detail)} It is still in Git, because GitHub took no revert: ${sentence(on.detail)}`,
    remedy: `The post step of this job tries again. If it cannot: git revert ${state.commit.sha}`,
  };
}

/** `Reverted by 1a2b3c4`, or where somebody else had put things back. */
export function takenBack(revert: RevertRecord): string {
  return revert.how === 'made'
    ? `Reverted by ${short(revert.sha)}`
    : `Git held what was before already, at ${short(revert.sha)}`;
}

function remedyOf(cause: Cause): { readonly remedy?: string } {
  switch (cause.reason) {
    case 'no-metric-values':
      return { remedy: 'Make sure that traffic reaches the canary, then release again.' };
    case 'metrics-unavailable':
      return { remedy: 'Bring the metrics provider back, then release again.' };
    case 'webhook-unreachable':
      return { remedy: 'Make the webhook reachable from Flagger, then release again.' };
    case 'value-overridden':
      return {
        remedy:
          'Find what sets the value elsewhere (a patch, an images entry, a substitution) and change it there.',
      };
    case 'build-failed':
    case 'reconciliation-failed':
      return { remedy: 'Mend what Flux complains about, then release again.' };
    case 'approval-timeout':
      return { remedy: 'Release again when somebody is there to open the gate, or raise approval-timeout.' };
    case 'canary-suspended':
    case 'kustomization-suspended':
    case 'helm-release-suspended':
    case 'source-suspended':
      return { remedy: 'Resume it, then release again.' };
    case 'metric-out-of-range':
      return {
        remedy:
          'Nothing is urgent. Find out what made the metric worse (logs and traces of that time), mend it, and release again.',
      };
    case 'webhook-refused':
      return { remedy: 'Nothing is urgent. Look at what the webhook tested, mend it, and release again.' };
    case 'canary-not-ready':
      return {
        remedy:
          'Nothing is urgent. Look at why the new pods did not become ready (their logs and events), mend it, and release again.',
      };
    case 'threshold-reached':
      return {
        remedy:
          'Nothing is urgent. Look for the failed checks in Flagger’s log, mend what they speak of, and release again.',
      };
    case 'rollback-webhook':
      return { remedy: 'Ask who opened the rollback gate, and close it before the next release.' };
    case 'apply-timeout':
    case 'source-failed':
      return { remedy: 'Look at why Flux did not deliver it, then release again.' };
    case 'no-new-revision':
      return { remedy: 'Look at whether Flagger runs and watches this namespace, then release again.' };
    case 'analysis-timeout':
    case 'promotion-timeout':
      return { remedy: 'Look at what held Flagger up (its events), then release again.' };
    case 'job-limit':
      return {
        remedy: 'Give the job more time (timeout-minutes of the job, and job-timeout), then release again.',
      };
    case 'job-cancelled':
      return { remedy: 'Run the job again when the release is still wanted.' };
    default:
      return {};
  }
}

function undoCommand(target: string): string {
  const [, namespace = '', name = ''] = /(?:\S+ )?([^/]+)\/(.+)$/.exec(target) ?? [];
  const kind = target.startsWith('DaemonSet ') ? 'daemonset' : 'deployment';
  return `kubectl -n ${namespace} rollout undo ${kind}/${name}-primary`;
}

function sentence(text: string): string {
  const trimmed = text.trim();
  return /[.!?]$/.test(trimmed) ? trimmed : `${trimmed}.`;
}

function short(sha: string): string {
  return sha.slice(0, 7);
}
