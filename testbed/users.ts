import { z } from 'zod';
import type { KubeApi } from './kube-api.ts';

/** An RBAC rule, as in a Role. */
export interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

/** How the API server calls it. */
export function usernameOf({ name }: Pick<LimitedUser, 'name'>): string {
  return `system:serviceaccount:${USERS_NAMESPACE}:${name}`;
}

/** What a user may do, and where. */
export interface LimitedUser {
  readonly name: string;
  /** Rules by namespace; the key `*` is for the whole cluster. A namespace must exist. */
  readonly rules: Readonly<Record<string, readonly Rule[]>>;
}

export const USERS_NAMESPACE = 'testbed-users';
const tokenAnswer = z.object({ status: z.object({ token: z.string() }) });
const role = 'rbac.authorization.k8s.io';

/**
 * Makes a ServiceAccount with just these rights and gives a token of it, valid for a day. (The file of static tokens is
 * read only when kube-apiserver starts.)
 */
export async function addLimitedUser(api: KubeApi, user: LimitedUser): Promise<string> {
  await api.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: USERS_NAMESPACE } });
  const account = { kind: 'ServiceAccount', name: user.name, namespace: USERS_NAMESPACE };
  await api.apply({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: user.name, namespace: USERS_NAMESPACE },
  });
  for (const [namespace, rules] of Object.entries(user.rules)) {
    const prefix = namespace === '*' ? 'Cluster' : '';
    const metadata = { name: `testbed-${user.name}`, ...(namespace === '*' ? {} : { namespace }) };
    await api.apply({ apiVersion: `${role}/v1`, kind: `${prefix}Role`, metadata, rules });
    await api.apply({
      apiVersion: `${role}/v1`,
      kind: `${prefix}RoleBinding`,
      metadata,
      roleRef: { apiGroup: role, kind: `${prefix}Role`, name: metadata.name },
      subjects: [account],
    });
  }
  const answer = await api.send({
    method: 'POST',
    path: `/api/v1/namespaces/${USERS_NAMESPACE}/serviceaccounts/${user.name}/token`,
    body: {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { expirationSeconds: 86_400 },
    },
  });
  return tokenAnswer.parse(answer).status.token;
}
