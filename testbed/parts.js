/** What the testbed is made of: Go modules (pinned in testbed/go) and the manifests that they carry. */
const kubernetesVersion = { gitVersion: 'v1.36.3', gitMajor: '1', gitMinor: '36' };
const fromCmd = (goModule, ...names) => names.map(name => ({ name, goPackage: `${goModule}/cmd/${name}` }));
const fluxController = name => ({
  module: name,
  binaries: [{ name, goPackage: `github.com/fluxcd/${name}` }],
  ldflags: [],
});
/** In build order. */
export const parts = [
  {
    module: 'kubernetes',
    binaries: fromCmd('k8s.io/kubernetes', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'),
    // Flagger's verifyKubernetesVersion exits on a server that tells no version.
    ldflags: Object.entries(kubernetesVersion).map(
      ([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`,
    ),
  },
  { module: 'etcd', binaries: [{ name: 'etcd', goPackage: 'go.etcd.io/etcd/server/v3' }], ldflags: [] },
  { module: 'kwok', binaries: fromCmd('sigs.k8s.io/kwok', 'kwok'), ldflags: [] },
  { module: 'flagger', binaries: fromCmd('github.com/fluxcd/flagger', 'flagger', 'loadtester'), ldflags: [] },
  fluxController('source-controller'),
  fluxController('kustomize-controller'),
  fluxController('helm-controller'),
];
const fluxCrds = name => ({
  from: name,
  goModule: `github.com/fluxcd/${name}`,
  path: 'config/crd/bases',
  to: `crds/${name}`,
});
const gatewayCrd = plural => ({
  from: 'manifests',
  goModule: 'sigs.k8s.io/gateway-api',
  path: `config/crd/standard/gateway.networking.k8s.io_${plural}.yaml`,
  to: `crds/gateway-api/${plural}.yaml`,
});
const kwokStage = path => ({
  from: 'kwok',
  goModule: 'sigs.k8s.io/kwok',
  path: `kustomize/stage/${path}.yaml`,
  to: `kwok/${path.replaceAll('/', '-')}.yaml`,
});
/** What is applied to the cluster (`crds/`) or given to kwok (`kwok/`). */
export const moduleFiles = [
  {
    from: 'flagger',
    goModule: 'github.com/fluxcd/flagger',
    path: 'artifacts/flagger/crd.yaml',
    to: 'crds/flagger/crd.yaml',
  },
  fluxCrds('source-controller'),
  fluxCrds('kustomize-controller'),
  fluxCrds('helm-controller'),
  gatewayCrd('gateways'),
  gatewayCrd('httproutes'),
  kwokStage('pod/fast/pod-ready'),
  kwokStage('pod/fast/pod-complete'),
  kwokStage('pod/fast/pod-delete'),
  kwokStage('node/fast/node-initialize'),
];
