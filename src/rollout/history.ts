import type { CanaryView, FlaggerEvent, Observation, TargetView } from './observation.ts';

/** One moment of an analysis, noted when something of it had changed. `at`: the runner's clock, ms. */
export interface ProgressPoint {
  readonly at: number;
  /** Percent of traffic on the new version, wherever it runs. */
  readonly weight: number;
  readonly iteration: number;
  readonly failedChecks: number;
}

/** What one check of a metric found; without a value: it was asked for, and there was none. */
export interface MetricPoint {
  readonly at: number;
  readonly value?: number;
}

export interface History {
  readonly progress: readonly ProgressPoint[];
  /** By the metric's name in the Canary. */
  readonly metrics: Readonly<Record<string, readonly MetricPoint[]>>;
}

export const NO_HISTORY: History = { progress: [], metrics: {} };

/** More than any chart shows. */
const MAX_POINTS = 500;

/**
 * What a look at the cluster adds to the history of one canary. Values come from Flagger's words about failed checks
 * and, where it may be read, from its own gauge of the last value; none is made up.
 */
export function withHistory(
  history: History,
  on: {
    readonly view: TargetView;
    readonly observation: Pick<Observation, 'source'>;
    /** Flagger has been seen to analyse our revision. */
    readonly analysing: boolean;
    /** Flagger's words as they were known before this look. */
    readonly eventsBefore: readonly FlaggerEvent[];
    readonly events: readonly FlaggerEvent[];
    readonly now: number;
  },
): History {
  const { view, now } = on;
  const { canary } = view;
  if (!canary || !on.analysing) return history;
  const said = saidOfMetrics(on.eventsBefore, on.events, canary);
  const progress = withProgress(history.progress, pointOf(canary, now));
  const metrics = { ...history.metrics };
  for (const [name, value] of said) metrics[name] = added(metrics[name], point(now, value));
  if (on.observation.source === 'read' && canary.phase === 'Progressing') {
    for (const [name, value] of Object.entries(view.metricValues ?? {})) {
      if (!canary.analysis.metrics.some(metric => metric.name === name)) continue;
      if (!checkedSince(metrics[name], progress, canary, now)) continue;
      metrics[name] = added(metrics[name], { at: now, value });
    }
  }
  return { progress, metrics };
}

function point(at: number, value: number | undefined): MetricPoint {
  return value === undefined ? { at } : { at, value };
}

/**
 * In WaitingPromotion the status says 0 and −1 while traffic stays at the maximum. From Finalising on it says 0, because
 * the primary, which runs the new version, has all of it.
 */
function pointOf(canary: CanaryView, at: number): ProgressPoint {
  const { weights } = canary.analysis;
  const waiting = canary.phase === 'WaitingPromotion';
  const promoted = canary.phase === 'Finalising' || canary.phase === 'Succeeded';
  return {
    at,
    weight: promoted ? 100 : waiting ? Math.max(0, ...weights) : canary.canaryWeight,
    iteration: waiting ? (canary.analysis.iterations ?? 0) : Math.max(0, canary.iterations),
    failedChecks: canary.failedChecks,
  };
}

function withProgress(known: readonly ProgressPoint[], next: ProgressPoint): readonly ProgressPoint[] {
  const last = known.at(-1);
  const same =
    last?.weight === next.weight &&
    last.iteration === next.iteration &&
    last.failedChecks === next.failedChecks;
  return same ? known : added(known, next);
}

function added<T>(known: readonly T[] | undefined, next: T): readonly T[] {
  return [...(known ?? []), next].slice(-MAX_POINTS);
}

/**
 * Whether Flagger has made a check that the gauge speaks of and that is not noted yet. Its first tick of an analysis
 * checks nothing (Flagger scheduler.go), so that until the second one the gauge is the release's before.
 */
function checkedSince(
  noted: readonly MetricPoint[] | undefined,
  progress: readonly ProgressPoint[],
  canary: CanaryView,
  now: number,
): boolean {
  const ticks = progress.filter(({ weight, iteration }) => weight > 0 || iteration > 0);
  const [, second] = ticks;
  const newest = ticks.at(-1);
  if (second === undefined || newest === undefined) return false;
  const last = noted?.at(-1)?.at;
  return last === undefined || (last < newest.at && now - last >= canary.analysis.intervalMs / 2);
}

/** Flagger scheduler_metrics.go; its builtin metrics are named in words, and durations are Go's: `1m2.5s`. */
const VALUE = /^Halt \S+ advancement (?:success rate|(\S+)) (-?[\d.]+(?:e[+-]?\d+)?)%? [<>]/;
const DURATION = /^Halt \S+ advancement request duration ([\d.a-zµ]+) [<>]/;
const NO_VALUE = /^Halt advancement no values found for (?:custom metric: |metric: |\S+ metric )([^\s:]+)/;
const UNIT_MS: Readonly<Record<string, number>> = { ns: 1e-6, µs: 1e-3, ms: 1, s: 1e3, m: 6e4, h: 3.6e6 };

/** What was newly said of metrics: the words themselves, or the same words once more. */
function saidOfMetrics(
  before: readonly FlaggerEvent[],
  events: readonly FlaggerEvent[],
  canary: CanaryView,
): readonly (readonly [name: string, value: number | undefined])[] {
  const counts = new Map(before.map(({ message, count }) => [message, count]));
  const names = new Set(canary.analysis.metrics.map(({ name }) => name));
  return events
    .filter(({ message, count }) => count > (counts.get(message) ?? 0))
    .map(({ message }) => valueIn(message))
    .filter(said => said !== undefined)
    .filter(([name]) => names.has(name));
}

/** In per cent and ms for Flagger's builtin metrics; undefined when the words are about something else. */
export function valueIn(message: string): readonly [name: string, value: number | undefined] | undefined {
  const [, duration] = DURATION.exec(message) ?? [];
  if (duration !== undefined) return ['request-duration', milliseconds(duration)];
  const [, name = 'request-success-rate', number] = VALUE.exec(message) ?? [];
  if (number !== undefined) return [name, Number(number)];
  const [, missing] = NO_VALUE.exec(message) ?? [];
  return missing === undefined ? undefined : [missing, undefined];
}

function milliseconds(duration: string): number {
  const parts = [...duration.matchAll(/([\d.]+)(ns|µs|ms|s|m|h)/g)];
  return parts.reduce((sum, [, number, unit]) => sum + Number(number) * (UNIT_MS[unit ?? ''] ?? 0), 0);
}
