import { number } from './sparkline.ts';
import type { CanaryProgressView, MetricView } from './view.ts';

/** How many samples a line of traffic has: enough to see the steps, few enough for a comment. */
const SAMPLES = 40;
const MAX_CHECKS = 60;
/**
 * Mermaid's own first colour can hardly be seen on white. These are seen on light and dark: the line, then its limits.
 * The height leaves room for the rest of the comment.
 */
const LOOK = JSON.stringify({
  xyChart: { height: 300 },
  themeVariables: { xyChart: { plotColorPalette: '#2f81f7, #e5534b, #e5534b' } },
});
/** Mermaid reads no exponents. */
const MAX_NUMBER = 1e15;

/** Traffic over time as a Mermaid chart; undefined when there is nothing to draw. Weighted canaries only. */
export function trafficChart(canary: CanaryProgressView, until: number): string | undefined {
  const [first] = canary.progress;
  if (canary.strategy !== 'weighted' || !first || canary.progress.length < 2) return undefined;
  const span = Math.max(1, until - first.at);
  const values = Array.from({ length: SAMPLES + 1 }, (_, index) => {
    const at = first.at + (span * index) / SAMPLES;
    return canary.progress.findLast(point => point.at <= at)?.weight ?? 0;
  });
  return chart([
    `title ${quoted(`Traffic on the new version of ${canary.target}`)}`,
    `x-axis ${quoted('minutes of analysis')} 0 --> ${round(span / 60_000)}`,
    `y-axis ${quoted('% of traffic')} 0 --> 100`,
    `line [${values.map(round).join(', ')}]`,
  ]);
}

/** A metric and its limits; undefined with fewer than two values, or with a gap, which a Mermaid line can't show. */
export function metricChart(metric: MetricView): string | undefined {
  const points = metric.points.slice(-MAX_CHECKS);
  const values = points.map(({ value }) => value).filter(value => value !== undefined);
  if (values.length < 2 || values.length !== points.length) return undefined;
  const limits = [metric.min, metric.max].filter(limit => limit !== undefined);
  const all = [...values, ...limits];
  if (all.some(value => Math.abs(value) >= MAX_NUMBER)) return undefined;
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const room = high > low ? (high - low) * 0.1 : Math.max(1, Math.abs(high) * 0.1);
  return chart([
    `title ${quoted([metric.name, ...limitWords(metric)].join(', red: '))}`,
    // Named one by one: an axis of numbers has ticks between them, and there is no check 1.5.
    `x-axis ${quoted('check')} [${values.map((_, index) => index + 1).join(', ')}]`,
    `y-axis ${round(low - room)} --> ${round(high + room)}`,
    `line [${values.map(round).join(', ')}]`,
    ...limits.map(limit => `line [${values.map(() => round(limit)).join(', ')}]`),
  ]);
}

function limitWords({ min, max }: MetricView): readonly string[] {
  const words = [
    ...(min === undefined ? [] : [`at least ${number(min)}`]),
    ...(max === undefined ? [] : [`at most ${number(max)}`]),
  ];
  return words.length === 0 ? [] : [words.join(', ')];
}

function chart(lines: readonly string[]): string {
  return ['```mermaid', `%%{init: ${LOOK}}%%`, 'xychart-beta', ...lines.map(line => `  ${line}`), '```'].join(
    '\n',
  );
}

/** Names are other people's text: only what can't end a string or a block stays. */
function quoted(text: string): string {
  return `"${text.replace(/[^\p{L}\p{N} %.,:/_-]/gu, ' ').slice(0, 100)}"`;
}

function round(value: number): string {
  return String(Number(value.toFixed(Math.abs(value) < 1 ? 4 : 2)));
}
