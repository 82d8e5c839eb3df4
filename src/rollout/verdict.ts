/**
 * The closed list of how a rollout can end. Every verdict has one exit code and one check conclusion; every
 * reason belongs to a verdict, so that a report, an output and a troubleshooting table never disagree.
 */

export type CheckConclusion =
  | 'success'
  | 'failure'
  | 'neutral'
  | 'cancelled'
  | 'timed_out'
  | 'action_required';

export interface VerdictFacts {
  /** Process exit code: 0 passes the step; others tell a shell caller apart. */
  readonly exitCode: 0 | 1 | 2 | 3 | 4 | 5 | 6;
  readonly conclusion: CheckConclusion;
  /** One sentence, as shown in the reference. */
  readonly meaning: string;
}

export const VERDICTS = {
  promoted: {
    exitCode: 0,
    conclusion: 'success',
    meaning: 'Every link was proven: committed, applied, delivered, analysed, promoted.',
  },
  initialized: {
    exitCode: 0,
    conclusion: 'success',
    meaning: 'A Canary was adopted and no release was asked for: delivered, not analysed.',
  },
  unchanged: {
    exitCode: 0,
    conclusion: 'success',
    meaning: 'There was nothing to commit, and the cluster was proven to run it already.',
  },
  pending: {
    exitCode: 0,
    conclusion: 'neutral',
    meaning: 'The job handed the rollout over while it was healthy; a later run or a sweep ends it.',
  },
  'rolled-back': {
    exitCode: 1,
    conclusion: 'failure',
    meaning: 'The release failed, Git was reverted and the cluster was proven back.',
  },
  'not-applied': {
    exitCode: 1,
    conclusion: 'failure',
    meaning: 'Flux never delivered the commit; Git was restored and the target proven untouched.',
  },
  'not-started': {
    exitCode: 1,
    conclusion: 'failure',
    meaning: 'The commit was delivered but Flagger began nothing in time; Git was reverted.',
  },
  'revert-blocked': {
    exitCode: 2,
    conclusion: 'action_required',
    meaning: 'The release failed and could not be reverted safely; a pull request is open.',
  },
  'revert-unverified': {
    exitCode: 2,
    conclusion: 'failure',
    meaning: 'The release failed and Git was reverted, but the cluster was not seen to be back.',
  },
  'promotion-failed': {
    exitCode: 2,
    conclusion: 'failure',
    meaning: 'Flagger failed after copying the release to the primary: the primary is broken.',
  },
  unknown: {
    exitCode: 2,
    conclusion: 'failure',
    meaning: 'The cluster or GitHub was lost sight of, or objects were replaced; nothing more was written.',
  },
  refused: {
    exitCode: 3,
    conclusion: 'failure',
    meaning: 'Preflight said no; nothing was written anywhere.',
  },
  cancelled: {
    exitCode: 4,
    conclusion: 'cancelled',
    meaning: 'The job was cancelled; Git was reverted and the cluster was proven back.',
  },
  superseded: {
    exitCode: 5,
    conclusion: 'cancelled',
    meaning: 'A newer commit replaced or amended ours; nothing of it was reverted.',
  },
  'timed-out': {
    exitCode: 6,
    conclusion: 'timed_out',
    meaning: 'A limit of ours was reached; Git was reverted and the cluster was proven back.',
  },
} as const satisfies Record<string, VerdictFacts>;

export type Verdict = keyof typeof VERDICTS;

