import { ClusterUnavailable } from '../rollout/ports.ts';
import { Refusal } from '../rollout/verdict.ts';
import type { RenderedObject } from '../plan/plan.ts';
import { KubeError, type KubeClient } from './kube-client.ts';
import { objectPath } from './resources.ts';
import { clusterError } from './cluster-errors.ts';

/** What the API server said of objects that are going to be committed. */
export type DryRun =
  | { readonly kind: 'accepted'; readonly objects: number }
  | { readonly kind: 'unchecked'; readonly why: string };

/**
 * Who applies it for good (kustomize-controller's field manager). Under another name, fields that Flux owns and that are
 * gone from the manifest would stay in what the server checks (seen: a strategy too many).
 */
const FLUX = 'kustomize-controller';

/**
 * Asks the API server to apply objects as Flux would, without keeping them. Only its own word refuses; without the right
 * to ask, nothing is said.
 * @throws Refusal `bad-config` in the server's words; ClusterUnavailable.
 */
export async function dryRun(kube: KubeClient, objects: readonly RenderedObject[]): Promise<DryRun> {
  for (const object of objects) {
    const { kind, metadata } = object;
    const path = objectPath({ kind, ...metadata });
    try {
      await kube.applyPatch(
        `${path}?dryRun=All&force=true&fieldManager=${FLUX}&fieldValidation=Strict`,
        object,
      );
    } catch (error) {
      if (error instanceof KubeError && error.status === 403) {
        return { kind: 'unchecked', why: `the credentials may not patch ${kind.toLowerCase()} objects` };
      }
      if (error instanceof KubeError && [400, 404, 422].includes(error.status)) {
        throw new Refusal(
          'bad-config',
          `The API server would not take ${kind} ${metadata.namespace}/${metadata.name}: ${error.message}`,
          {
            remedy: 'Correct what rollout.yaml says of the Canary. Nothing was written.',
          },
        );
      }
      const known = clusterError(error);
      if (known instanceof ClusterUnavailable) throw known;
      throw error;
    }
  }
  return { kind: 'accepted', objects: objects.length };
}
