import { createHash } from 'node:crypto';
import { canonical, fieldsAt, listAt, numberAt, textAt, valueAt } from './kube-object.js';
/** How long pods take to be ready (ms of the cluster's time). */
const READY_AFTER_MS = 600;
const DEFAULT_DEADLINE_S = 600;
const MANAGER = { manager: 'kube-controller-manager' };
/** Deployments and their ReplicaSets: kube-controller-manager, the scheduler and the kubelet in one. */
export class WorkloadController {
  store;
  clock;
  stop;
  neverReady;
  /** Pods whose image is in `neverReady`, under the name of their Deployment or any, never become ready. */
  constructor(on) {
    this.store = on.store;
    this.clock = on.clock;
    this.stop = on.stop;
    this.neverReady = on.neverReady;
    this.store.onChange(({ type, object }) => {
      if (object.kind !== 'Deployment' || type === 'DELETED') return;
      const generation = object.metadata.generation ?? 0;
      if (numberAt(object, 'status', 'observedGeneration') === generation) return;
      this.roll(object);
    });
  }
  roll(deployment) {
    this.replicaSetFor(deployment);
    const wanted = replicasOf(deployment);
    const old = fieldsAt(deployment, 'status');
    const generation = deployment.metadata.generation ?? 0;
    const running = Math.min(numberAt(old, 'availableReplicas') ?? 0, wanted);
    const templateChanged = old['templateHash'] !== templateHash(valueAt(deployment, 'spec', 'template'));
    this.store.replace(
      deployment,
      'status',
      {
        ...old,
        observedGeneration: generation,
        replicas: wanted === 0 ? 0 : Math.max(running, 1),
        updatedReplicas: templateChanged ? 0 : running,
        readyReplicas: running,
        availableReplicas: running,
        conditions: [progressing('ReplicaSetUpdated', 'True', this.store.timestamp())],
      },
      MANAGER,
    );
    void this.becomeReady(deployment, generation);
  }
  async becomeReady(deployment, generation) {
    await this.clock.sleep(READY_AFTER_MS, this.stop);
    const now = this.current(deployment, generation);
    if (!now) return;
    const wanted = replicasOf(now);
    if (wanted > 0 && this.isNeverReady(now)) {
      await this.clock.sleep(
        (numberAt(now, 'spec', 'progressDeadlineSeconds') ?? DEFAULT_DEADLINE_S) * 1000,
        this.stop,
      );
      const late = this.current(deployment, generation);
      if (!late) return;
      const status = fieldsAt(late, 'status');
      const conditions = [progressing('ProgressDeadlineExceeded', 'False', this.store.timestamp())];
      this.store.replace(late, 'status', { ...status, conditions }, MANAGER);
      return;
    }
    this.store.replace(
      now,
      'status',
      {
        observedGeneration: generation,
        replicas: wanted,
        updatedReplicas: wanted,
        readyReplicas: wanted,
        availableReplicas: wanted,
        templateHash: templateHash(valueAt(now, 'spec', 'template')),
        conditions: [progressing('NewReplicaSetAvailable', 'True', this.store.timestamp())],
      },
      MANAGER,
    );
  }
  current(deployment, generation) {
    if (this.stop.aborted) return undefined;
    const now = this.store.get('Deployment', deployment.metadata.namespace, deployment.metadata.name);
    return now?.metadata.generation === generation ? now : undefined;
  }
  isNeverReady(deployment) {
    const images = listAt(deployment, 'spec', 'template', 'spec', 'containers').map(container =>
      textAt(container, 'image'),
    );
    const { name } = deployment.metadata;
    return images.some(image => this.neverReady.has(image) || this.neverReady.has(`${name} ${image}`));
  }
  replicaSetFor(deployment) {
    const template = valueAt(deployment, 'spec', 'template');
    const hash = templateHash(template);
    const { name, namespace, uid = '' } = deployment.metadata;
    const labels = { ...stringMap(fieldsAt(template, 'metadata', 'labels')), 'pod-template-hash': hash };
    this.store.apply(
      {
        apiVersion: 'apps/v1',
        kind: 'ReplicaSet',
        metadata: {
          name: `${name}-${hash}`,
          namespace,
          labels,
          ownerReferences: [{ kind: 'Deployment', name, uid }],
        },
        spec: { replicas: replicasOf(deployment), template },
      },
      'kube-controller-manager',
    );
    for (const other of this.store.list('ReplicaSet', namespace)) {
      const owned = other.metadata.ownerReferences?.some(owner => owner.uid === uid);
      if (!owned || other.metadata.name === `${name}-${hash}`) continue;
      this.store.patch(other, { spec: { replicas: 0 } }, MANAGER);
    }
  }
}
/** What the label pod-template-hash and Flagger's status show of a template; opaque, the same for the same template. */
export function templateHash(template) {
  return createHash('sha256').update(canonical(template)).digest('hex').slice(0, 10);
}
export function replicasOf(workload) {
  return numberAt(workload, 'spec', 'replicas') ?? 1;
}
/** As Flagger asks: the status is of this generation, and all pods are updated and available. */
export function isReady(workload) {
  if (!workload) return false;
  const wanted = replicasOf(workload);
  return (
    numberAt(workload, 'status', 'observedGeneration') === workload.metadata.generation &&
    (numberAt(workload, 'status', 'updatedReplicas') ?? 0) >= wanted &&
    (numberAt(workload, 'status', 'availableReplicas') ?? 0) >= wanted
  );
}
export function deadlineExceeded(workload) {
  return listAt(workload, 'status', 'conditions').some(
    each => textAt(each, 'reason') === 'ProgressDeadlineExceeded',
  );
}
function progressing(reason, status, time) {
  return {
    type: 'Progressing',
    status,
    reason,
    message: reason,
    lastUpdateTime: time,
    lastTransitionTime: time,
  };
}
function stringMap(fields) {
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, String(value)]));
}
