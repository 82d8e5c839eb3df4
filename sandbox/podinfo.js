/** The GitOps repository of the demo and of the acceptance tests: podinfo behind NGINX, guarded by Flagger. */
export const NAMESPACE = 'prod';
export const IMAGE = 'ghcr.io/stefanprodan/podinfo';
export function deployment(options = {}) {
  const { name = 'podinfo', tag = '6.14.0' } = options;
  return `# ${name}, as its team wrote it: comments and quotes stay as they are.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
  namespace: ${NAMESPACE}
spec:
  selector:
    matchLabels: {app: ${name}}
  template:
    metadata:
      labels: {app: ${name}}
    spec:
      containers:
      - name: podinfod
        image: "${IMAGE}:${tag}" # the version
        ports:
        - {name: http, containerPort: 9898}
        env:
        - name: ERROR_FRACTION
          value: '0'
`;
}
/** Weights 25 and 50, one tick every 10 s, two failed checks allowed. */
export const WEIGHTED = `    stepWeight: 25
    maxWeight: 50
`;
/** Users with the header \`x-canary: insider\` see the release first. */
export const HEADER = `    iterations: 3
    match:
    - headers:
        x-canary: {exact: insider}
`;
export function canary(options = {}) {
  const { name = 'podinfo', analysis = WEIGHTED, spec = '' } = options;
  return `apiVersion: flagger.app/v1beta1
kind: Canary
metadata:
  name: ${name}
  namespace: ${NAMESPACE}
spec:
  provider: nginx
  targetRef: {apiVersion: apps/v1, kind: Deployment, name: ${name}}
  ingressRef: {apiVersion: networking.k8s.io/v1, kind: Ingress, name: ${name}}
${spec}  service:
    port: 9898
  analysis:
    interval: 10s
    threshold: 2
${analysis}    metrics:
    # what must hold for the release to go on
    - name: success
      templateRef: {name: success}
      thresholdRange: {min: 99}
      interval: 10s
`;
}
export const KUSTOMIZATION = `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
- deployment.yaml
- canary.yaml
`;
export function fluxObjects(options) {
  return `apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: fleet, namespace: flux-system}
spec:
  url: ${options.url}
  ref: {branch: main}
  interval: 1m
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: flux-system}
spec:
  sourceRef: {kind: GitRepository, name: fleet}
  path: ./${options.path ?? 'apps'}
  interval: 1m
  prune: true
${options.extra ?? ''}`;
}
