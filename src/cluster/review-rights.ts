import { z } from 'zod';
import { linesToAdd, type NeededRight } from '../rights/needed-rights.ts';
import { Refusal } from '../rollout/verdict.ts';
import type { ClusterConnection } from './kube-client.ts';
import { KubeError } from './kube-errors.ts';

const PATH = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
const reviewSchema = z.looseObject({ status: z.looseObject({ allowed: z.boolean() }) });

type Reviews = Pick<ClusterConnection, 'review'>;

/**
 * Those that the API server says we do not have. None where it does not answer such questions: then the calls
 * themselves tell, one by one.
 * @throws KubeUnreachable, PluginFailed; KubeError 401 and 5xx.
 */
export async function missingRights(
  kube: Reviews,
  rights: readonly NeededRight[],
): Promise<readonly NeededRight[]> {
  const asked = rights.flatMap(right => right.verbs.map(verb => ({ ...right, verbs: [verb] })));
  const allowed = await Promise.all(asked.map(right => isAllowed(kube, right)));
  return asked.filter((_, index) => allowed[index] === false);
}

async function isAllowed(kube: Reviews, { verbs, group, resource, names, namespace }: NeededRight) {
  const [name = '', subresource = ''] = resource.split('/');
  const resourceAttributes = {
    verb: verbs[0],
    group,
    resource: name,
    subresource,
    ...(names?.[0] === undefined ? {} : { name: names[0] }),
    ...(namespace === undefined ? {} : { namespace }),
  };
  try {
    const answer = await kube.review(PATH, {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes },
    });
    return reviewSchema.safeParse(answer).data?.status.allowed ?? true;
  } catch (error) {
    if (error instanceof KubeError && [403, 404, 405].includes(error.status)) return true;
    throw error;
  }
}

/** All that is missing, at once, as the lines to add. */
export function rightsRefusal(missing: readonly NeededRight[]): Refusal {
  const words = missing.map(({ verbs, resource, group, namespace }) => {
    const kind = group === '' ? resource : `${resource}.${group}`;
    return `${verbs.join(', ')} ${kind} in ${namespace ?? 'all namespaces'}`;
  });
  return new Refusal(
    'cluster-forbidden',
    `The credentials of the kubeconfig lack ${missing.length === 1 ? 'a right' : `${missing.length} rights`}: ${words.join('; ')}.`,
    {
      remedy: [
        'Add these lines (deploy/rbac.yaml has all rights; gated-rollout check --rights lists them):',
        ...linesToAdd(missing),
      ].join('\n'),
    },
  );
}
