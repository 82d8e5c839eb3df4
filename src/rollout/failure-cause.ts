import { valueIn } from './history.ts';
import type { CanaryView, ClusterTime, FlaggerEvent } from './observation.ts';
import type { Track, TrackOutcome } from './track.ts';
import type { Reason } from './verdict.ts';

/** Why Flagger failed a canary, from its last events; `errored` = it could not tell whether the release is bad. */
export interface FailureCause {
  readonly reason: Reason;
  readonly errored: boolean;
  readonly detail: string;
}

interface Pattern {
  readonly match: RegExp;
  readonly reason: Reason;
  readonly errored: boolean;
}

/** Flagger's verbatim formats: scheduler.go, scheduler_metrics.go, scheduler_hooks.go, canary/deployment_ready.go. */
const PATTERNS: readonly Pattern[] = [
  { match: /no values found for/, reason: 'no-metric-values', errored: true },
  { match: /^(Prometheus|Metric) query failed/, reason: 'metrics-unavailable', errored: true },
  { match: /^Metric template .* error/, reason: 'metrics-unavailable', errored: true },
  {
    match:
      /advancement (external|pre-rollout) check .* failed .*(connection refused|no such host|i\/o timeout|deadline exceeded|EOF|connect:|dial tcp)/,
    reason: 'webhook-unreachable',
    errored: true,
  },
  { match: /advancement (external|pre-rollout) check .* failed/, reason: 'webhook-refused', errored: false },
  { match: /^Halt .* advancement .* [<>] /, reason: 'metric-out-of-range', errored: false },
  { match: /manual webhook invoked/, reason: 'rollback-webhook', errored: false },
  {
    match:
      /not ready: |exceeded its progress deadline|progress deadline exceeded|^Knative Revision .* is not ready/,
    reason: 'canary-not-ready',
    errored: false,
  },
];

/** Flagger scheduler_metrics.go: the value, and the limit that it has crossed. */
const CROSSED = /advancement (?:success rate|request duration|\S+) (\S+) ([<>]) (\S+)$/;

/** `metric success was 90.00, and must be at least 99` */
function metricWords(message: string): string | undefined {
  const name = valueIn(message)?.[0];
  const [, value, sign, limit] = CROSSED.exec(message) ?? [];
  if (name === undefined || value === undefined) return undefined;
  return `metric ${name} was ${value}, and must be at ${sign === '<' ? 'least' : 'most'} ${limit ?? ''}`;
}

/** Words that say nothing of the cause. */
const CONSEQUENCES = /^(Rolling back .* failed checks threshold reached|Canary failed! Scaling down)/;

/**
 * Reads the newest telling warning since `since` (cluster time). A release is *failed* when any warning says that it
 * was seen to be bad; *errored* when all that spoke against it was broken measuring.
 */
export function failureCause(options: {
  readonly canary: CanaryView;
  readonly events: readonly FlaggerEvent[];
  readonly since: ClusterTime | undefined;
  readonly failedChecks: number;
}): FailureCause {
  const { canary, events, since, failedChecks } = options;
  const told = events
    .filter(event => event.type === 'Warning' && (since === undefined || event.lastSeen >= since))
    .map(event => ({ event, pattern: PATTERNS.find(pattern => pattern.match.test(event.message)) }))
    .filter(({ event }) => !CONSEQUENCES.test(event.message));
  const newestFirst = told.toReversed();
  const telling = newestFirst.filter(entry => entry.pattern !== undefined);
  // A failed check outweighs everything; "not ready" halts cost no failed check, so they only explain a deadline.
  const chosen =
    telling.find(entry => entry.pattern?.errored === false && entry.pattern.reason !== 'canary-not-ready') ??
    (failedChecks === 0 ? telling.find(entry => entry.pattern?.reason === 'canary-not-ready') : undefined) ??
    telling.find(entry => entry.pattern?.errored === true) ??
    telling[0];
  if (chosen?.pattern) {
    return {
      reason: chosen.pattern.reason,
      errored: chosen.pattern.errored,
      detail: metricWords(chosen.event.message) ?? `Flagger: “${chosen.event.message}”`,
    };
  }
  const checks =
    failedChecks > 0 ? ` after ${failedChecks} failed of ${canary.analysis.threshold} allowed checks` : '';
  return { reason: 'threshold-reached', errored: false, detail: `Flagger failed the canary${checks}.` };
}

/** How a canary that Flagger failed has ended, with the cause in its last words. */
export function failedOutcome(on: {
  readonly canary: CanaryView;
  readonly track: Pick<Track, 'target' | 'peak'>;
  readonly events: readonly FlaggerEvent[];
  readonly since: ClusterTime | undefined;
  /** The primary carries the release already. */
  readonly tainted: boolean;
}): Extract<TrackOutcome, { kind: 'failed' | 'errored' }> {
  const { canary, track, events, since, tainted } = on;
  const { failedChecks } = track.peak;
  const cause = failureCause({ canary, events, since, failedChecks });
  const checks = failedChecks > 0 ? ` (${failedChecks} of ${canary.analysis.threshold} failed checks)` : '';
  return {
    kind: cause.errored ? 'errored' : 'failed',
    reason: cause.reason,
    detail: `${track.target}${checks}: ${cause.detail}`,
    tainted,
  };
}
