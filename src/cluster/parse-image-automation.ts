import { z } from 'zod';
import type { AutomationHold } from '../rollout/automation-hold.ts';
import { metadataSchema } from '../flux/kube-shapes.ts';
import { folderOf } from '../config/folder-path.ts';

/** Marks of ours on an ImageUpdateAutomation: ids of rollouts, with blanks between them. */
export const HELD_ANNOTATION = 'gated-rollout/suspended-for';
export const KEPT_ANNOTATION = 'gated-rollout/kept-suspended-for';

const ref = z.looseObject({ branch: z.string().optional() });

const automationSchema = z.looseObject({
  metadata: metadataSchema,
  spec: z.looseObject({
    suspend: z.boolean().nullish(),
    sourceRef: z.looseObject({ kind: z.string(), name: z.string(), namespace: z.string().optional() }),
    update: z.looseObject({ path: z.string().default('') }).nullish(),
    git: z
      .looseObject({
        checkout: z.looseObject({ ref: ref.nullish() }).nullish(),
        push: z.looseObject({ branch: z.string().optional(), refspec: z.string().optional() }).nullish(),
      })
      .nullish(),
  }),
});

/** An ImageUpdateAutomation (image.toolkit.fluxcd.io, v1 and v1beta2 alike). */
export interface RawAutomation {
  readonly namespace: string;
  readonly name: string;
  readonly resourceVersion: string;
  readonly sourceRef: { readonly kind: string; readonly namespace: string; readonly name: string };
  /** Folder that it rewrites; '' is the whole repository. */
  readonly path: string;
  /** Where it pushes to; undefined: the branch of its source. */
  readonly branch: string | undefined;
  readonly hold: AutomationHold;
}

/** image-automation-controller internal/source: push.branch, else the branch that was checked out. */
export function parseImageAutomation(object: unknown): RawAutomation {
  const { metadata, spec } = automationSchema.parse(object);
  const { namespace, name, resourceVersion, annotations } = metadata;
  const { checkout, push } = spec.git ?? {};
  return {
    namespace,
    name,
    resourceVersion,
    sourceRef: { ...spec.sourceRef, namespace: spec.sourceRef.namespace ?? namespace },
    path: folderOf(spec.update?.path ?? ''),
    branch: push?.branch ?? checkout?.ref?.branch,
    hold: {
      suspended: spec.suspend ?? false,
      heldFor: idsIn(annotations?.[HELD_ANNOTATION]),
      keptFor: idsIn(annotations?.[KEPT_ANNOTATION]),
    },
  };
}

function idsIn(text: string | undefined): readonly string[] {
  return (text ?? '').split(/\s+/).filter(id => id !== '');
}
