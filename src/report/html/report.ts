import { VERDICTS } from '../../rollout/verdict.ts';
import { isWithin, lastWords, number, rangeWords } from '../sparkline.ts';
import type { CanaryProgressView, CommitView, MetricView, ProofLink, RolloutView } from '../view.ts';
import { elapsed, headline, linkWords, shareWords, stageWords, verdictMark } from '../words.ts';
import { type Html, html, webAddress } from './escape.ts';
import { lineChart } from './line-chart.ts';
import { STYLE } from './style.ts';

/** The whole of a rollout as one page that needs nothing else: for artifacts, and as evidence that is kept. */
export function renderHtml(
  view: RolloutView,
  used: { readonly requests: number | undefined } = { requests: undefined },
): string {
  const { outcome } = view;
  const mark = outcome ? verdictMark(outcome.verdict) : '⏳';
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${headline(view)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${mark} ${headline(view)}</h1>
${summary(view)}
${view.changes.length > 0 ? changes(view) : undefined}
${view.canaries.map(canary => canarySection(canary, view))}
${view.proof.length > 0 ? chain(view) : undefined}
${view.notes.length > 0 ? html`<h2>Notes</h2>\n<ul>${view.notes.map(note => html`<li>${note}</li>\n`)}</ul>` : undefined}
<h2>Where it comes from</h2>
<dl>
<dt>Rollout</dt><dd><code>${view.id}</code></dd>
<dt>Source</dt><dd><code>${view.source.repository}@${view.source.sha}</code></dd>
<dt>Run</dt><dd>${anchor(view.source.runUrl, view.source.runUrl)}</dd>
<dt>GitOps repository</dt><dd><code>${view.gitops.repository}</code> at <code>${view.gitops.branch}</code></dd>
${commitRow('Commit', view.commit)}${commitRow('Adoption', view.adoption)}${commitRow('Revert', view.revert)}
<dt>Began</dt><dd>${new Date(view.startedAt).toISOString()}</dd>
<dt>Ended</dt><dd>${new Date(view.updatedAt).toISOString()}, after ${elapsed(view.updatedAt - view.startedAt)}</dd>
${used.requests === undefined ? undefined : html`<dt>Requests to GitHub</dt><dd>${used.requests}</dd>`}
</dl>
</main>
</body>
</html>
`;
  return page.markup;
}

function summary({ outcome, next, pullRequest }: RolloutView): Html {
  if (!outcome) return html`<p class="lead">${next}</p>`;
  return html`<p class="lead">${outcome.detail}</p>
${outcome.remedy === undefined ? undefined : html`<p class="todo"><strong>What to do:</strong> ${outcome.remedy}</p>`}
${pullRequest ? html`<p>${anchor(pullRequest.url, `Pull request ${pullRequest.number}`)} waits for a person.</p>` : undefined}
<p class="facts">verdict <code>${outcome.verdict}</code> · reason <code>${outcome.reason}</code> · ${VERDICTS[outcome.verdict].meaning}</p>`;
}

function changes(view: RolloutView): Html {
  return html`<h2>What was released</h2>
<div class="scroll"><table>
<tr><th>Target</th><th>Change</th><th>Value</th><th>Where</th></tr>
${view.changes.map(
  ({ what, target, from, to, path, line }) => html`<tr><td><code>${target}</code></td><td>${what}</td><td>${
    from === to ? html`<code>${to}</code> (again)` : html`<code>${from}</code> → <code>${to}</code>`
  }</td><td><code>${path}:${line}</code></td></tr>
`,
)}</table></div>`;
}

function canarySection(canary: CanaryProgressView, view: RolloutView): Html {
  const state = canary.outcome ? canary.outcome.kind : stageWords(canary.stage);
  return html`<h2>Canary <code>${canary.target}</code></h2>
<p>${state} · ${shareWords(canary)} · ${canary.failedChecks} of ${canary.threshold} failed checks · Flagger: ${canary.phase || '–'}</p>
${canary.outcome ? html`<p>${canary.outcome.detail}</p>` : undefined}
${progressChart(canary, view)}
${canary.metrics.length > 0 ? metricsTable(canary.metrics) : undefined}
${canary.metrics.map(metric => metricChart(metric, canary, view))}
${canary.events.length > 0 ? events(canary) : undefined}`;
}

function progressChart(canary: CanaryProgressView, view: RolloutView): Html | undefined {
  const [first] = canary.progress;
  if (!first || canary.progress.length < 2) return undefined;
  const weighted = canary.strategy === 'weighted';
  return lineChart({
    title: weighted ? 'Traffic on the canary, %' : 'Iterations',
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
  });
}

function metricChart(metric: MetricView, canary: CanaryProgressView, view: RolloutView): Html | undefined {
  if (!metric.points.some(({ value }) => value !== undefined)) return undefined;
  const [first] = canary.progress;
  const limit = (value: number | undefined, words: string) => (value === undefined ? [] : [{ value, words }]);
  return lineChart({
    title: `${metric.name}, must be ${rangeWords(metric)}`,
    unit: 'value of each check',
    points: metric.points.map(({ at, value }) => ({ at, value })),
    from: first?.at ?? metric.points[0]?.at ?? view.startedAt,
    until: view.updatedAt,
    steps: false,
    limits: [
      ...limit(metric.min, `at least ${number(metric.min ?? 0)}`),
      ...limit(metric.max, `at most ${number(metric.max ?? 0)}`),
    ],
  });
}

function metricsTable(metrics: readonly MetricView[]): Html {
  return html`<div class="scroll"><table>
<tr><th>Metric</th><th>Last value</th><th>Must be</th><th>Query</th></tr>
${metrics.map(metric => {
  const last = metric.points.at(-1);
  const mark = !last ? '⚪' : last.value !== undefined && isWithin(last.value, metric) ? '✅' : '❌';
  const source =
    metric.source === 'builtin' ? 'Flagger’s own' : html`MetricTemplate <code>${metric.source}</code>`;
  return html`<tr><td>${mark} ${metric.name}</td><td>${lastWords(metric.points)}</td><td>${rangeWords(metric)}</td><td>${source}</td></tr>\n`;
})}</table></div>`;
}

function events(canary: CanaryProgressView): Html {
  return html`<h3>What Flagger said</h3>
<ol class="events">${canary.events
    .toReversed()
    .map(
      ({ type, message, count }) =>
        html`<li class="${type === 'Warning' ? 'warning' : 'normal'}">${message}${count > 1 ? ` (${count}×)` : ''}</li>\n`,
    )}</ol>`;
}

function chain(view: RolloutView): Html {
  const row = (link: ProofLink): Html => {
    const { mark, name } = linkWords(link);
    const at = link.at === undefined ? '' : elapsed(link.at - view.startedAt);
    return html`<tr><td>${mark} ${name}</td><td>${link.detail}</td><td class="number">${at}</td></tr>\n`;
  };
  return html`<h2>The chain of proof</h2>
<div class="scroll"><table>
<tr><th>Link</th><th>Seen</th><th>After</th></tr>
${view.proof.map(row)}</table></div>`;
}

function commitRow(name: string, commit: CommitView | undefined): Html | undefined {
  if (!commit) return undefined;
  return html`<dt>${name}</dt><dd>${anchor(commit.url, commit.sha)}${commit.verified ? ' (verified)' : ''}</dd>\n`;
}

function anchor(url: string, words: string): Html {
  const address = webAddress(url);
  return address === undefined ? html`${words}` : html`<a href="${address}">${words}</a>`;
}
