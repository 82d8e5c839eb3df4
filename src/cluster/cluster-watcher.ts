import type { Observation } from '../rollout/observation.ts';
import {
  type Clock,
  ClusterForbidden,
  ClusterUnavailable,
  type ClusterView,
  type ReconcileTarget,
} from '../rollout/ports.ts';
import type { FlaggerGauge } from './flagger-gauge.ts';
import { type KubeClient, KubeError } from './kube-client.ts';
import type { Watched } from './read-objects.ts';
import { readObservation } from './read-observation.ts';
import { collectionPath, objectPath, targetCollection } from './resources.ts';

/** The server ends a watch after this; then it is begun anew (s). */
const WATCH_SECONDS = 240;
/** Changes come in bursts; one look for all of them (ms). */
const QUIET_MS = 100;
const FIRST_BACKOFF_MS = 500;
const LONGEST_BACKOFF_MS = 15_000;
/** Where watching is not allowed, things are looked at this often (ms). */
const POLL_MS = 5_000;

/**
 * A view of the cluster in which watches only say that something changed; what is shown is always read afresh. A watch
 * that ends, for whatever reason, is begun anew and wakes us by the state that it begins with, so that nothing is
 * missed and no resourceVersion has to be remembered.
 */
export class ClusterWatcher implements ClusterView {
  private readonly kube: KubeClient;
  private readonly clock: Clock;
  private readonly watched: Watched;
  private readonly gauge: FlaggerGauge | undefined;
  private readonly random: () => number;
  private readonly stopping = new AbortController();
  private started = false;
  private woken = true;
  private wake: (() => void) | undefined;
  private last = '';
  private polling = false;

  constructor(on: {
    readonly kube: KubeClient;
    readonly clock: Clock;
    readonly watched: Watched;
    readonly gauge?: FlaggerGauge | undefined;
    readonly random: () => number;
  }) {
    this.kube = on.kube;
    this.clock = on.clock;
    this.watched = on.watched;
    this.gauge = on.gauge;
    this.random = on.random;
  }

  async read(): Promise<Observation> {
    const observation = await this.observe('read');
    this.last = substance(observation);
    return observation;
  }

  async next(options: {
    readonly timeoutMs: number;
    readonly signal?: AbortSignal;
  }): Promise<Observation | undefined> {
    if (this.stopping.signal.aborted) return undefined;
    this.start();
    const until = this.clock.now() + options.timeoutMs;
    const stop = AbortSignal.any([this.stopping.signal, ...(options.signal ? [options.signal] : [])]);
    while (!stop.aborted) {
      const left = until - this.clock.now();
      if (left <= 0) return undefined;
      await this.waitForWake(this.polling ? Math.min(left, POLL_MS) : left, stop);
      if (stop.aborted) return undefined;
      if (!this.woken && !this.polling) continue;
      await this.clock.sleep(QUIET_MS, stop);
      this.woken = false;
      const observation = await this.observeUntil(Math.max(until - this.clock.now(), 0), stop);
      if (!observation) continue;
      const text = substance(observation);
      if (text === this.last) continue;
      this.last = text;
      return observation;
    }
    return undefined;
  }

