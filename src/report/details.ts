import type { FlaggerEvent } from '../rollout/observation.ts';
import { block, htmlText } from './markdown-text.ts';
import { metricChart, trafficChart } from './mermaid.ts';
import { rangeWords } from './metric-words.ts';
import type { SectionOptions } from './section-options.ts';
import { sparkline } from './sparkline.ts';
import type { CanaryProgressView, MetricView, RolloutView } from './view.ts';
import { clockTime, elapsed } from './durations.ts';

/** What is folded away: charts, Flagger's own words, and what the words mean. */

/** A comment stays readable with so many; the job summary and the HTML report have room for all. */
const MAX_CHARTS = 6;
const MAX_EVENTS = 15;

/** Traffic and metrics over time: as drawings where Mermaid is drawn, as rows of bars everywhere. */
export function chartsSection(view: RolloutView, options: SectionOptions): string {
  const drawings = options.mermaid ? drawingsOf(view) : [];
  const lines = view.canaries
    .map(canary => textCharts(canary, view))
    .filter(chart => chart.length > 0)
    .flatMap((chart, index) => (index === 0 ? chart : ['', ...chart]));
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
  const title = `What Flagger said about ${htmlText(canary.target)}, newest first`;
  return details(title, block(newest.map(eventLine)), options);
}

/** `03:05:05 ! Halt shop.prod advancement success 90.00 < 99 (2×)`; times by the cluster's clock. */
function eventLine({ type, message, count, lastSeen }: FlaggerEvent): string {
  const at = lastSeen > 0 ? `${clockTime(lastSeen)} ` : '';
  const words = message.replace(/\s+/g, ' ').slice(0, 300);
  return `${at}${type === 'Warning' ? '!' : ' '} ${words}${count > 1 ? ` (${count}×)` : ''}`;
}

/** For whoever sees a report for the first time. */
export const GLOSSARY: readonly (readonly [word: string, meaning: string])[] = [
  [
    'GitOps repository',
    'holds what the cluster should run. A release is a commit in it, taking it back a revert.',
  ],
  ['Flux', 'applies what the GitOps repository says to the cluster.'],
  [
    'Flagger',
    'tries a new version on some of the traffic, checks its metrics, and promotes it or rolls back.',
  ],
  ['canary', 'the new version while it is tried.'],
  ['primary', 'the pods that serve the users; at first the old version, after the promotion the new one.'],
  ['check', 'Flagger’s look at all metrics, once at each interval. Too many failed ones end the release.'],
  [
    'proof',
    'what was seen in the cluster for this very commit, link by link. What is not seen is not claimed.',
  ],
];

export function glossarySection({ proof, plan }: RolloutView): string {
  if (proof.length === 0 && !plan) return '';
  const lines = GLOSSARY.map(([word, meaning]) => `- **${word}:** ${meaning}`);
  return `<details><summary>What these words mean</summary>\n\n${lines.join('\n')}\n\n</details>`;
}

function details(summary: string, body: string, { open }: SectionOptions): string {
  return `<details${open ? ' open' : ''}><summary>${summary}</summary>\n\n${body}\n\n</details>`;
}
