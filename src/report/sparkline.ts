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

/** Whether a value is in its metric's range. */
export function isWithin(value: number, { min, max }: Pick<MetricView, 'min' | 'max'>): boolean {
  return (min === undefined || value >= min) && (max === undefined || value <= max);
}

/** At most four digits that matter; whole numbers whole. */
export function number(value: number): string {
  if (Number.isInteger(value)) return String(value);
  return String(Number(value.toPrecision(Math.abs(value) >= 1000 ? 6 : 4)));
}
