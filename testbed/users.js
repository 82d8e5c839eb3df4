import { z } from 'zod';
const usersNamespace = 'testbed-users';
const tokenAnswer = z.object({ status: z.object({ token: z.string() }) });
const role = 'rbac.authorization.k8s.io';
/**
 * Makes a ServiceAccount with just these rights and gives a token of it, valid for a day. (The file of static tokens is
 * read only when kube-apiserver starts.)
 */
export async function addLimitedUser(api, user) {
  await api.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: usersNamespace } });
  const account = { kind: 'ServiceAccount', name: user.name, namespace: usersNamespace };
  await api.apply({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: user.name, namespace: usersNamespace },
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
    path: `/api/v1/namespaces/${usersNamespace}/serviceaccounts/${user.name}/token`,
    body: {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { expirationSeconds: 86_400 },
    },
  });
  return tokenAnswer.parse(answer).status.token;
}
