import { ZodError } from 'zod';
import { ClusterForbidden, ClusterUnavailable } from '../rollout/ports.ts';
import { PluginFailed } from './login/exec-plugin.ts';
import { KubeError, KubeUnreachable } from './kube-client.ts';

/** What a failed call means for a rollout: a right that is missing, or a cluster that cannot be read just now. */
export function clusterError(error: unknown): unknown {
  if (error instanceof KubeUnreachable) return new ClusterUnavailable(error.message, { cause: error });
  // A proxy or a broken server in between; never a reason to leave a commit unwatched.
  if (error instanceof ZodError)
    return new ClusterUnavailable('the API server gave an answer of an unknown shape', { cause: error });
  if (error instanceof PluginFailed) {
    const { message, remedy } = error;
    return new ClusterUnavailable(message, { cause: error, reason: 'credential-plugin-failed', remedy });
  }
  if (!(error instanceof KubeError)) return error;
  if (error.status === 401) {
    return new ClusterUnavailable(
      `The API server answered, and did not accept the credentials of the kubeconfig (401: ${error.message}).`,
      { cause: error, reason: 'cluster-unauthorized', remedy: LOGIN_REMEDY },
    );
  }
  if (error.status === 403) return new ClusterForbidden(error.message, { cause: error });
  return new ClusterUnavailable(`${error.message} (status ${error.status})`, { cause: error });
}

/** What cloud providers document of the lives of their tokens; kubectl create token: an hour. */
const LOGIN_REMEDY =
  'Probably they have ended: tokens of EKS live 15 minutes, of GKE and AKS about an hour, of “kubectl create token” an hour. Make the kubeconfig in the same job, shortly before this step, and with an exec plugin, which renews them while an analysis goes on (aws eks update-kubeconfig, gke-gcloud-auth-plugin, kubelogin); or give the token of a ServiceAccount that lives long enough.';

/** Runs a call to the cluster. @throws ClusterForbidden, ClusterUnavailable. */
export async function asking<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw clusterError(error);
  }
}

/** For what is good to have: nothing when the right is missing. @throws ClusterUnavailable. */
export async function ifAllowed<T>(work: () => Promise<T>, otherwise: T): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof KubeError && (error.status === 403 || error.status === 404)) return otherwise;
    throw clusterError(error);
  }
}
