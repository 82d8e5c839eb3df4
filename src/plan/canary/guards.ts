import { z } from 'zod';
import { record } from '../../build/json.ts';
import type { BuiltObject } from '../../build/tree-builder.ts';
import type { TargetRef } from '../../rollout/target.ts';

const refSchema = z.looseObject({ apiVersion: z.string().optional(), kind: z.string(), name: z.string() });

/** Whether a Canary's targetRef means a target. Flagger canary.go, IsKnativeService. */
export function refersTo(ref: unknown, target: Pick<TargetRef, 'kind' | 'name'>): boolean {
  const { apiVersion, kind, name } = refSchema.safeParse(ref).data ?? {};
  if (kind !== target.kind || name !== target.name) return false;
  return kind !== 'Service' || apiVersion?.startsWith('serving.knative.dev/') === true;
}

/** The Canary of a target, among what is built beside it. */
export function canaryIn(objects: readonly BuiltObject[], target: TargetRef): BuiltObject | undefined {
  return objects.find(
    ({ kind, data, namespace }) =>
      kind === 'Canary' &&
      (namespace === undefined || namespace === target.namespace) &&
      refersTo(record(data['spec'])['targetRef'], target),
  );
}
