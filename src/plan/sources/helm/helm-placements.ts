import { kindOfKey, ROLLOUT_ID_ANNOTATION, type TargetKey } from '../../../rollout/target.ts';
import { record } from '../../../build/json.ts';
import type { IdPlacement } from '../../plan.ts';
import type { YamlPath } from '../../../edit/yaml-text.ts';
import { idPatchesIn } from './id-patch.ts';

interface Looking {
  readonly id: string;
  readonly targets: readonly TargetKey[];
  readonly path: string;
  readonly document: number;
  /** Of the object in the document. */
  readonly root: YamlPath;
}

/** Where a rollout's id stands in a document of a HelmRelease, or in a patch of one. */
export function helmPlacements(data: unknown, on: Looking): readonly IdPlacement[] {
  const { id, path, document, root } = on;
  const patches = idPatchesIn(data, root).filter(each => each.id === id);
  if (patches.length > 0) {
    return patches.flatMap(({ workload, path: block }) => {
      // From the text up to its list: N, kustomize, patches, M, patch.
      const list = Array.isArray(data) ? [] : block.slice(0, -5);
      const target = on.targets.filter(key => isOf(key, workload));
      return target.map(key => ({
        kind: 'in-post-renderers' as const,
        target: key,
        path,
        document,
        list,
        workload,
      }));
    });
  }
  const object = record(data);
  if (object['kind'] !== 'HelmRelease') return [];
  // Values do not say which workload they are for; then they count for each target.
  return valuePaths(record(record(object['spec'])['values']), id, [...root, 'spec', 'values']).flatMap(
    annotations =>
      on.targets.map(target => ({ kind: 'annotations' as const, target, path, document, annotations })),
  );
}

function isOf(target: TargetKey, { kind, name }: { readonly kind: string; readonly name: string }): boolean {
  return kindOfKey(target) === kind && target.endsWith(`/${name}`);
}

function valuePaths(
  values: Readonly<Record<string, unknown>>,
  id: string,
  path: YamlPath,
): readonly YamlPath[] {
  if (values[ROLLOUT_ID_ANNOTATION] === id) return [path];
  return Object.entries(values).flatMap(([key, value]) => valuePaths(record(value), id, [...path, key]));
}
