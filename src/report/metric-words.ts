import { isWithin, number } from './sparkline.ts';
import type { MetricView } from './view.ts';

/** Flagger observer.go: what its own two metrics are measured in. Of others nobody says. */
const BUILTIN_UNITS: Readonly<Record<string, string>> = {
  'request-success-rate': ' %',
  'request-duration': ' ms',
};

type Named = Pick<MetricView, 'name' | 'source'>;

export function unitOf({ name, source }: Partial<Named>): string {
  return source === 'builtin' && name !== undefined ? (BUILTIN_UNITS[name] ?? '') : '';
}

type Ranged = Pick<MetricView, 'min' | 'max'> & Partial<Named>;

/** What a metric must be: `≥ 99 %`, `≤ 500 ms`, `from 1 to 5`. */
export function rangeWords(metric: Ranged): string {
  const { min, max } = metric;
  const unit = unitOf(metric);
  if (min !== undefined && max !== undefined) return `from ${number(min)} to ${number(max)}${unit}`;
  if (min !== undefined) return `≥ ${number(min)}${unit}`;
  return max === undefined ? 'anything' : `≤ ${number(max)}${unit}`;
}

/** The newest check of a metric in words: its value, that there was none, or `–` when none was seen. */
export function lastWords(metric: MetricView): string {
  const last = metric.points.at(-1);
  if (!last) return '–';
  return last.value === undefined ? 'no value' : `${number(last.value)}${unitOf(metric)}`;
}

export function metricMark(metric: MetricView): '✅' | '❌' | '⚪' {
  const last = metric.points.at(-1);
  if (!last) return '⚪';
  return last.value !== undefined && isWithin(last.value, metric) ? '✅' : '❌';
}

/** Those first that are out of their range. */
export function failingFirst<T extends { readonly metric: MetricView }>(metrics: readonly T[]): readonly T[] {
  const rank = ({ metric }: T): number => (metricMark(metric) === '❌' ? 0 : 1);
  return metrics.toSorted((one, other) => rank(one) - rank(other));
}
