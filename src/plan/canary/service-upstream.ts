import { record, text } from '../../build/json.ts';
import type { BuiltObject } from '../../build/tree-builder.ts';
import { Refusal } from '../../rollout/verdict.ts';
import type { Ground } from '../changes/wanted.ts';
import type { Written } from './written.ts';

/** Has NGINX send to the Service and not to its pods, so that Linkerd's proxy splits and counts (Linkerd docs, "Ingress"). */
export const SERVICE_UPSTREAM = 'nginx.ingress.kubernetes.io/service-upstream';

/** The Ingress that a Canary's spec names, in what is built beside it. */
export function ingressOf(
  spec: Readonly<Record<string, unknown>>,
  objects: readonly BuiltObject[],
): BuiltObject | undefined {
  const name = text(record(spec['ingressRef'])['name']);
  return objects.find(object => object.kind === 'Ingress' && object.name === name);
}

export function hasServiceUpstream({ object }: Written): boolean {
  return record(record(object.data['metadata'])['annotations'])[SERVICE_UPSTREAM] === 'true';
}

/**
 * Adds the annotation to the Ingress of a Canary, where rollout.yaml asks for it.
 * @throws Refusal when there is no such Ingress in the build, or when others build its file, too.
 */
export async function addServiceUpstream(
  ingress: Written | undefined,
  on: {
    readonly ground: Ground;
    /** Names of the Ingresses that there are. */
    readonly seen: readonly string[];
    readonly where: string;
  },
): Promise<void> {
  const { ground, where } = on;
  if (!ingress?.manifest) {
    throw new Refusal(
      'change-not-found',
      `${where} asks for ${SERVICE_UPSTREAM}, but the Ingress of the Canary is not in what the same folder builds; it has ${on.seen.join(', ') || 'none'}.`,
      { remedy: 'Name it under ingressRef, or add the annotation where the Ingress is.' },
    );
  }
  if (hasServiceUpstream(ingress)) return;
  const { file, document, root } = ingress.manifest;
  const others = await ground.sharers.of(file.path);
  if (others.length > 0 && ground.settings.write !== 'base') {
    throw new Refusal(
      'shared-line',
      `${where}: Ingress ${ingress.object.name} is in ${file.path}, which is also built by ${others.map(({ words }) => words).join(', ')}.`,
      { remedy: 'Say write: base in rollout.yaml to change it for all of them.' },
    );
  }
  ground.edits.update(file, at =>
    at.set(document, [...root, 'metadata', 'annotations', SERVICE_UPSTREAM], 'true'),
  );
}
