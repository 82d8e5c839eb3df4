import { ComeBackLater, ReportForbidden } from '../report/reporter.ts';
import { type GitHubPermission, permissionLine } from '../rights/github-permissions.ts';
import { httpFailure, limitHit } from './http-errors.ts';

/** Docs "Exceeding the rate limit": without a header at least a minute. */
const SILENT_LIMIT_MS = 60_000;

/** What a failed write of a report means for those that come after it. */
export interface ReportFailure {
  /** As it is thrown to the reporter: a limit tells how long all reports have to wait, a missing right what to add. */
  readonly error: unknown;
  /** A right is missing: asking again would only cost requests. */
  readonly forbidden: boolean;
}

export function reportFailure(
  error: unknown,
  on: { readonly now: number; readonly needed: GitHubPermission['name'] },
): ReportFailure {
  const failure = httpFailure(error);
  if (failure === undefined) return { error, forbidden: false };
  const limit = limitHit(failure, on.now);
  if (limit) {
    const message = `GitHub's ${limit.kind} request limit was reached (${failure.message})`;
    const waitMs = limit.waitMs ?? SILENT_LIMIT_MS;
    return { error: new ComeBackLater(message, { waitMs, cause: error }), forbidden: false };
  }
  if (failure.kind !== 'answer' || failure.status !== 403) return { error, forbidden: false };
  // A locked conversation is 403, too, and no right of ours opens it.
  if (!/not accessible/i.test(failure.message)) return { error, forbidden: true };
  const line = permissionLine({ name: on.needed, access: 'write' });
  const words = failure.message.replace(/ - https?:\S+$/, '');
  const message = `the input token may not (${words}). Add “${line}” under permissions: of the job.`;
  return { error: new ReportForbidden(message, { cause: error }), forbidden: true };
}
