import type { RolloutFile } from '../config/settings.ts';
import type { ObjectRef } from '../rollout/target.ts';

/** Objects beside the targets whose live values a release is proven by: those of `at` changes. */
export function objectsOf(rollout: RolloutFile): readonly ObjectRef[] {
  return rollout.changes.flatMap(change => (change.kind === 'field' ? [change.object] : []));
}
