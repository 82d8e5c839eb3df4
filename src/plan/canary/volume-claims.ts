import { items, record, text } from '../../build/json.ts';
import type { BuiltObject } from '../../build/tree-builder.ts';
import { targetKey } from '../../rollout/target.ts';
import { Refusal } from '../../rollout/verdict.ts';
import type { PlanWarning } from '../plan.ts';
import type { TargetSource } from '../sources/target-source.ts';

const SHARED = ['ReadWriteMany', 'ReadOnlyMany'];

/**
 * Flagger runs primary and canary side by side, from one pod template: both mount the same claims.
 * @throws Refusal for a Canary that would be added now to a target whose claim one node at a time may mount.
 */
export function refuseClaims(on: {
  readonly source: TargetSource;
  readonly objects: readonly BuiltObject[];
  readonly isAdopted: boolean;
}): readonly PlanWarning[] {
  const { source, objects, isAdopted } = on;
  const { target } = source;
  if (target.kind === 'Service') return [];
  const key = targetKey(target);
  const warnings: PlanWarning[] = claimsOf(source.template).flatMap(claim => {
    const built = objects.find(({ kind, name }) => kind === 'PersistentVolumeClaim' && name === claim);
    const modes = items(record(built?.data['spec'])['accessModes']).map(text);
    if (built && modes.length > 0 && modes.every(mode => SHARED.includes(mode))) return [];
    const what = built ? `claim ${claim} (${modes.join(', ') || 'no accessModes'})` : `claim ${claim}`;
    const message = `${key} mounts the ${what}, and Flagger runs ${target.name} and ${target.name}-primary side by side: both would write into the same volume, or one would hang in Multi-Attach.`;
    if (isAdopted && built) {
      throw new Refusal('bad-config', `No Canary can be added to ${key}: ${message}`, {
        remedy:
          'Keep the data outside of the workload, or in a volume that many pods may write (ReadWriteMany).',
      });
    }
    return [{ code: 'volume-claim', message }];
  });
  const strategy = record(record(source.object.data['spec'])['strategy'])['type'];
  if (source.isBuilt && strategy === 'Recreate') {
    warnings.push({
      code: 'recreate',
      message: `${key} has the strategy Recreate, which Flagger copies to ${target.name}-primary: each promotion stops all of its pods before new ones start.`,
    });
  }
  return warnings;
}

function claimsOf(template: unknown): readonly string[] {
  return items(record(record(template)['spec'])['volumes']).flatMap(volume => {
    const claim = text(record(record(volume)['persistentVolumeClaim'])['claimName']);
    return claim === '' ? [] : [claim];
  });
}
