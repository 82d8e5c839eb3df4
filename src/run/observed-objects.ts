import type { RolloutFile } from '../config/settings.ts';
import type { ObservedObject } from '../rollout/target.ts';

/**
 * Objects beside the targets whose live values a release is proven by: those of `at` changes. What a generator makes
 * has a hash in its name that changes with its content, so it is found through what refers to it.
 */
export function objectsOf(rollout: RolloutFile): readonly ObservedObject[] {
  const generated = rollout.changes.some(({ kind }) => kind === 'input');
  return [
    ...rollout.changes.flatMap(change => (change.kind === 'field' ? [change.object] : [])),
    ...(generated ? [{ kind: 'ConfigMap', referenced: true } as const] : []),
  ];
}