  async requestReconcile(of: ReconcileTarget): Promise<'requested' | 'forbidden' | 'failed'> {
    const requestedAt = new Date(this.clock.now()).toISOString();
    const body = { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': requestedAt } } };
    const paths = new Set(
      Object.values(this.watched.chains).flatMap(({ source, links }) =>
        of === 'source'
          ? [objectPath({ ...source, kind: 'GitRepository' })]
          : links.map(({ kind, view }) => objectPath({ kind, namespace: view.namespace, name: view.name })),
      ),
    );
    try {
      await Promise.all([...paths].map(path => this.kube.mergePatch(path, body)));
      return 'requested';
    } catch (error) {
      return error instanceof KubeError && error.status === 403 ? 'forbidden' : 'failed';
    }
  }

  close(): Promise<void> {
    this.stopping.abort();
    this.wake?.();
    return Promise.resolve();
  }

  private observe(source: Observation['source']): Promise<Observation> {
    return readObservation(this.kube, {
      watched: this.watched,
      gauge: this.gauge,
      clock: this.clock,
      source,
    });
  }

  /** A look that is given up when time is over or nobody waits for it: a cancel has seconds, a silent server minutes. */
  private async observeUntil(ms: number, stop: AbortSignal): Promise<Observation | undefined> {
    const seen = new AbortController();
    const given = this.clock.sleep(ms, AbortSignal.any([seen.signal, stop])).then(() => {
      // Given up, not seen: the change is still to be looked at.
      if (!seen.signal.aborted) this.woken = true;
      return undefined;
    });
    try {
      return await Promise.race([this.observe('watch').catch(whenUnreadable), given]);
    } finally {
      seen.abort();
    }
  }

  private start(): void {
    if (this.started) return;
    this.started = true;
    for (const each of this.collections()) void this.keepWatching(each);
  }

  private collections(): readonly { readonly path: string; readonly name?: string }[] {
    const all = new Map<string, { readonly path: string; readonly name?: string }>();
    const add = (kind: string, namespace: string, name?: string) =>
      addPath(collectionPath(kind, namespace), name);
    const addPath = (path: string, name?: string) => {
      all.set(`${path} ${name ?? ''}`, name === undefined ? { path } : { path, name });
    };
    for (const target of this.watched.targets) {
      const { kind, namespace, name } = target;
      add('Canary', namespace);
      addPath(targetCollection(target), name);
      // A Knative Service tells all that its Revisions do.
      if (kind !== 'Service') add(kind, namespace, `${name}-primary`);
    }
    for (const { source, kustomizations, links } of Object.values(this.watched.chains)) {
      add('GitRepository', source.namespace, source.name);
      for (const { namespace, name } of kustomizations) add('Kustomization', namespace, name);
      for (const { kind, view } of links) add(kind, view.namespace, view.name);
    }
    return [...all.values()];
  }

  /** Until the view is closed. A watch that lasted is begun anew at once, one that failed after a growing pause. */
  private async keepWatching(on: { readonly path: string; readonly name?: string }): Promise<void> {
    const { signal } = this.stopping;
    for (let failures = 0; !signal.aborted; ) {
      try {
        await this.kube.watch({
          path: on.path,
          query: {
            timeoutSeconds: String(WATCH_SECONDS),
            ...(on.name === undefined ? {} : { fieldSelector: `metadata.name=${on.name}` }),
          },
          signal,
          onEvent: event => {
            // 410 Gone comes as an event of type ERROR; the next watch begins with the state as it is.
            if (event.type !== 'ERROR' && event.type !== 'BOOKMARK') failures = 0;
            this.wakeUp();
          },
        });
      } catch (error) {
        if (error instanceof KubeError && error.status === 403) {
          this.polling = true;
          this.wakeUp();
          return;
        }
      }
      failures += 1;
      const ceiling = Math.min(FIRST_BACKOFF_MS * 2 ** Math.min(failures - 1, 10), LONGEST_BACKOFF_MS);
      await this.clock.sleep(ceiling * (0.5 + this.random() / 2), signal);
    }
  }

  private wakeUp(): void {
    this.woken = true;
    this.wake?.();
  }

  private async waitForWake(ms: number, signal: AbortSignal): Promise<void> {
    if (this.woken) return;
    const timer = new AbortController();
    const woken = new Promise<void>(resolve => {
      this.wake = resolve;
    });
    await Promise.race([woken, this.clock.sleep(ms, AbortSignal.any([timer.signal, signal]))]);
    timer.abort();
    this.wake = undefined;
  }
}

/** Lasting loss shows in `read`; here it is only no news. */
function whenUnreadable(error: unknown): undefined {
  if (error instanceof ClusterUnavailable || error instanceof ClusterForbidden) return undefined;
  throw error;
}

/** What of an observation is worth waking for: not its time, nor a version that moved for nothing. */
function substance(observation: Observation): string {
  return JSON.stringify({ ...observation, at: 0, source: '' }, (key, value: unknown) =>
    key === 'resourceVersion' || key === 'managedFields' || key === 'appliedAt' ? undefined : value,
  );
}
