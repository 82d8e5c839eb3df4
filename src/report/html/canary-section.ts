import { STRATEGIES } from '../canary-sections.ts';
import { failingFirst, lastWords, metricMark, rangeWords, unitOf } from '../metric-words.ts';
import { number } from '../sparkline.ts';
import type { CanaryProgressView, GateView, MetricView, RolloutView } from '../view.ts';
import { clockTime } from '../durations.ts';
import { canaryWords, checksWords, stepWords } from '../words.ts';
import { type Html, html } from './escape.ts';
import { lineChart } from './line-chart.ts';

/** One canary: where it stands, its charts, its metrics, and what Flagger said. */
export function canarySection(canary: CanaryProgressView, view: RolloutView): Html {
  const state = canaryWords(canary);
  const strategy = STRATEGIES[canary.strategy];
  const progress =
    stepWords(canary) === state
      ? html`<li><b>${strategy}</b></li>`
      : html`<li><b>${stepWords(canary)}</b>${strategy}</li>`;
  return html`<section>
<h2>Canary <code>${canary.target}</code></h2>
<ul class="figures">
<li><b>${state}</b>${canary.phase === '' ? '' : `Flagger says ${canary.phase}`}</li>
${progress}
<li><b>${checksWords(canary)}</b>${canary.failingSince === undefined ? '' : `the first at ${clockTime(canary.failingSince)} UTC`}</li>
</ul>
${canary.waitingFor === undefined ? undefined : html`<p>Waits: ${canary.waitingFor}</p>`}
${canary.gates.map(gate)}
${canary.metrics.length > 0 ? metricsTable(canary.metrics) : undefined}
${progressChart(canary, view)}
${canary.metrics.map(metric => metricChart(metric, canary, view))}
${canary.events.length > 0 ? events(canary) : undefined}
</section>`;
}

function gate({ name, type, url, opening }: GateView): Html {
  const how =
    opening.kind === 'command'
      ? html`is opened with <code>${opening.command}</code>`
      : opening.kind === 'never'
        ? html`refuses always: <code>${url}</code>`
        : html`is decided by <code>${url}</code>`;
  return html`<p>Gate <strong>${name}</strong> (${type}) ${how}.</p>\n`;
}

function progressChart(canary: CanaryProgressView, view: RolloutView): Html | undefined {
  const [first] = canary.progress;
  if (!first || canary.progress.length < 2) return undefined;
  const weighted = canary.strategy === 'weighted';
  return lineChart({
    title: weighted ? 'Traffic on the new version, %' : 'Iterations',
    unit: weighted ? 'per cent' : 'iterations',
    points: canary.progress.map(({ at, weight, iteration }) => ({
      at,
      value: weighted ? weight : iteration,
    })),
    from: first.at,
    until: view.updatedAt,
    range: [0, weighted ? 100 : (canary.iterations ?? 1)],
    steps: true,
    limits: [],
    within: () => true,
  });
}

function metricChart(metric: MetricView, canary: CanaryProgressView, view: RolloutView): Html | undefined {
  if (!metric.points.some(({ value }) => value !== undefined)) return undefined;
  const [first] = canary.progress;
  const { min, max } = metric;
  const unit = unitOf(metric);
  const limit = (value: number | undefined, words: string) =>
    value === undefined ? [] : [{ value, words: `${words} ${number(value)}${unit}` }];
  return lineChart({
    title: `${metric.name}${unit === '' ? '' : `,${unit}`}: must be ${rangeWords(metric)}`,
    unit: 'value of each check',
    points: metric.points.map(({ at, value }) => ({ at, value })),
    from: first?.at ?? metric.points[0]?.at ?? view.startedAt,
    until: view.updatedAt,
    steps: false,
    limits: [...limit(min, 'at least'), ...limit(max, 'at most')],
    within: value => (min === undefined || value >= min) && (max === undefined || value <= max),
  });
}

function metricsTable(metrics: readonly MetricView[]): Html {
  return html`<div class="scroll"><table>
<tr><th>Metric</th><th>Last value</th><th>Must be</th><th>Query</th></tr>
${failingFirst(metrics.map(metric => ({ metric }))).map(
  ({ metric }) =>
    html`<tr><td>${metricMark(metric)} ${metric.name}</td><td>${lastWords(metric)}</td><td>${rangeWords(metric)}</td><td>${source(metric)}</td></tr>\n`,
)}</table></div>`;
}

function source({ source: name }: MetricView): Html {
  if (name === 'builtin') return html`Flagger’s own`;
  return name === 'inline' ? html`in the Canary` : html`MetricTemplate <code>${name}</code>`;
}

function events(canary: CanaryProgressView): Html {
  return html`<h3>What Flagger said, newest first</h3>
<ol class="events">${canary.events
    .toReversed()
    .map(
      ({ type, message, count, lastSeen }) =>
        html`<li class="${type === 'Warning' ? 'warning' : 'normal'}">${
          lastSeen > 0 ? html`<time>${clockTime(lastSeen)}</time> ` : ''
        }${message}${count > 1 ? ` (${count}×)` : ''}</li>\n`,
    )}</ol>`;
}
