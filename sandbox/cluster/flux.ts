import type { Clock } from '../../src/rollout/ports.ts';
import { goDurationMs } from '../../src/flagger/go-duration.ts';
import type { GitCheckouts } from './git-checkout.ts';
import { fluxBuild } from './kustomize-build.ts';
import { fieldsAt, type KubeObject, pluralOf, textAt, valueAt } from './kube-object.ts';
import type { ObjectStore, Wanted } from './object-store.ts';
import { isReady } from './workload-controller.ts';

const DEFAULT_INTERVAL_MS = 60_000;
const LABEL = 'kustomize.toolkit.fluxcd.io';
const SOURCE = { manager: 'source-controller' };
const KUSTOMIZE = { manager: 'kustomize-controller' };
const HEALTH_TIMEOUT_MS = 300_000;

/** source-controller and kustomize-controller: really fetch the repository, build its folder and apply it. */
export class Flux {
  private readonly store: ObjectStore;
  private readonly clock: Clock;
  private readonly stop: AbortSignal;
  private readonly checkouts: GitCheckouts;
  /** Folders of the artifacts, by revision. */
  private readonly artifacts = new Map<string, string>();
  private readonly inventories = new Map<string, readonly string[]>();
  private readonly busy = new Map<string, Promise<void>>();
  private readonly seen = new Map<string, string>();

  constructor(on: {
    readonly store: ObjectStore;
    readonly clock: Clock;
    readonly stop: AbortSignal;
    readonly checkouts: GitCheckouts;
  }) {
    this.store = on.store;
    this.clock = on.clock;
    this.stop = on.stop;
    this.checkouts = on.checkouts;
    this.store.onChange(({ type, object }) => {
      if (type === 'DELETED') return;
      if (object.kind === 'GitRepository') this.whenAsked(object, () => this.fetch(object.metadata));
      if (object.kind === 'Kustomization') this.whenAsked(object, () => this.reconcile(object.metadata));
    });
  }

  /** Waits until nothing is being fetched or applied. */
  async idle(): Promise<void> {
    while (this.busy.size > 0) await Promise.all(this.busy.values());
  }

  /** A new object, a changed spec or the annotation of `flux reconcile` are worked on at once; then each interval. */
  private whenAsked(object: KubeObject, work: () => Promise<void>): void {
    const { name, namespace, generation = 0, annotations } = object.metadata;
    const key = `${object.kind} ${namespace}/${name}`;
    const asked = `${generation} ${annotations?.['reconcile.fluxcd.io/requestedAt'] ?? ''}`;
    if (this.seen.get(key) === asked) return;
    const known = this.seen.has(key);
    this.seen.set(key, asked);
    this.enqueue(key, work);
    if (!known) void this.eachInterval(object, key, work);
  }

  private async eachInterval(object: KubeObject, key: string, work: () => Promise<void>): Promise<void> {
    const { kind, metadata } = object;
    while (!this.stop.aborted) {
      const now = this.store.get(kind, metadata.namespace, metadata.name);
      if (!now) return;
      await this.clock.sleep(goDurationMs(textAt(now, 'spec', 'interval')) ?? DEFAULT_INTERVAL_MS, this.stop);
      if (!this.stop.aborted) this.enqueue(key, work);
    }
  }

  /** One at a time for each object, as a controller's work queue does it. */
  private enqueue(key: string, work: () => Promise<void>): void {
    const before = this.busy.get(key) ?? Promise.resolve();
    const mine = before.then(async () => {
      if (!this.stop.aborted) await work();
    });
    const settled = mine
      .catch(() => undefined)
      .then(() => {
        if (this.busy.get(key) === settled) this.busy.delete(key);
      });
    this.busy.set(key, settled);
  }

