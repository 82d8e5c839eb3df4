/** What goes wrong with a request. */
export type FaultEffect =
  /** Answers this and does nothing. A body that is not a string is sent as JSON. */
  | {
      readonly kind: 'respond';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: unknown;
    }
  /** Does the work, then answers 502 (or the status given), or cuts the connection: a lost answer. */
  | { readonly kind: 'lost-answer'; readonly answer: 'cut' | number }
  /** Waits before anything is done. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** Sends the answer's headers at once and its body in pieces over this time. */
  | { readonly kind: 'slow-body'; readonly ms: number }
  /** Destroys the connection before anything is done. */
  | { readonly kind: 'reset' }
  /** Reads refs as they were before their last change (a replica that lags). */
  | { readonly kind: 'stale-refs' };

export interface Fault {
  readonly method?: string;
  /** Tested against the decoded path with its query. */
  readonly path: RegExp;
  /** How many matching requests go through first; default 0. */
  readonly after?: number;
  /** How many requests it hits; default 1. */
  readonly times?: number;
  readonly effect: FaultEffect;
}

/** The answer to a secondary rate limit (docs "Rate limits for the REST API"). */
export function secondaryRateLimit(retryAfterSeconds?: number): FaultEffect {
  return {
    kind: 'respond',
    status: 403,
    headers: retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) },
    body: {
      message:
        'You have exceeded a secondary rate limit. Please wait a few minutes before you try again. ' +
        'If you reach out to GitHub Support for help, please include the request ID.',
      documentation_url:
        'https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits',
    },
  };
}

interface Armed {
  readonly fault: Fault;
  seen: number;
}

/** The faults of a scenario. The first one armed that matches a request takes it. */
export class Faults {
  private readonly armed: Armed[] = [];

  /** Arms a fault; the function returned disarms it. */
  add(fault: Fault): () => void {
    const armed = { fault, seen: 0 };
    this.armed.push(armed);
    return () => {
      const at = this.armed.indexOf(armed);
      if (at >= 0) this.armed.splice(at, 1);
    };
  }

  take(method: string, path: string): FaultEffect | undefined {
    for (const armed of this.armed) {
      const { fault } = armed;
      if (fault.method !== undefined && fault.method.toUpperCase() !== method) continue;
      if (path.search(fault.path) < 0) continue;
      armed.seen += 1;
      const hit = armed.seen - (fault.after ?? 0);
      if (hit >= 1 && hit <= (fault.times ?? 1)) return fault.effect;
    }
    return undefined;
  }
}
