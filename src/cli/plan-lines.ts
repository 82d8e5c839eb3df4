import type { BuildProof, BuiltChange } from '../plan/build.ts';
import type { MetricNow, ReleasePlan } from '../plan/plan.ts';
import { unifiedDiff } from '../report/unified-diff.ts';
import { metricCheck } from '../run/metric-check.ts';
import { elapsed } from '../report/durations.ts';
import type { FileChange } from '../rollout/ports.ts';

/** A plan for a terminal. */
export function planLines(plan: ReleasePlan, metrics: readonly MetricNow[] = []): readonly string[] {
  const files = plan.unchanged ? [] : plan.files;
  return [
    ...(plan.unchanged && plan.adoption.length === 0 ? ['A release would find nothing to change.'] : []),
    ...plan.found.map(
      ({ change, target, path, line, current, requested }) =>
        `${change} of ${target}: ${current} → ${requested} (${path}:${line})`,
    ),
    ...plan.schedule.map(({ target, analysis, shortestMs, longestMs }) => {
      const steps =
        analysis.strategy === 'weighted'
          ? `weights ${analysis.weights.join(', ')}`
          : `${analysis.iterations ?? 10} iterations`;
      return `${target}: ${analysis.strategy}, ${steps}; promoted after ${elapsed(shortestMs)} to ${elapsed(longestMs)}`;
    }),
    ...plan.schedule.flatMap(({ target, analysis }) =>
      analysis.webhooks
        .filter(({ type }) => type.startsWith('confirm-'))
        .map(({ name, type, url }) => `${target}: gate ${name} (${type}) at ${url}`),
    ),
    ...metrics
      .map(metricCheck)
      .map(({ what, state, detail }) => `${state === 'warning' ? 'warning: ' : ''}${what} ${detail}`),
    ...plan.warnings.map(({ message }) => `warning: ${message}`),
    ...plan.adoption.flatMap(file => diffLines(file, ' (first, in a commit of its own)')),
    ...files.flatMap(file => diffLines(file, '')),
    '',
    buildLine(plan.build),
    ...(plan.build.kind === 'proven' && !plan.unchanged ? plan.build.objects.flatMap(builtLines) : []),
  ];
}

export function buildLine(build: BuildProof): string {
  return build.kind === 'proven'
    ? `Built by ${build.by}, before and after: the values asked for are in it, and nothing else changes.`
    : `Not built (${build.why}); found by walking the kustomizations.`;
}

function builtLines({ object, before, after, secret }: BuiltChange): readonly string[] {
  if (secret) return ['', `--- ${object} (its content is not shown)`];
  return ['', `--- ${object}, as built`, ...unifiedDiff(before, after).split('\n')];
}

function diffLines(file: FileChange, words: string): readonly string[] {
  return ['', `--- ${file.path}${words}`, ...unifiedDiff(file.before?.text ?? '', file.text).split('\n')];
}
