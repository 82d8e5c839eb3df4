import fc from 'fast-check';
import { JSDOM } from 'jsdom';
import { marked } from 'marked';
import { describe, expect, it } from 'vitest';
import { renderHtml } from '../../src/report/html/report.ts';
import { newLines } from '../../src/report/log-lines.ts';
import { commentMarker, renderCheckRun, renderComment, renderSummary } from '../../src/report/render.ts';
import { resultOf, resultSchema } from '../../src/report/result.ts';
import type { RolloutView } from '../../src/report/view.ts';
import { VERDICTS, type Verdict } from '../../src/rollout/verdict.ts';
import { analysingView, endedView } from './views.ts';

const LIMIT = 65_535;
const verdicts = Object.keys(VERDICTS) as Verdict[];

/** The same hostile words wherever a view has text from elsewhere. */
function hostileView(text: string): RolloutView {
  const view = endedView('rolled-back');
  const [change] = view.changes;
  const [canary] = view.canaries;
  if (!change || !canary) throw new Error('The view has a change and a canary.');
  return {
    ...view,
    outcome: { verdict: 'rolled-back', reason: 'metric-out-of-range', detail: text, remedy: text },
    changes: [{ ...change, to: text, what: text }],
    canaries: [
      {
        ...canary,
        waitingFor: text,
        gates: [
          { name: text, type: 'confirm-rollout', url: text, opening: { kind: 'command', command: text } },
        ],
        metrics: [
          {
            name: text,
            source: text,
            min: 1,
            points: [
              { at: 0, value: 1 },
              { at: 1, value: 2 },
            ],
          },
        ],
        events: [{ type: 'Warning', message: text, count: 1, firstSeen: 0, lastSeen: 0 }],
      },
    ],
    notes: [text],
  };
}

/** All that is text, one after the other. */
function goldenText(view: RolloutView): string {
  const check = renderCheckRun(view);
  const parts = [
    ['comment', renderComment(view)],
    [
      'check run',
      `title: ${check.output.title}\nconclusion: ${check.conclusion ?? '–'}\n\n${check.output.summary}`,
    ],
    ['job summary', renderSummary(view, { requests: 42 })],
    ['log', newLines(view, new Set()).join('\n')],
  ];
  return `${parts.map(([name, text]) => `=== ${name}\n\n${text}`).join('\n\n')}\n`;
}

/** What of a markdown text GitHub would act on: code is shown as it is. */
function outsideCode(markdown: string): string {
  return markdown
    .replace(/^(`{3,})text\n[\s\S]*?\n\1$/gm, '')
    .replace(/(?<!`)(`+)(?!`)[\s\S]*?(?<!`)\1(?!`)/g, '');
}

describe('renderers', () => {
  it.each(verdicts)('comment, check, summary, log and HTML of %s', async verdict => {
    const view = endedView(verdict);
    const check = renderCheckRun(view);
    await expect(goldenText(view)).toMatchFileSnapshot(`golden/${verdict}.md`);
    await expect(renderHtml(view, { requests: 42 })).toMatchFileSnapshot(`golden/${verdict}.html`);
    expect(check.conclusion).toBe(VERDICTS[verdict].conclusion);
  });

  it('progress, while it runs', async () => {
    const view = analysingView();
    await expect(goldenText(view)).toMatchFileSnapshot('golden/analysing.md');
    await expect(renderHtml(view)).toMatchFileSnapshot('golden/analysing.html');
    expect(renderCheckRun(view)).toMatchObject({
      status: 'in_progress',
      output: { title: 'shop: analysing, 25 % of traffic, step 1 of 2, about 40 s left' },
    });
    // A comment is not written again while figures move, so it must not name any.
    expect(renderComment(view)).not.toContain('25 %');
  });

  it.each([
    [{ kind: 'command', command: 'curl -d … http://load/gate/open' }, 'curl -d … http://load/gate/open'],
    [{ kind: 'never' }, 'refuses always'],
    [{ kind: 'elsewhere' }, 'is decided by'],
  ] as const)('a gate, and how it is opened: %j', (opening, words) => {
    const view = analysingView();
    const [canary] = view.canaries;
    if (!canary) throw new Error('The view has a canary.');
    const gate = {
      name: 'approval',
      type: 'confirm-promotion',
      url: 'http://load/gate/check',
      opening,
    } as const;
    const waiting = { ...view, canaries: [{ ...canary, gates: [gate] }] };
    expect(renderComment(waiting)).toContain(words);
    expect(renderCheckRun(waiting).output.summary).toContain('Gate **approval** (confirm-promotion)');
  });

  it('is GitHub-flavoured markdown whose tables and folded parts are whole', () => {
    for (const verdict of verdicts) {
      const view = endedView(verdict);
      const page = marked.parse(renderComment(view), { async: false });
      expect(page.match(/<table>/g)).toHaveLength(view.canaries.length > 0 ? 3 : 1);
      expect(page.match(/<details>/g)?.length).toBe(page.match(/<\/details>/g)?.length);
      expect(page.includes('class="language-mermaid"')).toBe(view.canaries.length > 0);
      expect(page.replace(/<pre>[\s\S]*?<\/pre>/g, '')).not.toMatch(/\*\*|\|--/);
    }
  });

  it.each(verdicts)('result of %s, by its schema', verdict => {
    expect(resultSchema.safeParse(resultOf(endedView(verdict))).error).toBeUndefined();
  });
});

