// @vitest-environment jsdom
import mermaid from 'mermaid';
import { describe, expect, test } from 'vitest';
import { metricChart, trafficChart } from '../../src/report/mermaid.ts';
import type { MetricView } from '../../src/report/view.ts';
import { renderComment, renderSummary } from '../../src/report/render.ts';
import { VERDICTS, type Verdict } from '../../src/rollout/verdict.ts';
import { analysingView, endedView, MOMENTS } from './views.ts';

/** The block without its fence, as GitHub hands it to Mermaid. */
function drawing(block: string | undefined): string {
  return (block ?? '').replace(/^```mermaid\n/, '').replace(/\n```$/, '');
}

const metric = (values: readonly (number | undefined)[], change: Partial<MetricView> = {}): MetricView => ({
  name: 'success',
  source: 'builtin',
  points: values.map((value, at) => (value === undefined ? { at } : { at, value })),
  ...change,
});

describe('charts for GitHub’s Mermaid', () => {
  test('traffic', async () => {
    const view = analysingView();
    const [canary] = view.canaries;
    if (!canary) throw new Error('The view has a canary.');
    const text = drawing(trafficChart(canary, view.updatedAt));
    expect(await mermaid.parse(text)).toMatchObject({ diagramType: 'xychart' });
  });

  test.each([
    ['with a limit', metric([99.5, 99.9, 90], { min: 99 })],
    ['with two limits', metric([1, 2, 3], { min: 0, max: 5 })],
    ['of one value all along', metric([0, 0])],
    ['of tiny and of negative values', metric([0.000_12, -3.5])],
    ['with a hostile name', metric([1, 2], { name: '"]\n```\n@everyone <!-- x --> end' })],
    ['with a name in other letters', metric([1, 2], { name: 'Fehlerquote für Käufe, 成功率' })],
  ])('a metric %s', async (_, given) => {
    const block = metricChart(given);
    expect(block?.match(/```/g)).toHaveLength(2);
    expect(block).not.toContain('@');
    expect(await mermaid.parse(drawing(block))).toMatchObject({ diagramType: 'xychart' });
  });

  test('every drawing of every report', async () => {
    const ended = (Object.keys(VERDICTS) as Verdict[]).map(endedView);
    const views = [...ended, ...Object.values(MOMENTS).map(make => make())];
    const texts = views.flatMap(view => [renderComment(view), renderSummary(view)]);
    const drawings = texts.flatMap(text => [...text.matchAll(/```mermaid\n([\s\S]*?)\n```/g)]);
    expect(drawings.length).toBeGreaterThan(20);
    for (const [, text = ''] of drawings) {
      expect(await mermaid.parse(text)).toMatchObject({ diagramType: 'xychart' });
    }
  });

  test('no metric that it can’t show as it is: with a gap, with one value, in exponents', () => {
    expect(metricChart(metric([1, undefined, 2]))).toBeUndefined();
    expect(metricChart(metric([1]))).toBeUndefined();
    expect(metricChart(metric([1e21, 2e21]))).toBeUndefined();
  });
});
