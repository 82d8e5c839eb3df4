import { join } from 'node:path';
import type { TestbedBuild } from './build.ts';
import type { Command } from './process-group.ts';

/** Ports on 127.0.0.1, by what listens there. */
export interface Ports {
  readonly etcd: number;
  readonly etcdPeer: number;
  readonly apiServer: number;
  readonly flagger: number;
  readonly loadtester: number;
  readonly prometheus: number;
  readonly artifacts: number;
  /** Health endpoints of the Flux controllers. */
  readonly sourceHealth: number;
  readonly kustomizeHealth: number;
  readonly helmHealth: number;
  readonly registry: number;
}

/** Files and folders under the data folder. */
export interface DataFiles {
  readonly etcd: string;
  /** kube-apiserver writes its own certificate here, `apiserver.crt`. */
  readonly certificates: string;
  readonly serviceAccountKey: string;
  readonly tokens: string;
  readonly auditPolicy: string;
  /** kube-apiserver notes here what limited users ask. */
  readonly audit: string;
  readonly kubeconfig: string;
  readonly artifacts: string;
  readonly prometheus: string;
  readonly prometheusConfig: string;
  readonly registry: string;
  readonly registryConfig: string;
  readonly kwokStages: readonly string[];
}

export function dataFiles(data: string): DataFiles {
  return {
    etcd: join(data, 'etcd'),
    certificates: join(data, 'certificates'),
    serviceAccountKey: join(data, 'service-account.key'),
    tokens: join(data, 'tokens.csv'),
    auditPolicy: join(data, 'audit-policy.yaml'),
    audit: join(data, 'audit.log'),
    kubeconfig: join(data, 'kubeconfig'),
    artifacts: join(data, 'artifacts'),
    prometheus: join(data, 'prometheus'),
    prometheusConfig: join(data, 'prometheus.yaml'),
    registry: join(data, 'registry'),
    registryConfig: join(data, 'registry.yaml'),
    kwokStages: ['node-initialize', 'pod-complete', 'pod-delete', 'pod-ready'].map(stage =>
      join(data, 'kwok', `${stage}.yaml`),
    ),
  };
}

export interface ProgramOptions {
  readonly build: TestbedBuild;
  readonly ports: Ports;
  readonly files: DataFiles;
  /** Where Flagger asks for metrics. */
  readonly metricsServer: string;
  /** Flagger's default provider; a Canary's spec.provider overrides it. */
  readonly meshProvider: string;
}

const loopback = '127.0.0.1';
const url = (port: number): string => `http://${loopback}:${port}`;

/** etcd without fsync: its data does not outlive the run. */
export function etcd({ build, ports, files }: ProgramOptions): Command {
  return {
    name: 'etcd',
    command: build.binary('etcd'),
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

export function kubeApiServer({ build, ports, files }: ProgramOptions): Command {
  return {
    name: 'kube-apiserver',
    command: build.binary('kube-apiserver'),
    args: [
      `--etcd-servers=${url(ports.etcd)}`,
      `--bind-address=${loopback}`,
      `--secure-port=${ports.apiServer}`,
      `--cert-dir=${files.certificates}`,
      `--token-auth-file=${files.tokens}`,
      '--authorization-mode=RBAC',
      `--audit-policy-file=${files.auditPolicy}`,
      `--audit-log-path=${files.audit}`,
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

export function kubeControllerManager({ build, files }: ProgramOptions): Command {
  const off = ['node-ipam-controller', 'node-lifecycle-controller', 'taint-eviction-controller'];
  return {
    name: 'kube-controller-manager',
    command: build.binary('kube-controller-manager'),
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

export function kubeScheduler({ build, files }: ProgramOptions): Command {
  return {
    name: 'kube-scheduler',
    command: build.binary('kube-scheduler'),
    args: [`--kubeconfig=${files.kubeconfig}`, '--leader-elect=false', '--secure-port=0'],
  };
}

/** kwok writes the status of nodes and pods in the kubelet's place. */
export function kwok({ build, files }: ProgramOptions): Command {
  return {
    name: 'kwok',
    command: build.binary('kwok'),
    args: [
      `--kubeconfig=${files.kubeconfig}`,
      '--manage-all-nodes',
      `--node-ip=${loopback}`,
      ...files.kwokStages.map(stage => `--config=${stage}`),
    ],
  };
}

export function sourceController({ build, ports, files }: ProgramOptions): Command {
  return {
    name: 'source-controller',
    command: build.binary('source-controller'),
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

export function kustomizeController({ build, ports, files }: ProgramOptions): Command {
  return {
    name: 'kustomize-controller',
    command: build.binary('kustomize-controller'),
    args: ['--concurrent=8', ...fluxArgs(ports.kustomizeHealth)],
    env: fluxEnv(files),
  };
}

export function helmController({ build, ports, files }: ProgramOptions): Command {
  return {
    name: 'helm-controller',
    command: build.binary('helm-controller'),
    args: fluxArgs(ports.helmHealth),
    env: fluxEnv(files),
  };
}

/** `0` turns controller-runtime's metrics endpoint off. */
function fluxArgs(health: number): readonly string[] {
  return ['--metrics-addr=0', `--health-addr=${loopback}:${health}`, '--log-level=info'];
}

function fluxEnv(files: DataFiles): Readonly<Record<string, string>> {
  return { KUBECONFIG: files.kubeconfig, RUNTIME_NAMESPACE: 'flux-system' };
}

/** Flagger takes a port only, so it listens on all interfaces (Flagger pkg/server/server.go), as does its load tester. */
export function flagger(options: ProgramOptions): Command {
  return {
    name: 'flagger',
    command: options.build.binary('flagger'),
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

export function loadtester({ build, ports }: ProgramOptions): Command {
  return {
    name: 'loadtester',
    command: build.binary('loadtester'),
    args: [`-port=${ports.loadtester}`, '-log-level=info'],
  };
}

export function prometheus({ ports, files }: ProgramOptions): Command {
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

/** An OCI registry, for charts. It takes its whole configuration from a file. */
export function registry({ build, files }: ProgramOptions): Command {
  return { name: 'registry', command: build.binary('registry'), args: ['serve', files.registryConfig] };
}
