/** The answer to a secondary rate limit (docs "Rate limits for the REST API"). */
export function secondaryRateLimit(retryAfterSeconds) {
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
/** The faults of a scenario. The first one armed that matches a request takes it. */
export class Faults {
  armed = [];
  /** Arms a fault; the function returned disarms it. */
  add(fault) {
    const armed = { fault, seen: 0 };
    this.armed.push(armed);
    return () => {
      const at = this.armed.indexOf(armed);
      if (at >= 0) this.armed.splice(at, 1);
    };
  }
  take(method, path) {
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