/** Why. Grouped by the verdict they usually end in; a revert that cannot be proven keeps the first cause. */
export const REASONS = {
  // promoted, initialized, unchanged, pending
  analysed: 'Flagger analysed the release and promoted it.',
  'not-analysed': 'The Canary has skipAnalysis: it was promoted without analysis.',
  adopted: 'The Canary was created and initialized.',
  'already-running': 'The cluster already runs what was asked for.',
  'own-commit': 'The commit that started this run was made by Gated Rollout itself.',
  'nothing-to-sweep': 'No rollout was left unfinished.',
  planned: 'This was a plan; nothing was written.',
  'handed-over': 'The job ended early; a later run or a sweep takes the rollout up.',

  // the release failed
  'metric-out-of-range': 'A metric left its threshold range too often.',
  'webhook-refused': 'A webhook refused the release too often.',
  'canary-not-ready': 'The canary pods did not become ready before their deadline.',
  'rollback-webhook': 'A rollback webhook asked Flagger to roll back.',
  'threshold-reached': 'Flagger counted too many failed checks; its events no longer say which.',
  // errored: we could not tell
  'no-metric-values': 'A metric had no values: probably no traffic.',
  'metrics-unavailable': 'The metrics provider did not answer.',
  'webhook-unreachable': 'A webhook could not be reached.',
  'barrier-stuck': 'The barrier of several canaries could not be taken out of Git.',
  'value-overridden': 'The commit was applied, but another value than the one asked for went live.',
  'helm-rolled-back': 'Helm rolled the release back on its own.',
  // promotion
  'primary-not-ready': 'The primary did not become ready with the release.',

  // not-applied
  'build-failed': 'Flux could not build the folder.',
  'reconciliation-failed': 'Flux could not apply the folder.',
  'source-failed': 'Flux could not fetch the commit.',
  'apply-timeout': 'Flux did not deliver the commit in time.',
  // not-started
  'no-new-revision': 'Flagger saw no new revision.',
  'canary-suspended': 'The Canary is suspended.',
  // limits
  'approval-timeout': 'An approval gate stayed closed for too long.',
  'analysis-timeout': 'The analysis took longer than its schedule allows.',
  'promotion-timeout': 'The promotion took longer than the Deployment allows.',
  'job-limit': 'The time that the job may take was used up.',
  // cancelled
  'job-cancelled': 'The job was cancelled.',
  // superseded
  'newer-release': 'A newer release was committed.',
  amended: 'A newer commit changed the same template while keeping our id.',
  'branch-rewritten': 'The branch was rewritten and does not hold the commit any more.',
  'source-is-older': 'A newer source commit has been released already.',
  // unknown
  'cluster-unreachable': 'The cluster could not be read for too long.',
  'github-unreachable': 'GitHub could not be reached for too long.',
  'left-unseen': 'A rollout was left unfinished, and this run cannot follow it.',
  'canary-replaced': 'The Canary was deleted or replaced.',
  'target-replaced': 'The target was deleted or replaced.',

  // revert-blocked, revert-unverified
  'changed-since': 'Someone changed the same file after our commit.',
  'no-restore-point': 'It is not known which commit the primary runs.',
  'revert-refused': 'GitHub refused the revert commit.',
  'not-seen-back': 'The cluster was not seen to be back in time.',
  'reanalysis-failed': 'Flagger rejected the restored version; the released one still serves.',

  // refused: GitHub
  'bad-config': 'The configuration is wrong.',
  'bad-credentials': 'GitHub did not accept the token.',
  'missing-permission': 'The token lacks a permission.',
  'repository-not-found': 'The repository does not exist, or the token cannot see it.',
  'gitops-credentials-missing':
    'No credentials were given for a GitOps repository that the token of the job cannot reach.',
  'sso-required': 'The organization requires single sign-on for this token.',
  'rate-limited': 'The request limit of GitHub is used up.',
  'branch-protected': 'A rule protects the branch against this commit.',
  'branch-contended': 'Other commits kept winning the race for the branch.',
  'unsigned-commit': 'A signature is required that our commit would not have.',
  'token-too-short': 'The token ends before the rollout and its revert could.',
  'job-too-short': 'The job ends before the rollout and its revert could.',
  'event-not-allowed': 'This event does not start a rollout.',
  'ref-not-allowed': 'The source commit is on no branch that may be released.',
  'own-commit-unproven': 'The commit that started this run may be our own, and GitHub does not tell.',
  'fork-or-dependabot': 'This run has no write access: it comes from a fork or Dependabot.',
  // refused: cluster
  'cluster-forbidden': 'The cluster credentials lack a right.',
  'cluster-unauthorized': 'The API server answered, and did not accept the credentials.',
  'credential-plugin-failed': 'The program that the kubeconfig takes its credentials from did not give any.',
  'target-not-found': 'The target does not exist.',
  'canary-not-found': 'No Canary guards the target, and rollout.yaml describes none.',
  'canary-ambiguous': 'Several Canaries guard the same target.',
  'not-managed': 'Nothing of Flux applies the target.',
  'wrong-source': 'Flux applies the target from another repository or branch.',
  'source-suspended': 'The Flux source is suspended.',
  'kustomization-suspended': 'The Flux Kustomization is suspended.',
  'helm-release-suspended': 'The HelmRelease is suspended.',
  'tree-broken': 'The tree does not build or apply as it is now.',
  'chain-broken': 'What the tree says is not what runs.',
  'ssa-if-not-present': 'Flux is told never to update the object.',
  'analysis-running': 'Another analysis was running and did not end in time.',
  'baseline-unsettled': 'The release that runs now is in no settled state.',
  'promotion-failed-before': 'The primary is broken since an earlier promotion.',
  'replicas-in-git': 'Git sets replicas, which Flagger and Flux would fight over.',
  'traffic-in-git': 'Git sets the traffic of a Knative Service, which Flagger and Flux would fight over.',
  'image-automation': 'Image automation writes the same line, or did not write what was waited for.',
  'shared-line': 'The line is shared by several environments.',
  'change-not-found': 'The change matches nothing.',
  'change-ambiguous': 'The change matches more than one place.',
  'unsupported-file': 'The file is a symlink, a submodule, an LFS pointer or not text.',
  'unexpected-error': 'Something of ours broke.',
} as const satisfies Record<string, string>;

export type Reason = keyof typeof REASONS;

/** How a rollout ended, in the words of every report. */
export interface Outcome {
  readonly verdict: Verdict;
  readonly reason: Reason;
  /** What happened, in a sentence or two; names the object and its values. */
  readonly detail: string;
  /** What a person should do now; absent when nothing is to be done. */
  readonly remedy?: string;
}

/** Thrown where work cannot go on before anything was written; becomes the verdict `refused`. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly reason: Reason;
  readonly remedy: string | undefined;

  /** `message` says what was found; `remedy` what to change. */
  constructor(reason: Reason, message: string, options: { remedy?: string; cause?: unknown } = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.reason = reason;
    this.remedy = options.remedy;
  }
}
