import { ComeBackLater } from '../report/reporter.ts';
import { httpFailure, limitHit } from './http-errors.ts';

/** Docs "Exceeding the rate limit": without a header at least a minute. */
const SILENT_LIMIT_MS = 60_000;

/** What a failed write of a report means for those that come after it. */
export interface ReportFailure {
  /** As it is thrown to the reporter: a limit tells how long all reports have to wait. */
  readonly error: unknown;
  /** A right is missing: asking again would only cost requests. */
  readonly forbidden: boolean;
}

export function reportFailure(error: unknown, now: number): ReportFailure {
  const failure = httpFailure(error);
  if (failure === undefined) return { error, forbidden: false };
  const limit = limitHit(failure, now);
  if (limit) {
    const message = `GitHub's ${limit.kind} request limit was reached (${failure.message})`;
    const waitMs = limit.waitMs ?? SILENT_LIMIT_MS;
    return { error: new ComeBackLater(message, { waitMs, cause: error }), forbidden: false };
  }
  return { error, forbidden: failure.kind === 'answer' && failure.status === 403 };
}
