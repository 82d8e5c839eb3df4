import { JSDOM } from 'jsdom';
import { marked } from 'marked';
import { describe, expect, it } from 'vitest';
import { renderHtml } from '../../src/report/html/report.ts';
import type { PlanView } from '../../src/report/plan-view.ts';
import { commentMarker, renderCheckRun, renderComment, renderSummary } from '../../src/report/render.ts';
import type { RolloutView } from '../../src/report/view.ts';
import { endedView, MOMENTS } from './views.ts';

/** Words that stand for a choice out of a closed list, which no text from elsewhere can be. */
const CHOICES = [
  'verdict',
  'reason',
  'stage',
  'phase',
  'strategy',
  'state',
  'link',
  'type',
  'onCancel',
  'kind',
];

const HOSTILE = [
  '<img src=x onerror=alert(1)> [a](https://evil.example) https://evil.example www.evil.example _http://evil.example',
  '</details></summary></code><script>alert(1)</script> @everyone #12 $x$ $$y$$ <!-- gated-rollout: shop -->',
  'javascript:alert(1)//"><iframe src=https://evil.example>',
  "``` ' onload=alert(1) |---|\n# forged\n@everyone **b** \u202e",
] as const;

const PLAN: PlanView = {
  files: [
    { path: 'apps/a.yaml', adoption: true, diff: '@@ -1,1 +1,1 @@\n-old\n+new' },
    { path: 'apps/secret.env', adoption: false, diff: '' },
  ],
  built: [
    { object: 'Deployment prod/shop', diff: '+new' },
    { object: 'Secret prod/creds', diff: '' },
  ],
  canaries: [
    {
      target: 'prod/shop',
      adopted: false,
      analysis: {
        strategy: 'weighted',
        intervalMs: 10_000,
        threshold: 2,
        weights: [25, 50],
        metrics: [{ name: 'success', min: 99, source: 'builtin' }],
        webhooks: [{ name: 'gate', type: 'confirm-rollout', url: 'http://gate/check' }],
      },
      shortestMs: 1,
      longestMs: 2,
    },
  ],
  checks: [{ what: 'Chain', state: 'good', detail: 'as it runs' }],
  warnings: 0,
  worstRollbackMs: 3,
};

const VIEWS: Readonly<Record<string, RolloutView>> = {
  plan: { ...endedView('unchanged'), plan: PLAN },
  'revert-blocked': endedView('revert-blocked'),
  ...Object.fromEntries(Object.entries(MOMENTS).map(([name, make]) => [name, make()])),
};

/** Every text in a value replaced by another one. */
function withAll(value: unknown, text: string, key = ''): unknown {
  if (typeof value === 'string') return CHOICES.includes(key) ? value : text;
  if (Array.isArray(value)) return value.map(item => withAll(item, text, key));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, withAll(item, text, name)]));
}

/** All texts at once, and those of each field alone: what is a link only where a sha is known, is one then. */
function* hostileViews(view: RolloutView, text: string): Generator<RolloutView> {
  const all = withAll(view, text);
  // A view with other texts in it is a view.
  yield all as RolloutView;
  for (const [field, value] of Object.entries(all as RolloutView)) yield { ...view, [field]: value };
}

function assertDead(document: Document, mine: number): void {
  expect(document.querySelectorAll('script, img, iframe, object, form, [onload], [onerror]')).toHaveLength(0);
  for (const anchor of document.querySelectorAll('a')) {
    expect(anchor.href).toMatch(/^https?:/);
    expect(new URL(anchor.href).hostname).not.toContain('evil');
  }
  expect(document.querySelectorAll('h1').length).toBe(mine);
}

/** Outside of code, which is shown as it is. */
function assertQuiet(document: Document, markers: number): void {
  for (const code of document.querySelectorAll('code, pre')) code.remove();
  expect(document.body.textContent).not.toMatch(/@everyone|#12\b/);
  for (const span of document.querySelectorAll('span')) span.remove();
  expect(document.body.textContent).not.toContain('$');
  expect(document.body.innerHTML.split(commentMarker('shop')).length - 1).toBeLessThanOrEqual(markers);
}

describe('active content in every text of every view', () => {
  it.for(Object.entries(VIEWS))('stays dead: %s', ([, view]) => {
    for (const hostile of HOSTILE) {
      for (const given of hostileViews(view, hostile)) {
        assertDead(new JSDOM(renderHtml(given)).window.document, 1);
        const texts = [renderComment(given), renderCheckRun(given).output.summary, renderSummary(given)];
        const pages = texts.map(markdown => marked.parse(markdown, { async: false }));
        const { document } = new JSDOM(pages.join('\n')).window;
        assertDead(document, 0);
        assertQuiet(document, 1);
        expect(texts.join()).not.toContain('\u202e');
      }
    }
  });
});