describe('text from elsewhere', () => {
  it.each([
    '@everyone look',
    'closes #12 and GH-12',
    '<!-- gated-rollout: shop -->',
    '<img src=x onerror=alert(1)>',
    '</details><h1>forged</h1>',
    '| a | b |\n|---|---|',
    '`code` ```fence```',
    '[click](https://evil.example)',
    'https://evil.example/x',
    'right-to-left \u202E txt.exe',
    '\u0000\u001b[31mred',
    '# headline\n- list',
    'x'.repeat(100_000),
  ])('%j does nothing', text => {
    for (const markdown of [
      renderComment(hostileView(text)),
      renderCheckRun(hostileView(text)).output.summary,
    ]) {
      const live = outsideCode(markdown);
      expect(live.match(/@[a-z]/i)).toBeNull();
      expect(live).not.toContain('<img');
      expect(live).not.toContain('<h1>');
      expect(live).not.toContain('](https://evil');
      expect(live).not.toContain(' https://evil');
      expect(live).not.toMatch(/#12|GH-12/);
      for (const mark of ['\u202E', '\u0000', '\u001b']) expect(markdown).not.toContain(mark);
      expect(live.split(commentMarker('shop')).length).toBeLessThanOrEqual(2);
      expect(Buffer.byteLength(markdown)).toBeLessThanOrEqual(LIMIT);
    }
  });

  it.each([
    '<script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    "' onload='x",
    'javascript:alert(1)',
  ])('in the HTML report stays text: %s', text => {
    const page = renderHtml(hostileView(text));
    const { document } = new JSDOM(page).window;
    expect(document.querySelectorAll('script, img, iframe, [onload], [onerror]')).toHaveLength(0);
    for (const anchor of document.querySelectorAll('a')) expect(anchor.href).toMatch(/^https?:/);
    expect(document.body.textContent).toContain(text);
  });

  it('whatever it is, stays below the limit and forges no marker', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), text => {
        const markdown = renderComment(hostileView(text));
        expect(Buffer.byteLength(markdown)).toBeLessThanOrEqual(LIMIT);
        expect(outsideCode(markdown).split('<!-- gated-rollout').length).toBe(2);
      }),
    );
  });

  it('is cut between sections, with a word about it', () => {
    const [canary] = analysingView().canaries;
    if (!canary) throw new Error('The view has a canary.');
    const events = Array.from({ length: 15 }, (_, index) => ({
      type: 'Normal' as const,
      message: `${index} ${'é'.repeat(280)}`,
      count: 1,
      firstSeen: 0,
      lastSeen: 0,
    }));
    const many = analysingView({
      canaries: Array.from({ length: 30 }, (_, index) => ({
        ...canary,
        target: `prod/shop-${index}`,
        events,
      })),
    });
    const markdown = renderCheckRun(many).output.summary;
    expect(Buffer.byteLength(markdown)).toBeLessThanOrEqual(LIMIT);
    expect(markdown).toContain('the rest is in the job summary');
    expect(markdown.match(/<details>/g)?.length).toBe(markdown.match(/<\/details>/g)?.length);
    expect(markdown).not.toContain('\uFFFD');
  });
});
