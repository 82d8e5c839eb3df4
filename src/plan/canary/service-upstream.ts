import type { RolloutFile } from '../config/settings.ts';
import { Refusal } from '../rollout/verdict.ts';
import type { Edits } from '../edit/edits.ts';
import { isShared, type Site } from './locate.ts';
import { record, text } from './patch-reach.ts';

/** Has NGINX send to the Service and not to its pods, so that Linkerd's proxy splits and counts (Linkerd docs, "Ingress"). */
export const SERVICE_UPSTREAM = 'nginx.ingress.kubernetes.io/service-upstream';

/** The Ingress that a Canary's spec names, in what the same folder builds. */
export function ingressOf(
  spec: Readonly<Record<string, unknown>>,
  objects: readonly Site[],
): Site | undefined {
  const name = text(record(spec['ingressRef'])['name']);
  return objects.find(site => site.data['kind'] === 'Ingress' && site.name === name);
}

export function hasServiceUpstream(ingress: Site): boolean {
  return record(record(ingress.data['metadata'])['annotations'])[SERVICE_UPSTREAM] === 'true';
}

/**
 * Adds the annotation to the Ingress of a Canary, where rollout.yaml asks for it.
 * @throws Refusal when there is no such Ingress in the build, or when other environments share its file.
 */
export function addServiceUpstream(
  edits: Edits,
  on: {
    readonly spec: Readonly<Record<string, unknown>>;
    readonly objects: readonly Site[];
    readonly where: string;
    readonly write: RolloutFile['write'];
  },
): void {
  const ingress = ingressOf(on.spec, on.objects);
  if (!ingress) {
    const seen = on.objects.filter(site => site.data['kind'] === 'Ingress').map(({ name }) => name);
    throw new Refusal(
      'change-not-found',
      `${on.where} asks for ${SERVICE_UPSTREAM}, but the Ingress of the Canary is not in what the same folder builds; it has ${seen.join(', ') || 'none'}.`,
      { remedy: 'Name it under ingressRef, or add the annotation where the Ingress is.' },
    );
  }
  if (hasServiceUpstream(ingress)) return;
  if (isShared(ingress) && on.write !== 'base') {
    throw new Refusal(
      'shared-line',
      `${on.where}: Ingress ${ingress.name} is in ${ingress.file.path}, outside of the folder that Flux applies.`,
      { remedy: 'Say write: base in rollout.yaml to change it for every environment that builds upon it.' },
    );
  }
  edits.update(ingress.file, file =>
    file.set(ingress.document, ['metadata', 'annotations', SERVICE_UPSTREAM], 'true'),
  );
}
