import type { CanaryAnalysis } from '../rollout/observation.ts';
import type { Section } from './fit.ts';
import { code, diffParts, htmlText, plain } from './markdown-text.ts';
import { rangeWords } from './metric-words.ts';
import type { PlannedAnalysis, PlannedFile, PlanView } from './plan-view.ts';
import { elapsed } from './durations.ts';

/** A plan as people read it in the pull request, most important first. */
export function planSections(plan: PlanView): readonly Section[] {
  return [
    summary(plan),
    ...plan.canaries.map(schedule),
    gates(plan),
    checks(plan),
    ...plan.files.map(changedFile),
    ...plan.built.map(builtObject),
  ];
}

function changedFile({ path, adoption, diff }: PlannedFile): Section {
  const first = adoption ? 'First, in a commit of its own: ' : '';
  if (diff === '') return `${first}${code(path)} changes; its content is not shown.`;
  const { head, lines, tail } = diffParts(diff);
  return {
    head: `<details open><summary>${first}${htmlText(path)}</summary>\n\n${head}`,
    rows: lines,
    tail: `${tail}\n\n</details>`,
    more: count => `… ${count} more lines`,
  };
}

function summary(plan: PlanView): string {
  if (plan.files.length === 0) return '';
  const shortest = Math.max(0, ...plan.canaries.map(({ shortestMs }) => shortestMs));
  const longest = Math.max(0, ...plan.canaries.map(({ longestMs }) => longestMs));
  return `The analysis takes from ${elapsed(shortest)} to ${elapsed(longest)}; a release that turns out to be bad at the last moment is back after ${elapsed(plan.worstRollbackMs)} at most.`;
}

function schedule({ target, adopted, analysis, shortestMs, longestMs }: PlannedAnalysis): string {
  const rows = steps(analysis).map(({ afterMs, what }) => `| ${elapsed(afterMs)} | ${what} |`);
  const metrics = analysis.metrics.map(metric => `${code(metric.name)} ${rangeWords(metric)}`).join(', ');
  const checked = metrics === '' ? '**No metric is checked.**' : `Checked at each step: ${metrics}.`;
  const failing = `After ${analysis.threshold} failed checks Flagger rolls back.`;
  const first = adopted ? ' Its Canary is created first; what runs now becomes the primary, unanalysed.' : '';
  return `**Schedule of ${code(target)}** (${elapsed(shortestMs)} to ${elapsed(longestMs)}).${first} ${checked} ${failing}\n\n| After | |\n|---|---|\n${rows.join('\n')}`;
}

/** Flagger scheduler.go: one step at each interval, the first at the second tick of a new revision. */
function steps(analysis: CanaryAnalysis): readonly { readonly afterMs: number; readonly what: string }[] {
  const { strategy, weights, iterations = 10, intervalMs, stepWeightPromotion } = analysis;
  const at = (tick: number) => tick * intervalMs;
  const begin = { afterMs: 0, what: 'Flagger begins: the new pods start' };
  const body =
    strategy === 'weighted'
      ? weights.map((weight, index) => ({ afterMs: at(index + 1), what: `${weight} % of traffic` }))
      : [
          {
            afterMs: at(1),
            what: strategy === 'ab' ? 'matching requests get the release' : 'the checks begin',
          },
          { afterMs: at(iterations), what: `iteration ${iterations} of ${iterations}` },
        ];
  const extra = strategy === 'blue-green' ? 2 : 1;
  const promoted = (body.length === 0 ? 1 : strategy === 'weighted' ? weights.length : iterations) + extra;
  const shifting = stepWeightPromotion ? Math.ceil(100 / stepWeightPromotion) : 0;
  return [
    begin,
    ...folded(body),
    { afterMs: at(promoted), what: 'promotion: the primary takes the release over' },
    { afterMs: at(promoted + shifting + 2), what: 'all traffic on the primary; done' },
  ];
}

/** Of many steps the first and the last ones. */
function folded<T extends { readonly afterMs: number; readonly what: string }>(
  all: readonly T[],
): readonly { readonly afterMs: number; readonly what: string }[] {
  if (all.length <= 8) return all;
  const hidden = all.slice(5, -2);
  const middle = { afterMs: hidden[0]?.afterMs ?? 0, what: `… ${hidden.length} more steps` };
  return [...all.slice(0, 5), middle, ...all.slice(-2)];
}

function gates({ canaries }: PlanView): string {
  const rows = canaries.flatMap(({ target, analysis }) =>
    analysis.webhooks
      .filter(({ type }) => type.startsWith('confirm-') || type === 'rollback')
      .map(({ name, type, url }) => `| ${code(target)} | ${plain(name)} | ${type} | ${code(url)} |`),
  );
  if (rows.length === 0) return '';
  return `| Gates of | Name | Type | Asked at |\n|---|---|---|---|\n${rows.join('\n')}`;
}

const SIGNS = { good: '✅', warning: '⚠️', unchecked: '⚪' } as const;

function checks(plan: PlanView): string {
  return plan.checks
    .map(({ what, state, detail }) => `- ${SIGNS[state]} **${plain(what)}** ${plain(detail, 500)}`)
    .join('\n');
}

function builtObject({ object, diff }: PlanView['built'][number]): Section {
  if (diff === '') return `${code(object)} changes in the build; its content is not shown.`;
  const { head, lines, tail } = diffParts(diff);
  return {
    head: `<details><summary>In the build: ${htmlText(object)}</summary>\n\n${head}`,
    rows: lines,
    tail: `${tail}\n\n</details>`,
    more: count => `… ${count} more lines`,
  };
}
