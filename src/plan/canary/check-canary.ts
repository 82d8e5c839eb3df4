import type { CanarySettings } from '../../config/settings.ts';
import { CRD_VERSION, checkSpec, type FlaggerKind, type SpecProblem } from '../../flagger/crd-check.ts';
import { checkProvider } from '../../flagger/provider-rules.ts';
import type { TargetKey } from '../../rollout/target.ts';
import { Refusal } from '../../rollout/verdict.ts';
import { record } from '../../build/json.ts';

type Fields = Readonly<Record<string, unknown>>;

/**
 * What rollout.yaml makes of a Canary, checked before it is committed: against Flagger's published definitions, and
 * against what the provider's router does.
 * @throws Refusal `bad-config` with every problem and the nearest thing that works.
 */
export function checkCanary(
  target: TargetKey,
  on: {
    readonly spec: Fields;
    /** As it is now, {} for a new one: what is wrong with it already is nobody's mistake today. */
    readonly before: Fields;
    /** MetricTemplates and AlertProviders that go with it. */
    readonly objects: readonly Fields[];
    readonly settings: CanarySettings;
  },
): void {
  const known = new Set(canaryProblems(on.before).map(({ message }) => message));
  const problems = [
    ...canaryProblems(on.spec)
      .filter(({ message }) => !known.has(message))
      .map(problem => ({ of: `Canary of ${target}`, problem })),
    ...on.objects.flatMap(object => {
      const kind = kindOf(object);
      const name = String(record(object['metadata'])['name']);
      return checkSpec(kind, object['spec']).map(problem => ({ of: `${kind} ${name}`, problem }));
    }),
  ];
  if (problems.length === 0) return;
  const { file, line } = on.settings.position;
  const words = problems.map(({ of, problem }) => `${of}: ${wordsOf(problem)}`);
  throw new Refusal('bad-config', `${file}:${line}: ${words.join(' ')}`, {
    remedy: `Correct canary.${target} in ${file}; the definitions are those of Flagger ${CRD_VERSION}.`,
  });
}

function canaryProblems(spec: Fields): readonly SpecProblem[] {
  return [...checkSpec('Canary', spec), ...checkProvider(spec)];
}

function wordsOf({ field, found, allowed, message }: SpecProblem): string {
  return `${message} (${field}: found ${found}; allowed: ${allowed})`;
}

function kindOf(object: Fields): FlaggerKind {
  return object['kind'] === 'AlertProvider' ? 'AlertProvider' : 'MetricTemplate';
}
