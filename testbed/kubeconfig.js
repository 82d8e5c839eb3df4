import { stringify } from 'yaml';
/** A kubeconfig with one cluster, one user and one context, all embedded. `ca` is PEM. */
export function kubeconfig(server) {
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'testbed',
        cluster: {
          server: server.url,
          'certificate-authority-data': Buffer.from(server.ca).toString('base64'),
        },
      },
    ],
    users: [{ name: server.user, user: { token: server.token } }],
    contexts: [{ name: 'testbed', context: { cluster: 'testbed', user: server.user } }],
    'current-context': 'testbed',
  });
}
