import type { MetricPoint } from '../rollout/history.ts';
import type { MetricView } from './view.ts';

const LEVELS = '▁▂▃▄▅▆▇█';
/** One for a check that found no value. */
const GAP = '·';
const WIDTH = 40;

/** A row of bars for the newest values, from the least to the greatest of them; `·` where there was no value. */
export function sparkline(
  values: readonly (number | undefined)[],
  range?: { readonly low: number; readonly high: number },
): string {
  const shown = values.slice(-WIDTH);
  const known = shown.filter(value => value !== undefined);
  const low = range?.low ?? Math.min(...known);
  const high = range?.high ?? Math.max(...known);
  return shown.map(value => (value === undefined ? GAP : level(value, { low, high }))).join('');
}

function level(value: number, { low, high }: { readonly low: number; readonly high: number }): string {
  const share = high > low ? Math.min(1, Math.max(0, (value - low) / (high - low))) : 0.5;
  return LEVELS[Math.round(share * (LEVELS.length - 1))] ?? GAP;
}

/** What a metric must be: `≥ 99`, `≤ 500`, `from 1 to 5`. */
export function rangeWords({ min, max }: Pick<MetricView, 'min' | 'max'>): string {
  if (min !== undefined && max !== undefined) return `from ${number(min)} to ${number(max)}`;
  if (min !== undefined) return `≥ ${number(min)}`;
  return max === undefined ? 'anything' : `≤ ${number(max)}`;
}

export function isWithin(value: number, { min, max }: Pick<MetricView, 'min' | 'max'>): boolean {
  return (min === undefined || value >= min) && (max === undefined || value <= max);
}

/** At most four digits that matter; whole numbers whole. */
export function number(value: number): string {
  if (Number.isInteger(value)) return String(value);
  return String(Number(value.toPrecision(Math.abs(value) >= 1000 ? 6 : 4)));
}

/** The newest check of a metric in words: its value, or that there was none. */
export function lastWords(points: readonly MetricPoint[]): string {
  const last = points.at(-1);
  if (!last) return '–';
  return last.value === undefined ? 'no value' : number(last.value);
}
