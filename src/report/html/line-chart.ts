import { scaleLinear } from 'd3-scale';
import { area, curveLinear, curveStepAfter, line } from 'd3-shape';
import { Html, html } from './escape.ts';

export interface ChartPoint {
  /** ms since the epoch. */
  readonly at: number;
  /** Undefined leaves a gap in the line. */
  readonly value: number | undefined;
}

export interface LineChart {
  readonly title: string;
  readonly points: readonly ChartPoint[];
  readonly from: number;
  readonly until: number;
  /** The vertical range; taken from the values and limits unless given. */
  readonly range?: readonly [low: number, high: number];
  /** A value holds until the next one. */
  readonly steps: boolean;
  readonly limits: readonly { readonly value: number; readonly words: string }[];
  readonly unit: string;
  /** Values that are not are marked. */
  readonly within: (value: number) => boolean;
}

const WIDTH = 640;
const HEIGHT = 180;
const MARGIN = { top: 16, right: 14, bottom: 28, left: 54 };

/** A chart as SVG, coloured by the page's own variables, with its values as text for those who don't see it. */
export function lineChart(chart: LineChart): Html {
  const known = chart.points.map(({ value }) => value).filter(value => value !== undefined);
  const [low, high] = chart.range ?? padded([...known, ...chart.limits.map(({ value }) => value)]);
  const x = scaleLinear([0, Math.max(1, chart.until - chart.from)], [MARGIN.left, WIDTH - MARGIN.right]);
  const y = scaleLinear([low, high], [HEIGHT - MARGIN.bottom, MARGIN.top]).nice(4);
  const points = chart.steps ? held(chart) : chart.points;
  const path = line<ChartPoint>()
    .defined(({ value }) => value !== undefined)
    .x(({ at }) => x(at - chart.from))
    .y(({ value }) => y(value ?? 0))
    .curve(chart.steps ? curveStepAfter : curveLinear)(points);
  const filled = chart.steps
    ? area<ChartPoint>()
        .x(({ at }) => x(at - chart.from))
        .y0(y(low))
        .y1(({ value }) => y(value ?? 0))
        .curve(curveStepAfter)(points)
    : undefined;
  const ticks = y.ticks(4);
  const span = chart.until - chart.from;
  const unit = span < 3 * 60_000 ? { ms: 1_000, words: 's' } : { ms: 60_000, words: 'min' };
  const times = scaleLinear([0, span / unit.ms], [0, 1]).ticks(6);
  return html`<figure class="chart">
<figcaption>${chart.title}</figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${spoken(chart)}">
${ticks.map(
  tick => html`<line class="grid" x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${round(y(tick))}" y2="${round(y(tick))}"/>
<text class="tick" x="${MARGIN.left - 6}" y="${round(y(tick) + 4)}" text-anchor="end">${tick}</text>
`,
)}${times.map(
  time => html`<text class="tick" x="${round(x(time * unit.ms))}" y="${HEIGHT - 8}" text-anchor="${anchorAt(x(time * unit.ms))}">${time} ${unit.words}</text>
`,
)}${chart.limits.map(
  ({
    value,
    words,
  }) => html`<line class="limit" x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${round(y(value))}" y2="${round(y(value))}"/>
<text class="limit-words" x="${WIDTH - MARGIN.right}" y="${round(y(value) - 4)}" text-anchor="end">${words}</text>
`,
)}${filled ? html`<path class="area" d="${new Html(filled)}"/>\n` : undefined}<path class="line" d="${new Html(path ?? '')}"/>
${chart.steps ? undefined : chart.points.map(point => mark(point, { chart, x, y }))}</svg>
</figure>`;
}

/** What stands at the right edge must not stick out. */
function anchorAt(across: number): 'middle' | 'end' {
  return across > WIDTH - MARGIN.right - 8 ? 'end' : 'middle';
}

type Scale = (value: number) => number;

/** A dot for a value, and a word for a check that found none. */
function mark(
  { at, value }: ChartPoint,
  { chart, x, y }: { readonly chart: LineChart; readonly x: Scale; readonly y: Scale },
): Html {
  const across = round(x(at - chart.from));
  if (value === undefined)
    return html`<text class="gap" x="${across}" y="${HEIGHT - MARGIN.bottom - 4}" text-anchor="middle">no value</text>\n`;
  return html`<circle class="${chart.within(value) ? 'dot' : 'dot out'}" cx="${across}" cy="${round(y(value))}" r="3.5"/>\n`;
}

/** The last value holds until the end of the chart. */
function held({ points, until }: LineChart): readonly ChartPoint[] {
  const last = points.at(-1);
  return last && last.at < until ? [...points, { at: until, value: last.value }] : points;
}

function padded(values: readonly number[]): readonly [number, number] {
  if (values.length === 0) return [0, 1];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = high > low ? (high - low) * 0.15 : Math.max(1, Math.abs(high) * 0.1);
  return [low - room, high + room];
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function spoken({ title, points, unit }: LineChart): string {
  const values = points.slice(-60).map(({ value }) => (value === undefined ? 'no value' : `${value}`));
  return `${title}, ${unit}: ${values.join(', ')}`;
}
