import { fieldsAt, type KubeObject, listAt, numberAt, textAt, valueAt } from './kube-object.ts';
import type { ObjectStore } from './object-store.ts';
import { replicasOf, templateHash } from './workload-controller.ts';

const MANAGER = { manager: 'flagger' };

/** What Flagger makes and changes around a Deployment: its primary, Services, routes and replicas. */
export class FlaggerObjects {
  private readonly store: ObjectStore;

  constructor(store: ObjectStore) {
    this.store = store;
  }

  makeServices(canary: KubeObject, target: KubeObject): void {
    const { namespace, name } = target.metadata;
    const port = numberAt(canary, 'spec', 'service', 'port') ?? 80;
    for (const suffix of ['', '-primary', '-canary']) {
      const metadata = { name: `${name}${suffix}`, namespace };
      this.store.apply(
        { apiVersion: 'v1', kind: 'Service', metadata, spec: { ports: [{ port }] } },
        'flagger',
      );
    }
  }

  target(canary: KubeObject): KubeObject | undefined {
    return this.store.get(
      'Deployment',
      canary.metadata.namespace,
      textAt(canary, 'spec', 'targetRef', 'name'),
    );
  }

  primary(canary: KubeObject): KubeObject | undefined {
    const name = `${textAt(canary, 'spec', 'targetRef', 'name')}-primary`;
    return this.store.get('Deployment', canary.metadata.namespace, name);
  }

  copyToPrimary(canary: KubeObject, target: KubeObject): void {
    const { namespace, name } = target.metadata;
    const primary = `${name}-primary`;
    const template = fieldsAt(target, 'spec', 'template');
    const labels = { ...fieldsAt(template, 'metadata', 'labels'), app: primary };
    const existing = this.primary(canary);
    const copied = { ...template, metadata: { ...fieldsAt(template, 'metadata'), labels } };
    if (existing) {
      this.store.replace(existing, 'spec', { ...fieldsAt(existing, 'spec'), template: copied }, MANAGER);
      return;
    }
    const spec = {
      ...fieldsAt(target, 'spec'),
      replicas: Math.max(1, replicasOf(target)),
      selector: { matchLabels: { app: primary } },
      template: copied,
    };
    this.store.apply(
      { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: primary, namespace }, spec },
      'flagger',
    );
  }

  /** What NGINX would see: the canary Ingress with its weight or its header. */
  route(canary: KubeObject, weight: number): void {
    const ingress = textAt(canary, 'spec', 'ingressRef', 'name');
    if (ingress === '') return;
    const prefix = 'nginx.ingress.kubernetes.io';
    const headers = fieldsAt(listAt(canary, 'spec', 'analysis', 'match')[0], 'headers');
    const [header] = Object.keys(headers);
    const annotations = {
      [`${prefix}/canary`]: weight > 0 ? 'true' : 'false',
      ...(header === undefined
        ? { [`${prefix}/canary-weight`]: String(weight) }
        : { [`${prefix}/canary-by-header`]: header }),
    };
    const { namespace } = canary.metadata;
    this.store.apply(
      {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'Ingress',
        metadata: { name: `${ingress}-canary`, namespace, annotations },
        spec: {},
      },
      'flagger',
    );
  }

  scale(target: KubeObject, replicas: number): void {
    const now = this.store.get(target.kind, target.metadata.namespace, target.metadata.name) ?? target;
    this.store.patch(now, { spec: { replicas } }, MANAGER);
  }

  trackedConfigs(target: KubeObject): Record<string, string> {
    const references = listAt(target, 'spec', 'template', 'spec', 'containers')
      .flatMap(container => listAt(container, 'envFrom'))
      .map(source => textAt(source, 'configMapRef', 'name'))
      .filter(name => name !== '');
    return Object.fromEntries(
      references.map(name => [
        `configmap/${name}`,
        templateHash(valueAt(this.store.get('ConfigMap', target.metadata.namespace, name), 'data')),
      ]),
    );
  }

  /** The owner references of what Flagger makes: all of it goes with the Canary. */
  removeOwned({ namespace, name }: KubeObject['metadata']): void {
    for (const kind of ['Service', 'Ingress']) {
      for (const suffix of ['', '-primary', '-canary'])
        this.store.delete(kind, namespace, `${name}${suffix}`);
    }
    this.store.delete('Deployment', namespace, `${name}-primary`);
  }
}
