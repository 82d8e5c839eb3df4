import { describe, expect, it } from 'vitest';
import type { PlanView } from '../../src/report/plan-view.ts';
import { renderCheckRun, renderComment } from '../../src/report/render.ts';
import { canaryView } from '../rollout/story.ts';
import { analysingView } from './views.ts';

const ANALYSIS = canaryView().analysis;
const canary = (analysis: Partial<typeof ANALYSIS> = {}, target = 'prod/shop') => ({
  target,
  adopted: false,
  analysis: { ...ANALYSIS, ...analysis },
  shortestMs: 30_000,
  longestMs: 60_000,
});
const FILE = { path: 'apps/shop.yaml', adoption: false, diff: '' };
const PLAN: PlanView = {
  files: [FILE],
  built: [],
  canaries: [canary()],
  checks: [],
  warnings: 0,
  worstRollbackMs: 90_000,
};

function planned(change: Partial<PlanView>) {
  const { commit: _commit, next: _next, onCancel: _cancel, ...view } = analysingView();
  return {
    ...view,
    purpose: 'plan' as const,
    stage: 'done' as const,
    proof: [],
    canaries: [],
    outcome: { verdict: 'unchanged', reason: 'planned', detail: 'Nothing was written.' } as const,
    plan: { ...PLAN, ...change },
  };
}

describe('a plan in a title', () => {
  it.each<[string, Partial<PlanView>]>([
    ['shop 6.2.0: plan: 1 file, weights 25, 50, promoted after 30–60 s', {}],
    ['shop 6.2.0: plan: nothing to change', { files: [] }],
    ['shop 6.2.0: plan: nothing to change, 2 warnings', { files: [], warnings: 2 }],
    [
      'shop 6.2.0: plan: 2 files, weights 25, 50, promoted after 30–60 s, 1 warning',
      { files: [FILE, { ...FILE, path: 'apps/canary.yaml', adoption: true }, FILE], warnings: 1 },
    ],
    [
      'shop 6.2.0: plan: 1 file, 10 iterations, promoted after 2 m 00 s to 10 m 00 s',
      {
        canaries: [
          {
            ...canary({ strategy: 'ab', weights: [], iterations: 10 }),
            shortestMs: 120_000,
            longestMs: 600_000,
          },
        ],
      },
    ],
    [
      'shop 6.2.0: plan: 1 file, 2 canaries, promoted after 30–60 s',
      { canaries: [canary(), canary({ weights: [10] }, 'prod/api')] },
    ],
    [
      'shop 6.2.0: plan: 1 file, 10 weights from 5 to 50, promoted after 30–60 s',
      { canaries: [canary({ weights: [5, 10, 15, 20, 25, 30, 35, 40, 45, 50] })] },
    ],
  ])('%s', (title, change) => {
    const view = planned(change);
    expect(renderCheckRun(view).output.title).toBe(title);
    expect(renderComment(view)).toContain(`### ${change.warnings ? '⚠️' : '✅'} ${title}`);
    expect(renderComment(view)).not.toMatch(/nothing to do|was changed/);
  });

  it('says that it is one while it is made, and when it is refused', () => {
    const { outcome: _outcome, plan: _plan, ...view } = planned({});
    expect(renderCheckRun({ ...view, stage: 'preparing' }).output.title).toBe('shop 6.2.0: plan: preparing');
    const outcome = { verdict: 'refused', reason: 'tree-broken', detail: 'No.' } as const;
    expect(renderCheckRun({ ...view, outcome }).output.title).toBe(
      'shop 6.2.0: plan: refused, nothing was written',
    );
  });
});
