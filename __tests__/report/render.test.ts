import { createHash } from 'node:crypto';
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
import { analysingView, endedView, MOMENTS } from './views.ts';

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

/** Metrics, and where it was changed. */
function tablesOf({ canaries, changes }: RolloutView): number {
  return (canaries.length > 0 ? 1 : 0) + (changes.length > 0 ? 1 : 0);
}

/** How a rendered page is built, without its words. */
function skeleton(markdown: string): string {
  const { document } = new JSDOM(marked.parse(markdown, { async: false })).window;
  const shape = (element: Element): string =>
    `${element.tagName}${element.getAttribute('href') ?? ''}(${[...element.children].map(shape).join(' ')})`;
  // Around a dollar sign, which would be mathematics: looks like none.
  for (const span of document.querySelectorAll('span')) span.replaceWith(...span.childNodes);
  return shape(document.body);
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

  it.each(Object.keys(MOMENTS))('the same of a rollout on its way: %s', async name => {
    const view = MOMENTS[name]?.() ?? analysingView();
    await expect(goldenText(view)).toMatchFileSnapshot(`golden/${name}.md`);
    await expect(renderHtml(view)).toMatchFileSnapshot(`golden/${name}.html`);
    expect(renderCheckRun(view).status).toBe('in_progress');
  });

  it('a headline that says in five seconds what, where, and for how long', () => {
    const [canary] = analysingView().canaries;
    if (!canary) throw new Error('The view has a canary.');
    const clean = { ...canary, failedChecks: 0, weight: 25, step: 5, steps: 10, leftMs: 240_000 };
    const titleOf = (change: Partial<RolloutView>) => renderCheckRun(analysingView(change)).output.title;
    expect(titleOf({ canaries: [clean] })).toBe(
      'shop 6.2.0: analysing, 25 % of traffic, step 5 of 10, about 4 min left',
    );
    expect(titleOf({ canaries: [{ ...clean, failedChecks: 2 }] })).toBe(
      'shop 6.2.0: analysing, 25 % of traffic, step 5 of 10, 2 failed checks (limit 5), about 4 min left',
    );
    expect(titleOf({ canaries: [clean, { ...clean, weight: 50 }] })).toBe(
      'shop 6.2.0: analysing 2 canaries, 25 % to 50 % of traffic, about 4 min left',
    );
  });

  it('a comment that names no figure that moves while it is not written again, and where these are', () => {
    const checkUrl = 'https://github.com/acme/shop/runs/5';
    const comment = renderComment(analysingView(), { checkUrl });
    expect(comment).not.toContain('25 %');
    expect(comment).toContain(`[check run](${checkUrl})`);
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
      expect(page.match(/<table>/g)).toHaveLength(tablesOf(view));
      expect(page.match(/<details>/g)?.length).toBe(page.match(/<\/details>/g)?.length);
      const drawn = view.canaries.some(({ progress }) => progress.length > 1);
      expect(page.includes('class="language-mermaid"')).toBe(drawn);
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
    'see _https://evil.example/x_ *http://evil.example* ftp://evil.example',
    'www.evil.example and (www.evil.example) *WWW.evil.example*',
    'costs $x^2$ and $$y$$ and $`z`$',
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
      expect(live).not.toMatch(/(?:https?|ftp):\/\/evil|www\.evil/i);
      expect(live.replaceAll('<span>$</span>', '')).not.toContain('$');
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

  it('in the HTML report finds nothing that would run it, and tells nobody who reads it', () => {
    const { document } = new JSDOM(renderHtml(hostileView('words'))).window;
    const [style, ...others] = document.querySelectorAll('style, [style], link');
    expect(others).toHaveLength(0);
    const hash = createHash('sha256')
      .update(style?.textContent ?? '')
      .digest('base64');
    const policy = document.querySelector('meta[http-equiv="Content-Security-Policy"]');
    expect(policy?.getAttribute('content')).toBe(
      `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`,
    );
    expect(document.querySelector('meta[name=referrer]')?.getAttribute('content')).toBe('no-referrer');
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

  it('leaves the layout of comment, check run and summary as it is with ordinary words', () => {
    const renderings = [
      renderComment,
      (view: RolloutView) => renderCheckRun(view).output.summary,
      (view: RolloutView) => renderSummary(view),
    ];
    const ordinary = renderings.map(render => skeleton(render(hostileView('ordinary words'))));
    const mostlyMarkup = fc.stringMatching(/^[`|<>!@#*_~[\]()\\\-=+&:/$.a1w \n\t]{1,60}$/);
    fc.assert(
      fc.property(fc.oneof(mostlyMarkup, fc.string({ unit: 'binary' })), text => {
        const given = hostileView(`${text}x`);
        expect(renderings.map(render => skeleton(render(given)))).toEqual(ordinary);
      }),
      { numRuns: 60 },
    );
  }, 90_000);

  it('in what is folded away stands without marks of our own', () => {
    const [canary] = analysingView().canaries;
    if (!canary) throw new Error('The view has a canary.');
    const view = analysingView({ canaries: [{ ...canary, target: 'prod/my_shop' }] });
    const page = marked.parse(renderCheckRun(view).output.summary, { async: false });
    expect(page).toContain('What Flagger said about prod/my_shop');
  });

  it('is cut between rows and sections, with a word about it', () => {
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
    expect(markdown).toContain('**Proof**');
    expect(markdown.match(/<details>/g)?.length).toBe(markdown.match(/<\/details>/g)?.length);
    expect(markdown).not.toContain('\uFFFD');
  });
});
