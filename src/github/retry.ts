import type { Clock } from '../rollout/ports.ts';
import { httpFailure, limitHit } from './http-errors.ts';

export interface RetryPolicy {
  readonly clock: Clock;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  /** How long to go on trying, ms from the first try. A wait that would end later is not begun. */
  readonly budgetMs: number;
  /** Longest wait of our own choosing, ms; what GitHub asks for may be longer. */
  readonly maxDelayMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Full jitter: anything between nothing and the exponential step, so that fifty jobs do not come back together. */
export function jitteredDelay(
  attempt: number,
  options: { readonly random: () => number; readonly maxDelayMs: number; readonly baseMs?: number },
): number {
  const step = Math.min(options.maxDelayMs, (options.baseMs ?? 500) * 2 ** Math.min(attempt, 20));
  return Math.round(options.random() * step);
}

/**
 * How long to wait before the same request is sent again, or undefined when that would not help: only lost answers,
 * 5xx and rate limits pass by themselves. `attempt` counts from 0.
 */
export function retryDelay(error: unknown, attempt: number, policy: RetryPolicy): number | undefined {
  const failure = httpFailure(error);
  if (failure === undefined) return undefined;
  const limit = limitHit(failure, policy.clock.now());
  if (limit !== undefined) {
    // Docs "Exceeding the rate limit": without a header wait at least a minute, then exponentially longer.
    return limit.waitMs ?? 60_000 * 2 ** attempt + Math.round(policy.random() * 1000);
  }
  if (failure.kind === 'answer' && failure.status < 500) return undefined;
  return jitteredDelay(attempt, policy);
}

/**
 * Calls until it succeeds, fails for good, or the budget is used up; then throws the last error. For reads and
 * idempotent writes only.
 */
export async function retrying<T>(call: () => Promise<T>, policy: RetryPolicy): Promise<T> {
  const end = policy.clock.now() + policy.budgetMs;
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      const delay = retryDelay(error, attempt, policy);
      if (delay === undefined || policy.clock.now() + delay > end) throw error;
      await policy.clock.sleep(delay, policy.signal);
      if (policy.signal?.aborted === true) throw error;
    }
  }
}
