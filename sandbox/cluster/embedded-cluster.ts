import { randomBytes } from 'node:crypto';
import { parseAllDocuments, stringify } from 'yaml';
import type { Clock } from '../../src/rollout/ports.ts';
import { scaledClock } from '../../src/runtime/clock.ts';
import { ApiServer, type ApiRequestNote, type ClusterUser } from './api-server.ts';
import { Flagger } from './flagger.ts';
import type { MetricValue } from './flagger-checks.ts';
import { Flux } from './flux.ts';
import { GitCheckouts } from './git-checkout.ts';
import { type Fields, isFields, type KubeObject, textAt } from './kube-object.ts';
import { type Change, ObjectStore, type Wanted } from './object-store.ts';
import { WorkloadController } from './workload-controller.ts';

export interface EmbeddedClusterOptions {
  /** How many times faster than real time the cluster lives; default 1. */
  readonly rate?: number;
}

/**
 * A Kubernetes cluster with Flux and Flagger in one process, on 127.0.0.1. No pods run and no traffic flows: pods are
 * ready after a moment unless a scenario says otherwise, and metrics are what a scenario says.
 */
export class EmbeddedCluster {
  readonly apiUrl: string;
  /** The administrator's kubeconfig. */
  readonly kubeconfig: string;
  readonly clock: Clock;
  private readonly parts: Parts;

  constructor(parts: Parts, at: { readonly apiUrl: string; readonly adminToken: string }) {
    this.parts = parts;
    this.clock = parts.clock;
    this.apiUrl = at.apiUrl;
    this.kubeconfig = kubeconfigOf(at.apiUrl, at.adminToken);
  }

  get requests(): readonly ApiRequestNote[] {
    return this.parts.api.requests;
  }

  /** Creates or changes objects from YAML, as `kubectl apply`. */
  apply(yaml: string): void {
    const documents = parseAllDocuments(yaml);
    for (const document of Array.isArray(documents) ? documents : []) {
      const value: unknown = document.toJS();
      if (isWanted(value)) this.parts.store.apply(value, 'kubectl');
    }
  }

  get(kind: string, namespace: string, name: string): KubeObject | undefined {
    return this.parts.store.get(kind, namespace, name);
  }

  list(kind: string, namespace?: string): readonly KubeObject[] {
    return this.parts.store.list(kind, namespace);
  }

  /** A merge patch by hand, as `kubectl patch`. */
  patch(
    object: { readonly kind: string; readonly namespace: string; readonly name: string },
    change: Fields,
  ): void {
    const live = this.get(object.kind, object.namespace, object.name);
    if (!live) throw new Error(`There is no ${object.kind} ${object.namespace}/${object.name}.`);
    this.parts.store.patch(live, change, { manager: 'kubectl' });
  }

  delete(kind: string, namespace: string, name: string): void {
    this.parts.store.delete(kind, namespace, name);
  }

  phase(namespace: string, name: string): string {
    return textAt(this.get('Canary', namespace, name), 'status', 'phase');
  }

  onChange(listener: (change: Change) => void): () => void {
    return this.parts.store.onChange(listener);
  }

  /** What a metric of a Canary (`namespace/name`) says from now on; good values unless set. */
  setMetric(canary: string, metric: string, value: MetricValue): void {
    this.parts.metrics.set(`${canary} ${metric}`, value);
  }

  /** What a Prometheus that is asked through the API server says of a query; nothing unless set. */
  answerPrometheus(answer: (query: string) => number | undefined): void {
    this.parts.api.prometheus = answer;
  }

  /** Pods with this image never become ready; with a Deployment's name only there. */
  neverReady(image: string, deployment?: string): void {
    this.parts.neverReady.add(deployment === undefined ? image : `${deployment} ${image}`);
  }

  /** URL of a webhook that answers 200 while the gate is open, and 403 while it is closed, as it is at first. */
  gate(name: string): { readonly url: string; open(): void; close(): void } {
    const { gates } = this.parts;
    return {
      url: `${this.apiUrl}/gates/${name}`,
      open: () => gates.set(name, true),
      close: () => gates.set(name, false),
    };
  }

