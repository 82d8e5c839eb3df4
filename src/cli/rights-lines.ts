import type { Rights } from '../cluster/run-cluster.ts';
import { byNamespace, linesToAdd, type NeededRight } from '../rights/needed-rights.ts';
import { Refusal } from '../rollout/verdict.ts';

/**
 * Every right that a rollout has use for, and whether the credentials have it.
 * @throws Refusal `cluster-forbidden` with the same lines when a right is missing that no such rollout goes without.
 */
export function rightsLines({ needed, missing }: Rights): readonly string[] {
  const lacks = (right: NeededRight): boolean =>
    missing.some(
      each =>
        each.namespace === right.namespace &&
        each.group === right.group &&
        each.resource === right.resource &&
        each.names === right.names &&
        each.verbs.every(verb => right.verbs.includes(verb)),
    );
  const lines = [...byNamespace(needed)].flatMap(([namespace, rights]) => [
    namespace === undefined ? 'in all namespaces' : `in ${namespace}`,
    ...rights.map(right => line(right, lacks(right))),
  ]);
  const hard = missing.filter(({ without }) => without === undefined);
  const soft = missing.filter(({ without }) => without !== undefined);
  const optional =
    soft.length === 0
      ? []
      : ['', 'What is optional and missing, as lines to add:', ...indented(linesToAdd(soft))];
  if (hard.length === 0) return [...lines, ...optional, '', 'Nothing is missing that is needed.'];
  throw new Refusal('cluster-forbidden', ['a right is missing.', ...lines, ...optional].join('\n'), {
    remedy: ['add these lines.', ...indented(linesToAdd(hard))].join('\n'),
  });
}

function line(right: NeededRight, lacking: boolean): string {
  const { verbs, group, resource, names, purpose, without } = right;
  const what = `${verbs.join(', ')} ${group === '' ? resource : `${resource}.${group}`}${names === undefined ? '' : ` (${names.join(', ')})`}`;
  const mark = lacking ? '✗' : '✓';
  const loss = without === undefined ? 'needed' : `optional; without it ${without}`;
  return lacking ? `  ${mark} ${what}: ${purpose} (${loss})` : `  ${mark} ${what}: ${purpose}`;
}

function indented(lines: readonly string[]): readonly string[] {
  return lines.map(each => `  ${each}`);
}
