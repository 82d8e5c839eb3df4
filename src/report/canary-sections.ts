import type { Section } from './fit.ts';
import { code, plain } from './markdown-text.ts';
import { failingFirst, lastWords, metricMark, rangeWords } from './metric-words.ts';
import { sparkline } from './sparkline.ts';
import type { CanaryProgressView, RolloutView } from './view.ts';
import { bar, canaryWords, checksWords, stepWords } from './words.ts';

/** Where each canary stands: one in a line, several in a table. */
export function canariesSection({ canaries }: RolloutView): Section {
  const [first, ...others] = canaries;
  if (!first) return '';
  if (others.length === 0) {
    const facts = [
      `${unread(bar(first))} **${stepWords(first)}**`,
      checksWords(first),
      ...phaseWords(first),
      STRATEGIES[first.strategy],
    ];
    return `${code(first.target)} ${facts.join(' · ')}`;
  }
  return {
    head: '| Canary | State | Progress | Failed checks |\n|---|---|---|---|',
    rows: canaries.map(canary => {
      const state = plain(canaryWords(canary));
      const about = [STRATEGIES[canary.strategy], ...phaseWords(canary)].join(' · ');
      return `| ${code(canary.target)}<br><sub>${about}</sub> | ${state} | ${unread(bar(canary))} ${stepWords(canary)} | ${checksWords(canary)} |`;
    }),
    tail: '',
    more: count => `| … and ${count} more | | | |`,
  };
}

/** Signs that are spelt out one by one when a screen reader reads them; the words beside them say the same. */
function unread(signs: string): string {
  return `<span aria-hidden="true">${signs}</span>`;
}

function phaseWords({ phase }: CanaryProgressView): readonly string[] {
  return phase === '' ? [] : [`Flagger says ${phase}`];
}

export const STRATEGIES = {
  weighted: 'gradual shift of traffic',
  ab: 'A/B: chosen requests get it',
  'blue-green': 'blue/green',
} as const;

/** Each metric's last value against its range, and where its query is. */
export function metricsSection({ canaries }: RolloutView): Section {
  const several = canaries.length > 1;
  const metrics = canaries.flatMap(({ target, metrics: all }) => all.map(metric => ({ target, metric })));
  if (metrics.length === 0) return '';
  return {
    head: '| Metric and its query | Last value | Must be |\n|---|---|---|',
    rows: failingFirst(metrics).map(({ target, metric }) => {
      const line =
        metric.points.length > 1 ? ` ${unread(sparkline(metric.points.map(({ value }) => value)))}` : '';
      const of = several ? `${code(target)} ` : '';
      return `| ${metricMark(metric)} ${of}${plain(metric.name)}<br><sub>${sourceWords(metric.source)}</sub> | ${lastWords(metric)}${line} | ${rangeWords(metric)} |`;
    }),
    tail: '',
    more: count => `| … and ${count} more | | |`,
  };
}

function sourceWords(source: string): string {
  if (source === 'builtin') return 'Flagger’s own query';
  return source === 'inline' ? 'query in the Canary' : `MetricTemplate ${code(source)}`;
}