  /** A user with a kubeconfig of its own, who may not do what is forbidden (`patch gitrepositories`, `watch *`). */
  addUser(user: ClusterUser): string {
    const token = randomBytes(12).toString('hex');
    this.parts.users.set(token, user);
    return kubeconfigOf(this.apiUrl, token);
  }

  /** Its token is not accepted any more, as when it has ended. */
  removeUser(name: string): void {
    for (const [token, user] of this.parts.users) if (user.name === name) this.parts.users.delete(token);
  }

  readonly faults = {
    /** The API server answers nobody for so long (ms of the cluster's time). */
    down: async (ms: number): Promise<void> => {
      this.parts.api.goDown();
      await this.clock.sleep(ms);
      this.parts.api.down = false;
    },
    /** The definition of a kind is not installed. */
    unserve: (plural: string): void => {
      this.parts.api.unserved.add(plural);
    },
    dropWatches: (): void => this.parts.api.dropWatches(),
    answerNext: (...statuses: readonly number[]): void => this.parts.api.answerNext(...statuses),
    /** Flagger is not running while paused. */
    pauseFlagger: (paused: boolean): void => {
      this.parts.flagger.paused = paused;
    },
  };

  /** Resolves when it holds; looks again at each change. The limit (ms of real time) only ends what hangs. */
  async waitUntil(what: string, holds: () => boolean, timeoutMs = 240_000): Promise<void> {
    if (holds()) return;
    await new Promise<void>((resolve, reject) => {
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

  async close(): Promise<void> {
    this.parts.stop.abort();
    await this.parts.flux.idle();
    await this.parts.api.close();
    await this.parts.checkouts.close();
  }
}

interface Parts {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly api: ApiServer;
  readonly flux: Flux;
  readonly flagger: Flagger;
  readonly checkouts: GitCheckouts;
  readonly metrics: Map<string, MetricValue>;
  readonly neverReady: Set<string>;
  readonly users: Map<string, ClusterUser>;
  readonly gates: Map<string, boolean>;
  readonly stop: AbortController;
}

/** Starts an empty cluster. Close it when done. */
export async function startCluster(options: EmbeddedClusterOptions = {}): Promise<EmbeddedCluster> {
  const clock = scaledClock(options.rate ?? 1);
  const stop = new AbortController();
  const store = new ObjectStore(clock);
  const metrics = new Map<string, MetricValue>();
  const neverReady = new Set<string>();
  const adminToken = randomBytes(12).toString('hex');
  const users = new Map<string, ClusterUser>([[adminToken, { name: 'admin' }]]);
  const gates = new Map<string, boolean>();
  const checkouts = new GitCheckouts();
  const common = { store, clock, stop: stop.signal };
  const controllers = new WorkloadController({ ...common, neverReady });
  const flux = new Flux({ ...common, checkouts });
  const flagger = new Flagger({ ...common, metric: (canary, metric) => metrics.get(`${canary} ${metric}`) });
  const api = new ApiServer({ store, users, gates, metrics: () => flagger.metricsPage() });
  const apiUrl = await api.listen();
  void controllers;
  const parts = { store, clock, api, flux, flagger, checkouts, metrics, neverReady, users, gates, stop };
  return new EmbeddedCluster(parts, { apiUrl, adminToken });
}

function kubeconfigOf(server: string, token: string): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    // client-node takes plain http only from those who say that they mean it.
    clusters: [{ name: 'sandbox', cluster: { server } }],
    users: [{ name: 'sandbox', user: { token } }],
    contexts: [{ name: 'sandbox', context: { cluster: 'sandbox', user: 'sandbox' } }],
    'current-context': 'sandbox',
  });
}

function isWanted(value: unknown): value is Wanted {
  if (!isFields(value)) return false;
  const { apiVersion, kind, metadata } = value;
  return (
    typeof apiVersion === 'string' &&
    typeof kind === 'string' &&
    isFields(metadata) &&
    typeof metadata['name'] === 'string'
  );
}
