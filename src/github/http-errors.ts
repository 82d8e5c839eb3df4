import { z } from 'zod';
import { withoutUrlSecrets } from '../secrets/public-urls.ts';

/** What a failed call to GitHub says of itself; the only place that knows how Octokit wraps errors. */
export type HttpFailure =
  /** GitHub (or something before it) answered. */
  | {
      readonly kind: 'answer';
      readonly status: number;
      /** GitHub's message, errors included. */
      readonly message: string;
      /** Lower-case names. */
      readonly headers: Readonly<Record<string, string>>;
    }
  /** No whole answer came: refused, reset, cut, timed out. The request may have had its effect. */
  | { readonly kind: 'no-answer'; readonly message: string };

/** A body that is not what GitHub documents, for example a proxy's page sent with status 200. */
export class UnexpectedAnswer extends Error {
  override readonly name = 'UnexpectedAnswer';
}

const httpErrorSchema = z.object({
  name: z.literal('HttpError'),
  status: z.number(),
  message: z.string().transform(withoutUrlSecrets),
  response: z
    .object({ headers: z.record(z.string(), z.union([z.string(), z.number()]).optional()) })
    .optional(),
});

/**
 * Reads an error thrown by a call to GitHub; undefined for errors of another making, an abort by the caller among
 * them. Octokit gives network errors status 500 without a response (@octokit/request fetch-wrapper).
 */
export function httpFailure(error: unknown): HttpFailure | undefined {
  if (error instanceof UnexpectedAnswer) return { kind: 'no-answer', message: error.message };
  const parsed = httpErrorSchema.safeParse(error);
  if (!parsed.success) return undefined;
  const { status, message, response } = parsed.data;
  if (response === undefined) return { kind: 'no-answer', message };
  const headers = Object.entries(response.headers).map(([name, value]) => [
    name.toLowerCase(),
    String(value ?? ''),
  ]);
  return { kind: 'answer', status, message, headers: Object.fromEntries(headers) };
}

/** The status of a failed call; undefined when there was no answer. */
export function statusOf(error: unknown): number | undefined {
  const failure = httpFailure(error);
  return failure?.kind === 'answer' ? failure.status : undefined;
}

/** Whether the request may have had its effect although it failed: no answer, or a gateway gave up on it. */
export function isUncertain(error: unknown): boolean {
  const failure = httpFailure(error);
  return failure?.kind === 'no-answer' || (failure?.kind === 'answer' && failure.status >= 500);
}

export interface LimitHit {
  readonly kind: 'primary' | 'secondary';
  /** ms to wait as GitHub asks; undefined when it does not say. */
  readonly waitMs: number | undefined;
}

/**
 * The rate limit that a refusal speaks of, if it does. Order of the docs ("Exceeding the rate limit"): retry-after,
 * else the reset when nothing is left, else at least a minute. The reset is compared with GitHub's own clock.
 */
export function limitHit(failure: HttpFailure, now: number): LimitHit | undefined {
  if (failure.kind !== 'answer' || (failure.status !== 403 && failure.status !== 429)) return undefined;
  const { headers, message } = failure;
  const spent = headers['x-ratelimit-remaining'] === '0';
  const kind = spent ? 'primary' : 'secondary';
  const after = seconds(headers['retry-after']);
  if (after !== undefined) return { kind, waitMs: after * 1000 };
  const reset = seconds(headers['x-ratelimit-reset']);
  if (spent && reset !== undefined) {
    const theirs = Date.parse(headers.date ?? '');
    return { kind, waitMs: Math.max(0, reset * 1000 - (Number.isNaN(theirs) ? now : theirs)) + 1000 };
  }
  const named = /rate limit|abuse detection/i.test(message);
  return failure.status === 429 || named ? { kind, waitMs: undefined } : undefined;
}

function seconds(text: string | undefined): number | undefined {
  const value = Number.parseFloat(text ?? '');
  return Number.isFinite(value) ? value : undefined;
}
