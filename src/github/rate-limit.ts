/** What is left of the requests that the token may make. Times are ms since the epoch, by GitHub's clock. */
export type RateLimit =
  /** No headers were seen: GitHub Enterprise Server without limits, which is its default. */
  | { readonly kind: 'unlimited' }
  | {
      readonly kind: 'limited';
      readonly limit: number;
      readonly remaining: number;
      readonly resetAt: number;
    };

/** Learns the limit from the headers of each response. Reports choose their cadence by it; nothing else does. */
export class RateLimitObserver {
  private last: RateLimit = { kind: 'unlimited' };

  /** Takes the headers of any response (lower-case names). GraphQL and search have budgets of their own: left out. */
  observe(headers: Readonly<Record<string, string | undefined>>): void {
    const resource = headers['x-ratelimit-resource'];
    if (resource !== undefined && resource !== 'core') return;
    const [limit, remaining, reset] = ['limit', 'remaining', 'reset'].map(name =>
      Number.parseInt(headers[`x-ratelimit-${name}`] ?? '', 10),
    );
    if (limit === undefined || remaining === undefined || reset === undefined) return;
    if (![limit, remaining, reset].every(Number.isFinite)) return;
    const next: RateLimit = { kind: 'limited', limit, remaining, resetAt: reset * 1000 };
    // Answers overtake each other: within one window what is left only shrinks, and an older window is no news.
    if (this.last.kind === 'limited' && this.last.limit === limit) {
      if (next.resetAt < this.last.resetAt) return;
      if (next.resetAt === this.last.resetAt && next.remaining > this.last.remaining) return;
    }
    this.last = next;
  }

  /** The limit as it should be now: full again once the window is over. */
  current(now: number): RateLimit {
    if (this.last.kind === 'unlimited' || this.last.resetAt > now) return this.last;
    return { ...this.last, remaining: this.last.limit };
  }
}
