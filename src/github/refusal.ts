import type { RepositoryName } from '../config/settings.ts';
import type { WriteRefusal } from '../rollout/ports.ts';
import { Refusal } from '../rollout/verdict.ts';
import { type HttpFailure, httpFailure, limitHit } from './http-errors.ts';

/** Why GitHub would not do something, in the words of the report. */
export interface GitHubRefusal {
  readonly reason: WriteRefusal;
  readonly detail: string;
  readonly remedy: string;
}

export interface RefusalContext {
  readonly repository: RepositoryName;
  /** What was being done, for "GitHub refused to …": `create the commit`. */
  readonly doing: string;
  /** Given when a branch was being moved: only then can 409 and 422 come from a rule. */
  readonly branch?: string;
}

/**
 * Reads a refusal out of a failed call; undefined when the error is none of GitHub's, or says that *we* sent
 * something wrong. Races are told apart beforehand, by `isNotFastForward`.
 */
export function refusalOf(error: unknown, context: RefusalContext): GitHubRefusal | undefined {
  if (error instanceof Refusal) return alreadyRead(error);
  const failure = httpFailure(error);
  if (failure === undefined) return undefined;
  if (failure.kind === 'no-answer') return unreachable(failure.message, context);
  const limit = limitHit(failure, 0);
  if (limit !== undefined) return rateLimited(failure, { context, primary: limit.kind === 'primary' });
  switch (failure.status) {
    case 401:
      return badCredentials(failure, context);
    case 403:
      return forbidden(failure, context);
    case 404:
      return notFound(context);
    case 409:
    case 422:
      return context.branch === undefined ? undefined : branchProtected(failure, context);
    default:
      return failure.status >= 500 ? unreachable(`status ${failure.status}`, context) : undefined;
  }
}

/** What the source of the tokens has found out. */
function alreadyRead({ reason, message, remedy }: Refusal): GitHubRefusal | undefined {
  const ofWrite = APP_REASONS.find(each => each === reason);
  return ofWrite === undefined ? undefined : { reason: ofWrite, detail: message, remedy: remedy ?? '' };
}

/** As `refusalOf`, for work before anything was written: the Refusal to throw, or the error itself. */
export function asRefusal(error: unknown, context: RefusalContext): unknown {
  const refusal = error instanceof Refusal ? undefined : refusalOf(error, context);
  if (refusal === undefined) return error;
  return new Refusal(refusal.reason, refusal.detail, { remedy: refusal.remedy, cause: error });
}

/** GitHub's word for a lost race: someone pushed between our read and our write. */
export function isNotFastForward(error: unknown): boolean {
  const failure = httpFailure(error);
  if (failure?.kind !== 'answer') return false;
  return (failure.status === 422 || failure.status === 409) && /not a fast.?forward/i.test(failure.message);
}

const APP_REASONS = ['bad-credentials', 'repository-not-found', 'missing-permission'] as const;

type Answer = Extract<HttpFailure, { kind: 'answer' }>;

function name({ repository }: RefusalContext): string {
  return `${repository.owner}/${repository.repo}`;
}

/** GitHub's own words without the link that Octokit puts at their end. */
function words(failure: Answer): string {
  return failure.message.replace(/ - https?:\S+$/, '');
}

function unreachable(why: string, context: RefusalContext): GitHubRefusal {
  return {
    reason: 'github-unreachable',
    detail: `GitHub did not answer when asked to ${context.doing} in ${name(context)} (${why}).`,
    remedy: 'Check githubstatus.com and the proxy settings of the runner, then run the job again.',
  };
}

function rateLimited(
  failure: Answer,
  { context, primary }: { readonly context: RefusalContext; readonly primary: boolean },
): GitHubRefusal {
  return {
    reason: 'rate-limited',
    detail: `GitHub refused to ${context.doing} in ${name(context)}: ${words(failure)}`,
    remedy: primary
      ? 'The requests of this hour are used up. Run the job again later, or use a GitHub App: it has a budget of its own.'
      : 'Too many requests came at once. Run fewer rollouts at the same time, then run the job again.',
  };
}

function badCredentials(failure: Answer, context: RefusalContext): GitHubRefusal {
  return {
    reason: 'bad-credentials',
    detail: `GitHub did not accept the token for ${name(context)}: ${words(failure)}`,
    remedy:
      'The token is wrong, revoked or has ended (App tokens end after an hour, or with the job that made them). Pass app-client-id and app-private-key, so that new ones are made when needed.',
  };
}

function forbidden(failure: Answer, context: RefusalContext): GitHubRefusal {
  const sso = failure.headers['x-github-sso'];
  if (sso !== undefined) return ssoRequired(sso, context);
  if (/saml|single sign-on/i.test(failure.message)) return ssoRequired('', context);
  const detail = `GitHub refused to ${context.doing} in ${name(context)}: ${words(failure)}`;
  if (context.branch !== undefined && isRuleMessage(failure.message))
    return branchProtected(failure, context);
  if (/archived/i.test(failure.message)) {
    return { reason: 'missing-permission', detail, remedy: 'The repository is archived: unarchive it.' };
  }
  if (/ip allow list/i.test(failure.message)) {
    return {
      reason: 'missing-permission',
      detail,
      remedy: 'The organization has an IP allow list: add the addresses of the runner to it.',
    };
  }
  const needed = failure.headers['x-accepted-github-permissions'];
  const right = needed === undefined || needed === '' ? 'contents: write' : permissionsInWords(needed);
  return {
    reason: 'missing-permission',
    detail,
    remedy: `Give the token the permission ${right} on ${name(context)}. The GITHUB_TOKEN of a workflow reaches its own repository only; for another one use a GitHub App that is installed there.`,
  };
}

/** `contents=write; contents=read,issues=write` → `contents: write (or contents: read and issues: write)`. */
function permissionsInWords(header: string): string {
  const [first = '', ...others] = header.split(';').map(choice =>
    choice
      .trim()
      .split(',')
      .map(right => right.trim().replace('=', ': '))
      .join(' and '),
  );
  return others.length === 0 ? first : `${first} (or ${others.join(', or ')})`;
}

function ssoRequired(header: string, context: RefusalContext): GitHubRefusal {
  const url = /url=(\S+)/.exec(header)?.[1];
  return {
    reason: 'sso-required',
    detail: `The organization ${context.repository.owner} lets this token in only after single sign-on.`,
    remedy: `Authorize the token for the organization${url === undefined ? '' : ` at ${url}`}, or use a GitHub App, which needs none.`,
  };
}

function notFound(context: RefusalContext): GitHubRefusal {
  return {
    reason: 'repository-not-found',
    detail: `GitHub found nothing when asked to ${context.doing} in ${name(context)}: it does not exist, or the token may not see it.`,
    remedy: `Check gitops.repository and gitops.branch, and that the token or the App has access to ${name(context)}.`,
  };
}

/** Whether GitHub's words name a rule of the branch. */
export function isRuleMessage(message: string): boolean {
  return /rule violation|protected branch|protected ref|reference update failed|required status|pull request|verified signature/i.test(
    message,
  );
}

function branchProtected(failure: Answer, context: RefusalContext): GitHubRefusal {
  const what = context.branch === undefined ? 'the branch' : `the branch ${context.branch}`;
  return {
    reason: 'branch-protected',
    detail: `GitHub would not let our commit onto ${what} of ${name(context)}: ${words(failure)}`,
    remedy:
      'Let the App bypass the rule (Settings, Rules, Bypass list of each ruleset; in classic protection both the lists of who may push and of who may skip pull requests), or release to a branch without it.',
  };
}
