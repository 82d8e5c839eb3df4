const hour = 3_600_000;
/** Whom a request is counted for: a workflow token's repository, an installation, or a person. */
export function budgetOwner(identity) {
  switch (identity?.kind) {
    case 'actions':
      return `repository ${identity.repositories[0] ?? ''}`;
    case 'app':
      return `installation ${identity.installationId}`;
    case 'user':
    case 'app-jwt':
      return `user ${identity.login}`;
    default:
      return 'anonymous';
  }
}
// Docs "Rate limits for the REST API": 1,000 an hour for GITHUB_TOKEN, 5,000 for installations and people, 60 else.
const defaults = {
  actions: 1000,
  app: 5000,
  user: 5000,
  'app-jwt': 5000,
  anonymous: 60,
};
export class RateLimits {
  option;
  budgets = new Map();
  now;
  constructor(option, now) {
    this.option = option;
    this.now = now;
  }
  get enabled() {
    return this.option !== 'none';
  }
  current(identity, resource = 'core') {
    const key = `${resource} ${budgetOwner(identity)}`;
    const known = this.budgets.get(key);
    if (known !== undefined && known.resetAt > this.now()) return known;
    const own = this.option === 'none' ? undefined : this.option.limit;
    const limit = known?.limit ?? own ?? defaults[identity?.kind ?? 'anonymous'];
    const fresh = { limit, used: 0, resetAt: this.now() + hour };
    this.budgets.set(key, fresh);
    return fresh;
  }
  /** Sets what is left of a budget, as other jobs of the repository would have spent it. */
  set(identity, budget) {
    const limit = budget.limit ?? this.current(identity).limit;
    this.budgets.set(`core ${budgetOwner(identity)}`, {
      limit,
      used: limit - budget.remaining,
      resetAt: this.now() + (budget.resetInMs ?? hour),
    });
  }
  /** Counts one request; false when nothing was left. */
  spend(identity, resource) {
    if (!this.enabled) return true;
    const budget = this.current(identity, resource);
    if (budget.used >= budget.limit) return false;
    this.budgets.set(`${resource} ${budgetOwner(identity)}`, { ...budget, used: budget.used + 1 });
    return true;
  }
  headers(identity, resource) {
    if (!this.enabled) return {};
    const budget = this.current(identity, resource);
    return {
      'x-ratelimit-limit': String(budget.limit),
      'x-ratelimit-remaining': String(budget.limit - budget.used),
      'x-ratelimit-used': String(budget.used),
      'x-ratelimit-reset': String(Math.ceil(budget.resetAt / 1000)),
      'x-ratelimit-resource': resource,
    };
  }
}
