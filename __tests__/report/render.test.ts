import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
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
        events: [{ type: 'Warning', message: text, count: 1, firstSeen: 0, lastSeen: 0 }],
      },
    ],
    notes: [text],
  };
}

/** What of a markdown text GitHub would act on: code is shown as it is. */
function outsideCode(markdown: string): string {
  return markdown
    .replace(/^(`{3,})text\n[\s\S]*?\n\1$/gm, '')
    .replace(/(?<!`)(`+)(?!`)[\s\S]*?(?<!`)\1(?!`)/g, '');
}

describe('renderers', () => {
  it.each(verdicts)('comment, check and summary of %s', async verdict => {
    const view = endedView(verdict);
    const check = renderCheckRun(view);
    const all = [
      renderComment(view),
      `title: ${check.output.title}\nconclusion: ${check.conclusion}\n\n${check.output.summary}`,
    ];
    await expect(`${all.join('\n\n=== check run\n\n')}\n`).toMatchFileSnapshot(`golden/${verdict}.md`);
    expect(renderSummary(view)).toContain(view.outcome?.detail);
    expect(check.conclusion).toBe(VERDICTS[verdict].conclusion);
  });

  it('progress, while it runs', async () => {
    const view = analysingView();
    await expect(`${renderComment(view)}\n`).toMatchFileSnapshot('golden/analysing.md');
    expect(renderCheckRun(view)).toMatchObject({
      status: 'in_progress',
      output: { title: 'shop: analysing, 25 % of traffic' },
    });
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
    const markdown = renderComment(many);
    expect(Buffer.byteLength(markdown)).toBeLessThanOrEqual(LIMIT);
    expect(markdown).toContain('the rest is in the job summary');
    expect(markdown.match(/<details>/g)?.length).toBe(markdown.match(/<\/details>/g)?.length);
    expect(markdown).not.toContain('\uFFFD');
  });
});
