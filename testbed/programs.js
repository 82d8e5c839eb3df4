import { join } from 'node:path';
export function dataFiles(data) {
  return {
    etcd: join(data, 'etcd'),
    certificates: join(data, 'certificates'),
    serviceAccountKey: join(data, 'service-account.key'),
    tokens: join(data, 'tokens.csv'),
    kubeconfig: join(data, 'kubeconfig'),
    artifacts: join(data, 'artifacts'),
    prometheus: join(data, 'prometheus'),
    prometheusConfig: join(data, 'prometheus.yaml'),
    kwokStages: ['node-initialize', 'pod-complete', 'pod-delete', 'pod-ready'].map(stage =>
      join(data, 'kwok', `${stage}.yaml`),
    ),
  };
}
const loopback = '127.0.0.1';
const url = port => `http://${loopback}:${port}`;
/** etcd without fsync: its data does not outlive the run. */
export function etcd({ build, ports, files }) {
  return {
    name: 'etcd',
    command: join(build.binaries, 'etcd'),
    args: [
      `--data-dir=${files.etcd}`,
      `--listen-client-urls=${url(ports.etcd)}`,
      `--advertise-client-urls=${url(ports.etcd)}`,
      `--listen-peer-urls=${url(ports.etcdPeer)}`,
      `--initial-advertise-peer-urls=${url(ports.etcdPeer)}`,
      `--initial-cluster=default=${url(ports.etcdPeer)}`,
      '--unsafe-no-fsync',
      '--log-level=warn',
    ],
  };
}
export function kubeApiServer({ build, ports, files }) {
  return {
    name: 'kube-apiserver',
    command: join(build.binaries, 'kube-apiserver'),
    args: [
      `--etcd-servers=${url(ports.etcd)}`,
      `--bind-address=${loopback}`,
      `--secure-port=${ports.apiServer}`,
      `--cert-dir=${files.certificates}`,
      `--token-auth-file=${files.tokens}`,
      '--authorization-mode=RBAC',
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-signing-key-file=${files.serviceAccountKey}`,
      `--service-account-key-file=${files.serviceAccountKey}`,
      '--service-cluster-ip-range=10.0.0.0/20',
      // An endpoint of the service "kubernetes" may not be a loopback address.
      '--endpoint-reconciler-type=none',
      // TaintNodesByCondition would leave its not-ready taint on the fake node: the controller that lifts it is off.
      '--disable-admission-plugins=ServiceAccount,TaintNodesByCondition',
    ],
  };
}
export function kubeControllerManager({ build, files }) {
  const off = ['node-ipam-controller', 'node-lifecycle-controller', 'taint-eviction-controller'];
  return {
    name: 'kube-controller-manager',
    command: join(build.binaries, 'kube-controller-manager'),
    args: [
      `--kubeconfig=${files.kubeconfig}`,
      '--leader-elect=false',
      '--secure-port=0',
      `--service-account-private-key-file=${files.serviceAccountKey}`,
      `--controllers=*,${off.map(name => `-${name}`).join(',')}`,
      // Many scenarios run side by side; the default of 20 a second makes them wait for each other.
      '--kube-api-qps=200',
      '--kube-api-burst=300',
    ],
  };
}
export function kubeScheduler({ build, files }) {
  return {
    name: 'kube-scheduler',
    command: join(build.binaries, 'kube-scheduler'),
    args: [`--kubeconfig=${files.kubeconfig}`, '--leader-elect=false', '--secure-port=0'],
  };
}
/** kwok writes the status of nodes and pods in the kubelet's place. */
export function kwok({ build, files }) {
  return {
    name: 'kwok',
    command: join(build.binaries, 'kwok'),
    args: [
      `--kubeconfig=${files.kubeconfig}`,
      '--manage-all-nodes',
      `--node-ip=${loopback}`,
      ...files.kwokStages.map(stage => `--config=${stage}`),
    ],
  };
}
export function sourceController({ build, ports, files }) {
  return {
    name: 'source-controller',
    command: join(build.binaries, 'source-controller'),
    args: [
      `--storage-path=${files.artifacts}`,
      `--storage-addr=${loopback}:${ports.artifacts}`,
      `--storage-adv-addr=${loopback}:${ports.artifacts}`,
      '--concurrent=8',
      ...fluxArgs(ports.sourceHealth),
    ],
    env: fluxEnv(files),
  };
}
export function kustomizeController({ build, ports, files }) {
  return {
    name: 'kustomize-controller',
    command: join(build.binaries, 'kustomize-controller'),
    args: ['--concurrent=8', ...fluxArgs(ports.kustomizeHealth)],
    env: fluxEnv(files),
  };
}
export function helmController({ build, ports, files }) {
  return {
    name: 'helm-controller',
    command: join(build.binaries, 'helm-controller'),
    args: fluxArgs(ports.helmHealth),
    env: fluxEnv(files),
  };
}
/** `0` turns controller-runtime's metrics endpoint off. */
function fluxArgs(health) {
  return ['--metrics-addr=0', `--health-addr=${loopback}:${health}`, '--log-level=info'];
}
function fluxEnv(files) {
  return { KUBECONFIG: files.kubeconfig, RUNTIME_NAMESPACE: 'flux-system' };
}
/** Flagger takes a port only, so it listens on all interfaces (Flagger pkg/server/server.go), as does its load tester. */
export function flagger(options) {
  return {
    name: 'flagger',
    command: join(options.build.binaries, 'flagger'),
    args: [
      `-kubeconfig=${options.files.kubeconfig}`,
      `-metrics-server=${options.metricsServer}`,
      `-mesh-provider=${options.meshProvider}`,
      '-control-loop-interval=1s',
      // The default of 2 is too few when many canaries tick in the same second.
      '-threadiness=8',
      `-port=${options.ports.flagger}`,
      '-log-level=info',
    ],
  };
}
export function loadtester({ build, ports }) {
  return {
    name: 'loadtester',
    command: join(build.binaries, 'loadtester'),
    args: [`-port=${ports.loadtester}`, '-log-level=info'],
  };
}
export function prometheus({ ports, files }) {
  return {
    name: 'prometheus',
    command: 'prometheus',
    args: [
      `--config.file=${files.prometheusConfig}`,
      `--storage.tsdb.path=${files.prometheus}`,
      `--web.listen-address=${loopback}:${ports.prometheus}`,
      '--log.level=warn',
    ],
  };
}
