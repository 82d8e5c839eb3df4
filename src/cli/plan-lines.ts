import type { BuildProof, BuiltChange } from '../plan/plan.ts';
import type { MetricNow, ReleasePlan } from '../plan/plan.ts';
import { metricCheck } from '../run/metric-check.ts';
import { elapsed } from '../report/durations.ts';
import type { FileChange } from '../rollout/ports.ts';
import type { KeptSecrets } from '../run/parts.ts';

/** A plan for a terminal. */
export function planLines(
  plan: ReleasePlan,
  { secrets, metrics }: { readonly secrets: KeptSecrets; readonly metrics: readonly MetricNow[] },
): readonly string[] {
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
    ...plan.adoption.flatMap(file => diffLines(file, ' (first, in a commit of its own)', secrets)),
    ...files.flatMap(file => diffLines(file, '', secrets)),
    '',
    buildLine(plan.build),
    ...(plan.unchanged ? [] : plan.build.objects.flatMap(object => builtLines(object, secrets))),
  ];
}

export function buildLine(build: BuildProof): string {
  const values = build.compared > 0 ? 'the values asked for are in it, and ' : '';
  return `Built by ${build.by}, before and after: ${values}nothing else changes.`;
}

function builtLines({ object, before, after }: BuiltChange, secrets: KeptSecrets): readonly string[] {
  const diff = secrets.diffOf({ path: 'build.yaml', before, after });
  if (diff === '') return ['', `--- ${object} (its content is not shown)`];
  return ['', `--- ${object}, as built`, ...diff.split('\n')];
}

function diffLines(
  { path, before, text }: FileChange,
  words: string,
  secrets: KeptSecrets,
): readonly string[] {
  const diff = secrets.diffOf({ path, before: before?.text ?? '', after: text });
  if (diff === '') return ['', `--- ${path}${words} (its content is not shown)`];
  return ['', `--- ${path}${words}`, ...diff.split('\n')];
}