  private async fetch({ namespace, name }: KubeObject['metadata']): Promise<void> {
    const source = this.store.get('GitRepository', namespace, name);
    if (!source || valueAt(source, 'spec', 'suspend') === true) return;
    const named = textAt(source, 'spec', 'ref', 'name');
    const branch = named.replace('refs/heads/', '') || textAt(source, 'spec', 'ref', 'branch') || 'master';
    try {
      const { sha, folder } = await this.checkouts.fetch(textAt(source, 'spec', 'url'), branch);
      // fluxcd/pkg git/gogit/clone.go: with ref.name the revision begins with the whole name.
      const revision = `${named || branch}@sha1:${sha}`;
      this.artifacts.set(revision, folder);
      const message = `stored artifact for revision '${revision}'`;
      this.status(
        source,
        { artifact: { revision }, conditions: this.ready('True', 'Succeeded', message) },
        SOURCE,
      );
      for (const kustomization of this.store.list('Kustomization')) {
        const { metadata } = kustomization;
        const from = textAt(kustomization, 'spec', 'sourceRef', 'namespace') || metadata.namespace;
        if (textAt(kustomization, 'spec', 'sourceRef', 'name') !== name || from !== namespace) continue;
        if (textAt(kustomization, 'status', 'lastAttemptedRevision') === revision) continue;
        this.enqueue(`Kustomization ${metadata.namespace}/${metadata.name}`, () => this.reconcile(metadata));
      }
    } catch (error) {
      const message = `failed to checkout and determine revision: ${error instanceof Error ? error.message : String(error)}`;
      this.status(source, { conditions: this.ready('False', 'GitOperationFailed', message) }, SOURCE);
    }
  }

