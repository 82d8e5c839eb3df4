/** What the testbed is made of: Go modules (pinned in testbed/go) and the manifests that they carry. */

/** A binary: the Go package that it is built from and the name that it gets. */
export interface Binary {
  readonly name: string;
  readonly goPackage: string;
}

/** One Go module of testbed/go and the binaries built from it. */
export interface Part {
  /** Folder under testbed/go. */
  readonly module: string;
  readonly binaries: readonly Binary[];
  /** Linker flags on top of `-s -w`. */
  readonly ldflags: readonly string[];
}

/** A file or folder inside a Go module that is copied next to the binaries. */
export interface ModuleFile {
  /** Folder under testbed/go whose go.mod pins the module. */
  readonly from: string;
  readonly goModule: string;
  /** Path inside the module; a folder is copied as a whole. */
  readonly path: string;
  /** Path under the build's manifests folder. */
  readonly to: string;
}

const kubernetesVersion = { gitVersion: 'v1.36.3', gitMajor: '1', gitMinor: '36' };

const fromCmd = (goModule: string, ...names: readonly string[]): readonly Binary[] =>
  names.map(name => ({ name, goPackage: `${goModule}/cmd/${name}` }));

const fluxController = (name: string): Part => ({
  module: name,
  binaries: [{ name, goPackage: `github.com/fluxcd/${name}` }],
  ldflags: [],
});

/** In build order. */
export const parts: readonly Part[] = [
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
  {
    module: 'registry',
    binaries: fromCmd('github.com/distribution/distribution/v3', 'registry'),
    ldflags: [],
  },
];

const fluxCrds = (name: string): ModuleFile => ({
  from: name,
  goModule: `github.com/fluxcd/${name}`,
  path: 'config/crd/bases',
  to: `crds/${name}`,
});

const gatewayCrd = (plural: string): ModuleFile => ({
  from: 'manifests',
  goModule: 'sigs.k8s.io/gateway-api',
  path: `config/crd/standard/gateway.networking.k8s.io_${plural}.yaml`,
  to: `crds/gateway-api/${plural}.yaml`,
});

/** Flagger's own client of Knative pins the version. */
const knativeCrd = (name: string): ModuleFile => ({
  from: 'flagger',
  goModule: 'knative.dev/serving',
  path: `config/core/300-resources/${name}.yaml`,
  to: `crds/knative/${name}.yaml`,
});

const kwokStage = (path: string): ModuleFile => ({
  from: 'kwok',
  goModule: 'sigs.k8s.io/kwok',
  path: `kustomize/stage/${path}.yaml`,
  to: `kwok/${path.replaceAll('/', '-')}.yaml`,
});

/** What is applied to the cluster (`crds/`) or given to kwok (`kwok/`). */
export const moduleFiles: readonly ModuleFile[] = [
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
  knativeCrd('service'),
  knativeCrd('revision'),
  kwokStage('pod/fast/pod-ready'),
  kwokStage('pod/fast/pod-complete'),
  kwokStage('pod/fast/pod-delete'),
  kwokStage('node/fast/node-initialize'),
];
