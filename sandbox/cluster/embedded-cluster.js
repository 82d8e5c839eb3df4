import { randomBytes } from 'node:crypto';
import { parseAllDocuments, stringify } from 'yaml';
import { scaledClock } from '../../src/runtime/clock.js';
import { ApiServer } from './api-server.js';
import { Flagger } from './flagger.js';
import { Flux } from './flux.js';
import { GitCheckouts } from './git-checkout.js';
import { isFields, textAt } from './kube-object.js';
import { ObjectStore } from './object-store.js';
import { WorkloadController } from './workload-controller.js';
/**
 * A Kubernetes cluster with Flux and Flagger in one process, on 127.0.0.1. No pods run and no traffic flows: pods are
 * ready after a moment unless a scenario says otherwise, and metrics are what a scenario says.
 */
export class EmbeddedCluster {
  apiUrl;
  /** The administrator's kubeconfig. */
  kubeconfig;
  clock;
  parts;
  constructor(parts, at) {
    this.parts = parts;
    this.clock = parts.clock;
    this.apiUrl = at.apiUrl;
    this.kubeconfig = kubeconfigOf(at.apiUrl, at.adminToken);
  }
  get requests() {
    return this.parts.api.requests;
  }
  /** Creates or changes objects from YAML, as `kubectl apply`. */
  apply(yaml) {
    const documents = parseAllDocuments(yaml);
    for (const document of Array.isArray(documents) ? documents : []) {
      const value = document.toJS();
      if (isWanted(value)) this.parts.store.apply(value, 'kubectl');
    }
  }
  get(kind, namespace, name) {
    return this.parts.store.get(kind, namespace, name);
  }
  list(kind, namespace) {
    return this.parts.store.list(kind, namespace);
  }
  /** A merge patch by hand, as `kubectl patch`. */
  patch(object, change) {
    const live = this.get(object.kind, object.namespace, object.name);
    if (!live) throw new Error(`There is no ${object.kind} ${object.namespace}/${object.name}.`);
    this.parts.store.patch(live, change, { manager: 'kubectl' });
  }
  delete(kind, namespace, name) {
    this.parts.store.delete(kind, namespace, name);
  }
  phase(namespace, name) {
    return textAt(this.get('Canary', namespace, name), 'status', 'phase');
  }
  onChange(listener) {
    return this.parts.store.onChange(listener);
  }
  /** What a metric of a Canary (`namespace/name`) says from now on; good values unless set. */
  setMetric(canary, metric, value) {
    this.parts.metrics.set(`${canary} ${metric}`, value);
  }
  /** Pods with this image never become ready; with a Deployment's name only there. */
  neverReady(image, deployment) {
    this.parts.neverReady.add(deployment === undefined ? image : `${deployment} ${image}`);
  }
  /** URL of a webhook that answers 200 while the gate is open, and 403 while it is closed, as it is at first. */
  gate(name) {
    const { gates } = this.parts;
    return {
      url: `${this.apiUrl}/gates/${name}`,
      open: () => gates.set(name, true),
      close: () => gates.set(name, false),
    };
  }
  /** A user with a kubeconfig of its own, who may not do what is forbidden (`patch gitrepositories`, `watch *`). */
  addUser(user) {
    const token = randomBytes(12).toString('hex');
    this.parts.users.set(token, user);
    return kubeconfigOf(this.apiUrl, token);
  }
  faults = {
    /** The API server answers nobody for so long (ms of the cluster's time). */
    down: async ms => {
      this.parts.api.goDown();
      await this.clock.sleep(ms);
      this.parts.api.down = false;
    },
    dropWatches: () => this.parts.api.dropWatches(),
    answerNext: (...statuses) => this.parts.api.answerNext(...statuses),
    /** Flagger is not running while paused. */
    pauseFlagger: paused => {
      this.parts.flagger.paused = paused;
    },
  };
  /** Resolves when it holds; looks again at each change. */
  async waitUntil(what, holds, timeoutMs = 30_000) {
    if (holds()) return;
    await new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        stop();
        reject(new Error(`The sandbox cluster did not come to: ${what}`));
      }, timeoutMs);
      const stop = this.onChange(() => {
        if (!holds()) return;
        clearTimeout(timer);
        stop();
        resolve();
      });
    });
  }
  async close() {
    this.parts.stop.abort();
    await this.parts.flux.idle();
    await this.parts.api.close();
    await this.parts.checkouts.close();
  }
}
/** Starts an empty cluster. Close it when done. */
export async function startCluster(options = {}) {
  const clock = scaledClock(options.rate ?? 1);
  const stop = new AbortController();
  const store = new ObjectStore(clock);
  const metrics = new Map();
  const neverReady = new Set();
  const adminToken = randomBytes(12).toString('hex');
  const users = new Map([[adminToken, { name: 'admin' }]]);
  const gates = new Map();
  const checkouts = new GitCheckouts();
  const common = { store, clock, stop: stop.signal };
  const controllers = new WorkloadController({ ...common, neverReady });
  const flux = new Flux({ ...common, checkouts });
  const flagger = new Flagger({ ...common, metric: (canary, metric) => metrics.get(`${canary} ${metric}`) });
  const api = new ApiServer({ store, users, gates });
  const apiUrl = await api.listen();
  void controllers;
  const parts = { store, clock, api, flux, flagger, checkouts, metrics, neverReady, users, gates, stop };
  return new EmbeddedCluster(parts, { apiUrl, adminToken });
}
function kubeconfigOf(server, token) {
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    // client-node takes plain http only from those who say that they mean it.
    clusters: [{ name: 'sandbox', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'sandbox', user: { token } }],
    contexts: [{ name: 'sandbox', context: { cluster: 'sandbox', user: 'sandbox' } }],
    'current-context': 'sandbox',
  });
}
function isWanted(value) {
  if (!isFields(value)) return false;
  const { apiVersion, kind, metadata } = value;
  return (
    typeof apiVersion === 'string' &&
    typeof kind === 'string' &&
    isFields(metadata) &&
    typeof metadata['name'] === 'string'
  );
}
