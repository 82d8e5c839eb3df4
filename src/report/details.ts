import { block, plain } from './markdown-text.ts';
import { metricChart, trafficChart } from './mermaid.ts';
import type { SectionOptions } from './section-options.ts';
import { rangeWords, sparkline } from './sparkline.ts';
import type { CanaryProgressView, MetricView, RolloutView } from './view.ts';
import { elapsed } from './words.ts';

/** What is folded away: charts, and Flagger's own words. */

/** A comment stays readable with so many; the job summary and the HTML report have room for all. */
const MAX_CHARTS = 6;
const MAX_EVENTS = 15;

/** Traffic and metrics over time: as drawings where Mermaid is drawn, as rows of bars everywhere. */
export function chartsSection(view: RolloutView, options: SectionOptions): string {
  const drawings = options.mermaid ? drawingsOf(view) : [];
  const lines = view.canaries.flatMap(canary => textCharts(canary, view));
  if (lines.length === 0) return '';
  const parts = [...drawings, block(lines)];
  return details('How it went over time', parts.join('\n\n'), options);
}

function drawingsOf(view: RolloutView): readonly string[] {
  return view.canaries
    .flatMap(canary => [trafficChart(canary, view.updatedAt), ...canary.metrics.map(metricChart)])
    .filter(drawing => drawing !== undefined)
    .slice(0, MAX_CHARTS);
}

function textCharts(canary: CanaryProgressView, view: RolloutView): readonly string[] {
  const [first, ...others] = canary.progress;
  if (!first || others.length === 0) return [];
  const weighted = canary.strategy === 'weighted';
  const values = canary.progress.map(({ weight, iteration }) => (weighted ? weight : iteration));
  const high = weighted ? 100 : (canary.iterations ?? Math.max(...values));
  const title = weighted ? 'traffic %' : 'iteration';
  const span = elapsed(view.updatedAt - first.at);
  const width = Math.max(title.length, ...canary.metrics.map(({ name }) => name.length));
  return [
    `${canary.target}, ${span}`,
    `${title.padEnd(width)}  ${sparkline(values, { low: 0, high })}  ${values.join(' ')}`,
    ...canary.metrics.filter(({ points }) => points.length > 0).map(metric => metricLine(metric, width)),
  ];
}

function metricLine(metric: MetricView, width: number): string {
  const values = metric.points.map(({ value }) => value);
  const words = values.slice(-12).map(value => (value === undefined ? 'none' : Number(value.toPrecision(4))));
  return `${metric.name.padEnd(width)}  ${sparkline(values)}  ${words.join(' ')}  must be ${rangeWords(metric)}`;
}

export function eventsSection(canary: CanaryProgressView, options: SectionOptions): string {
  if (canary.events.length === 0) return '';
  const newest = canary.events.slice(-MAX_EVENTS).toReversed();
  const lines = newest.map(({ type, message, count }) => {
    const mark = type === 'Warning' ? '! ' : '  ';
    return `${mark}${message.replace(/\s+/g, ' ').slice(0, 300)}${count > 1 ? ` (${count}×)` : ''}`;
  });
  return details(`What Flagger said about ${plain(canary.target)}`, block(lines), options);
}

function details(summary: string, body: string, { open }: SectionOptions): string {
  return `<details${open ? ' open' : ''}><summary>${summary}</summary>\n\n${body}\n\n</details>`;
}
