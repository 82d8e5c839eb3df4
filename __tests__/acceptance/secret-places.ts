import { stringify } from 'yaml';
import { canary, deployment, NAMESPACE } from '../../sandbox/podinfo.ts';

/** A value that can be recognised, of one place. */
export const secretOf = (place: string): string => `hunter2-${place}-9f8a7c`;

const base64 = (text: string): string => Buffer.from(text).toString('base64');

const PLACES = [
  'env-value',
  'env-neighbour',
  'env-comment',
  'file',
  'literal',
  'literal-neighbour',
  'literal-comment',
  'inline-patch',
  'document-before',
  'document-data',
  'document-comment',
  'document-after',
  'object',
  'object-neighbour',
  'sops',
  'sops-neighbour',
  'set-env',
  'set-object',
  'set-literal',
  'set-sops',
  'cluster',
  'event-url',
  'event-query',
  'webhook-answer',
  'condition',
] as const;

/** What must be found nowhere: each value as it is, and as a Secret's data holds it. */
export const NEVER_SAID: readonly string[] = PLACES.map(secretOf).flatMap(each => [each, base64(each)]);

const DATA = (place: string): string => base64(secretOf(place));

/** podinfo, with a recognisable value wherever the tree may hold a secret. */
export const FILES = {
  'apps/deployment.yaml': `apiVersion: v1
kind: Secret
metadata: {name: before, namespace: ${NAMESPACE}}
stringData:
  password: ${secretOf('document-before')}
# was ${secretOf('document-comment')}
---
${deployment().replace(
  '        ports:\n',
  '        envFrom: [{secretRef: {name: generated}}, {secretRef: {name: written}}, {secretRef: {name: creds}}]\n        ports:\n',
)}---
# not ${secretOf('document-comment')} any more
apiVersion: v1
kind: Secret
metadata: {name: after, namespace: ${NAMESPACE}}
data:
  password: ${DATA('document-data')}
stringData: {other: ${secretOf('document-after')}}
`,
  'apps/creds.yaml': `apiVersion: v1
kind: Secret
metadata:
  name: creds
  namespace: ${NAMESPACE}
stringData:
  user: ${secretOf('object-neighbour')}
  password: ${secretOf('object')}
`,
  'apps/db.sops.yaml': `apiVersion: v1
kind: Secret
metadata: {name: db, namespace: ${NAMESPACE}}
stringData:
  password: ${secretOf('sops')}
  other: ${secretOf('sops-neighbour')}
`,
  'apps/secrets.env': `# ${secretOf('env-comment')}
DB=${secretOf('env-neighbour')}
FEATURE=${secretOf('env-value')}
`,
  'apps/token.txt': `${secretOf('file')}\n`,
  'apps/kustomization.yaml': `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [deployment.yaml, canary.yaml, creds.yaml, db.sops.yaml]
secretGenerator:
- name: generated
  namespace: ${NAMESPACE}
  envs: [secrets.env]
  files: [token.txt]
- name: written
  namespace: ${NAMESPACE}
  literals:
  - OTHER=${secretOf('literal-neighbour')}
  # not ${secretOf('literal-comment')}
  - KEY=${secretOf('literal')}
patches:
- patch: |-
    apiVersion: v1
    kind: Secret
    metadata: {name: creds, namespace: ${NAMESPACE}}
    stringData: {patched: ${secretOf('inline-patch')}}
`,
  'apps/canary.yaml': canary(),
} as const;

export const ROLLOUT = `gitops: {repository: acme/fleet}
target: [${NAMESPACE}/podinfo]
change:
- {image: ghcr.io/stefanprodan/podinfo}
- {env: ERROR_FRACTION}
- {at: {file: apps/secrets.env, path: FEATURE}, name: of-env}
- {at: {file: apps/creds.yaml, object: Secret/creds, path: stringData.password}, name: of-object}
- {at: {file: apps/kustomization.yaml, path: secretGenerator.written.KEY}, name: of-literal}
- {at: {file: apps/db.sops.yaml, object: Secret/db, path: stringData.password}, name: of-sops}
`;

/** As the input set. The image and the variable are there so that what stands beside Secrets changes, too. */
export function setOf(tag: string): string {
  return [
    `image=${tag}`,
    `ERROR_FRACTION=0.${tag.replaceAll('.', '')}`,
    `of-env=${secretOf('set-env')}`,
    `of-object=${secretOf('set-object')}`,
    `of-literal=${secretOf('set-literal')}`,
    `of-sops=${secretOf('set-sops')}`,
  ].join('\n');
}

/** A Secret of the cluster alone, as kubectl left it. */
export const CLUSTER_SECRET = stringify({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: {
    name: 'alerts',
    namespace: NAMESPACE,
    annotations: {
      'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify({
        data: { address: DATA('cluster') },
      }),
    },
  },
  data: { address: DATA('cluster') },
});

/** What quotes an address with all that is in it. */
export const HOSTILE_WORDS = `checked http://user:${secretOf('event-url')}@prom:9090/x?token=${secretOf('event-query')}`;