  private async reconcile({ namespace, name }: KubeObject['metadata']): Promise<void> {
    const kustomization = this.store.get('Kustomization', namespace, name);
    if (!kustomization || valueAt(kustomization, 'spec', 'suspend') === true) return;
    const from = textAt(kustomization, 'spec', 'sourceRef', 'namespace') || namespace;
    const source = this.store.get('GitRepository', from, textAt(kustomization, 'spec', 'sourceRef', 'name'));
    const revision = textAt(source, 'status', 'artifact', 'revision');
    const folder = this.artifacts.get(revision);
    if (folder === undefined) return;
    const changed = textAt(kustomization, 'status', 'lastAttemptedRevision') !== revision;
    // facts/traces: Ready is Unknown/Progressing first with the old attempt, then with the new one.
    if (changed)
      this.status(
        kustomization,
        { conditions: this.ready('Unknown', 'Progressing', 'Building manifests') },
        KUSTOMIZE,
      );
    const attempted = {
      lastAttemptedRevision: revision,
      observedGeneration: kustomization.metadata.generation ?? 0,
    };
    let objects: readonly Wanted[];
    try {
      const path = textAt(kustomization, 'spec', 'path').replace(/^\.?\//, '');
      objects = fluxBuild(`${folder}/${path}`, fieldsAt(kustomization, 'spec'));
    } catch (error) {
      const message = `kustomize build failed: ${error instanceof Error ? error.message : String(error)}`;
      this.status(
        kustomization,
        { ...attempted, conditions: this.ready('False', 'BuildFailed', message) },
        KUSTOMIZE,
      );
      return;
    }
    if (changed) {
      this.status(
        kustomization,
        {
          ...attempted,
          conditions: this.ready('Unknown', 'Progressing', `Detecting drift for revision ${revision}`),
        },
        KUSTOMIZE,
      );
    }
    const refused = this.apply(kustomization, objects);
    if (refused !== undefined) {
      this.status(
        kustomization,
        { ...attempted, conditions: this.ready('False', 'ReconciliationFailed', refused) },
        KUSTOMIZE,
      );
      return;
    }
    if (
      valueAt(kustomization, 'spec', 'wait') === true &&
      !(await this.healthy(kustomization, objects, attempted))
    )
      return;
    const conditions = this.ready('True', 'ReconciliationSucceeded', `Applied revision: ${revision}`);
    // Two writes, as recorded: Ready first, the applied revision after it.
    if (changed) this.status(kustomization, { ...attempted, conditions }, KUSTOMIZE);
    const inventory = { entries: this.inventoryOf(kustomization) };
    this.status(
      kustomization,
      { ...attempted, lastAppliedRevision: revision, inventory, conditions },
      KUSTOMIZE,
    );
  }

  /** The words of a refusal; undefined when all was applied. What is no longer in the build is pruned. */
  private apply(kustomization: KubeObject, objects: readonly Wanted[]): string | undefined {
    const { name, namespace } = kustomization.metadata;
    const unknown = objects.find(({ kind }) => pluralOf(kind) === undefined);
    if (unknown) {
      return `${unknown.kind}/${unknown.metadata.name} dry-run failed: no matches for kind "${unknown.kind}" in version "${unknown.apiVersion}"`;
    }
    const target = textAt(kustomization, 'spec', 'targetNamespace');
    const inventory: string[] = [];
    for (const object of objects) {
      const into = target || object.metadata.namespace || 'default';
      inventory.push(`${object.kind} ${into} ${object.metadata.name}`);
      const live = this.store.get(object.kind, into, object.metadata.name);
      const ssa = live?.metadata.annotations?.[`${LABEL}/ssa`];
      if (live && (ssa === 'IfNotPresent' || ssa === 'Ignore')) continue;
      const labels = {
        ...object.metadata.labels,
        [`${LABEL}/name`]: name,
        [`${LABEL}/namespace`]: namespace,
      };
      this.store.apply(
        { ...object, metadata: { ...object.metadata, namespace: into, labels } },
        KUSTOMIZE.manager,
      );
    }
    const key = `${namespace}/${name}`;
    if (valueAt(kustomization, 'spec', 'prune') === true) {
      for (const entry of this.inventories.get(key) ?? []) {
        if (inventory.includes(entry)) continue;
        const [kind = '', into = '', gone = ''] = entry.split(' ');
        this.store.delete(kind, into, gone);
      }
    }
    this.inventories.set(key, inventory);
    return undefined;
  }

  /** As kustomize-controller keeps it: `namespace_name_group_kind`. */
  private inventoryOf({ metadata }: KubeObject): readonly { readonly id: string; readonly v: string }[] {
    const applied = this.inventories.get(`${metadata.namespace}/${metadata.name}`) ?? [];
    return applied.map(entry => {
      const [kind = '', namespace = '', name = ''] = entry.split(' ');
      const [version = '', group = ''] = (this.store.get(kind, namespace, name)?.apiVersion ?? '')
        .split('/')
        .toReversed();
      return { id: [namespace, name, group, kind].join('_'), v: version };
    });
  }

  /** kstatus: Deployments are current when rolled out, Canaries while Flagger is not at work on them. */
  private async healthy(
    kustomization: KubeObject,
    objects: readonly Wanted[],
    attempted: object,
  ): Promise<boolean> {
    const until =
      this.clock.now() + (goDurationMs(textAt(kustomization, 'spec', 'timeout')) ?? HEALTH_TIMEOUT_MS);
    const target = textAt(kustomization, 'spec', 'targetNamespace');
    this.status(
      kustomization,
      { ...attempted, conditions: this.ready('Unknown', 'Progressing', 'Running health checks') },
      KUSTOMIZE,
    );
    while (!this.stop.aborted) {
      const late = objects.find(({ kind, metadata }) => {
        const live = this.store.get(kind, target || metadata.namespace || 'default', metadata.name);
        if (kind === 'Deployment') return !isReady(live);
        if (kind !== 'Canary') return false;
        return !['Succeeded', 'Initialized', 'Failed'].includes(textAt(live, 'status', 'phase'));
      });
      if (!late) return true;
      if (this.clock.now() >= until) {
        const message = `timeout waiting for: [${late.kind}/${late.metadata.name} status: 'InProgress']`;
        this.status(
          kustomization,
          { ...attempted, conditions: this.ready('False', 'HealthCheckFailed', message) },
          KUSTOMIZE,
        );
        return false;
      }
      await this.clock.sleep(1_000, this.stop);
    }
    return false;
  }

  private status(object: KubeObject, change: object, by: { readonly manager: string }): void {
    const now = this.store.get(object.kind, object.metadata.namespace, object.metadata.name);
    if (!now) return;
    const observedGeneration = now.metadata.generation ?? 0;
    this.store.replace(now, 'status', { ...fieldsAt(now, 'status'), observedGeneration, ...change }, by);
  }

  private ready(status: 'True' | 'False' | 'Unknown', reason: string, message: string): readonly object[] {
    const lastTransitionTime = this.store.timestamp();
    const conditions = [{ type: 'Ready', status, reason, message, lastTransitionTime }];
    return status === 'Unknown'
      ? [{ type: 'Reconciling', status: 'True', reason, message, lastTransitionTime }, ...conditions]
      : conditions;
  }
}
