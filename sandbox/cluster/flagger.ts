import { canaryAnalysis } from '../../src/flagger/canary-analysis.ts';
import type { Clock } from '../../src/rollout/ports.ts';
import { callWebhooks, checkMetrics, type MetricValue, webhooksOf } from './flagger-checks.ts';
import { FlaggerObjects } from './flagger-objects.ts';
import { FlaggerStatus } from './flagger-status.ts';
import { canonical, fieldsAt, type KubeObject, numberAt, textAt, valueAt } from './kube-object.ts';
import type { ObjectStore } from './object-store.ts';
import { deadlineExceeded, isReady, replicasOf, templateHash } from './workload-controller.ts';

const DEFAULT_DEADLINE_S = 600;

export type MetricLookup = (canary: string, metric: string) => MetricValue | undefined;

/**
 * Flagger for Deployments: one timer per Canary, each tick one step of scheduler.go's advanceCanary, as the recorded
 * runs in facts/traces show it.
 */
export class Flagger {
  private readonly store: ObjectStore;
  private readonly clock: Clock;
  private readonly stop: AbortSignal;
  private readonly metric: MetricLookup;
  private readonly status: FlaggerStatus;
  private readonly objects: FlaggerObjects;
  private readonly ticking = new Set<string>();
  /** Last value of each metric, by the labels of its line. */
  private readonly gauge = new Map<string, number>();
  /** No tick is done while true: the controller is down. */
  paused = false;

  constructor(on: {
    readonly store: ObjectStore;
    readonly clock: Clock;
    readonly stop: AbortSignal;
    readonly metric: MetricLookup;
  }) {
    this.store = on.store;
    this.clock = on.clock;
    this.stop = on.stop;
    this.metric = on.metric;
    this.status = new FlaggerStatus(on.store);
    this.objects = new FlaggerObjects(on.store);
    this.store.onChange(({ type, object }) => {
      if (object.kind !== 'Canary' || type === 'DELETED') return;
      const key = object.metadata.uid ?? '';
      if (this.ticking.has(key)) return;
      this.ticking.add(key);
      void this.keepTicking(object);
    });
  }

  /** What Flagger serves at /metrics, in Prometheus' text format. */
  metricsPage(): string {
    const lines = [...this.gauge].map(
      ([labels, value]) => `flagger_canary_metric_analysis{${labels}} ${value}\n`,
    );
    return `# TYPE flagger_canary_metric_analysis gauge\n${lines.join('')}`;
  }

  private async keepTicking({ metadata }: KubeObject): Promise<void> {
    // The first look comes soon: a new Canary is a new job of the scheduler.
    await this.clock.sleep(1_000, this.stop);
    while (!this.stop.aborted) {
      const canary = this.store.get('Canary', metadata.namespace, metadata.name);
      if (!canary || canary.metadata.uid !== metadata.uid) {
        this.objects.removeOwned(metadata);
        return;
      }
      if (!this.paused && valueAt(canary, 'spec', 'suspend') !== true) await this.tick(canary);
      await this.clock.sleep(canaryAnalysis(fieldsAt(canary, 'spec')).intervalMs, this.stop);
    }
  }

  private async tick(canary: KubeObject): Promise<void> {
    const target = this.objects.target(canary);
    if (!target) {
      this.status.event(canary, 'Warning', `deployment ${this.name(canary)} get query error: not found`);
      return;
    }
    const primary = this.objects.primary(canary);
    const phase = this.status.phaseOf(canary);
    if (!primary || phase === '' || phase === 'Initializing') return this.initialize(canary, target, primary);
    const hash = templateHash(valueAt(target, 'spec', 'template'));
    if (['Initialized', 'Succeeded', 'Failed'].includes(phase))
      return await this.fromRest(canary, target, hash);
    if (phase === 'Waiting') return await this.fromWaiting(canary, target, hash);
    if (phase === 'Promoting') return this.promoting(canary, primary);
    if (phase === 'Finalising') return await this.finalising(canary, target);
    await this.analyse(canary, target, hash);
  }

  private initialize(canary: KubeObject, target: KubeObject, primary: KubeObject | undefined): void {
    const hash = templateHash(valueAt(target, 'spec', 'template'));
    if (!primary) {
      this.objects.copyToPrimary(canary, target);
      this.objects.makeServices(canary, target);
      this.status.set(canary, { phase: 'Initializing', lastAppliedSpec: '', lastPromotedSpec: '' });
      return;
    }
    if (!isReady(primary)) return;
    this.objects.scale(target, 0);
    const trackedConfigs = this.objects.trackedConfigs(target);
    this.status.set(canary, {
      phase: 'Initialized',
      lastAppliedSpec: hash,
      lastPromotedSpec: hash,
      trackedConfigs,
    });
    this.status.event(canary, 'Normal', `Initialization done! ${this.name(canary)}`);
  }

  /** Initialized, Succeeded or Failed: is there something new? Going back to what was promoted is not. */
  private async fromRest(canary: KubeObject, target: KubeObject, hash: string): Promise<void> {
    const failed = this.status.phaseOf(canary) === 'Failed';
    const changed = this.isNew(canary, target, hash);
    if (!changed) {
      if (failed) this.status.set(canary, { lastAppliedSpec: hash });
      return;
    }
    // A new revision after a failure is first seen as Failed with the new hash (facts/traces, failure-after-failure).
    const seen = failed ? this.status.set(canary, { lastAppliedSpec: hash }) : canary;
    if (await this.gateIsClosed(seen, 'confirm-rollout')) {
      this.status.set(seen, { phase: 'Waiting', canaryWeight: 0, iterations: 0, failedChecks: 0 });
      this.status.event(
        seen,
        'Warning',
        `Halt ${this.name(seen)} advancement waiting for approval ${gateName(seen, 'confirm-rollout')}`,
      );
      return;
    }
    this.begin(seen, target, hash, 'Scaling up');
  }

  private async fromWaiting(canary: KubeObject, target: KubeObject, hash: string): Promise<void> {
    if (await this.gateIsClosed(canary, 'confirm-rollout')) return;
    this.begin(canary, target, hash, 'Scaling up');
  }

  private begin(
    canary: KubeObject,
    target: KubeObject,
    hash: string,
    what: 'Scaling up' | 'Restarting analysis for',
  ): void {
    this.status.event(canary, 'Normal', `New revision detected! ${what} ${this.name(canary)}`);
    this.objects.scale(target, Math.max(1, replicasOf(this.objects.primary(canary) ?? target)));
    this.status.set(canary, {
      phase: 'Progressing',
      canaryWeight: 0,
      iterations: 0,
      failedChecks: 0,
      lastAppliedSpec: hash,
      trackedConfigs: this.objects.trackedConfigs(target),
      startedAt: this.clock.now(),
    });
  }

  private async analyse(canary: KubeObject, target: KubeObject, hash: string): Promise<void> {
    const name = this.name(canary);
    if (this.isNew(canary, target, hash)) return this.begin(canary, target, hash, 'Restarting analysis for');
    if (!isReady(target)) return this.notReady(canary, target);
    if (webhooksOf(canary, 'rollback').length > 0 && (await callWebhooks(canary, 'rollback')) === undefined) {
      this.status.event(canary, 'Warning', `Rolling back ${name} manual webhook invoked`);
      return this.fail(canary, target);
    }
    const analysis = canaryAnalysis(fieldsAt(canary, 'spec'));
    const failedChecks = numberAt(canary, 'status', 'failedChecks') ?? 0;
    if (failedChecks >= analysis.threshold) {
      this.status.event(
        canary,
        'Warning',
        `Rolling back ${name} failed checks threshold reached ${failedChecks}`,
      );
      return this.fail(canary, target);
    }
    if (valueAt(canary, 'spec', 'skipAnalysis') === true) return this.skip(canary, target, hash);
    if (this.status.phaseOf(canary) === 'WaitingPromotion')
      return await this.promoteIfAllowed(canary, target);
    const weight = numberAt(canary, 'status', 'canaryWeight') ?? 0;
    const iteration = numberAt(canary, 'status', 'iterations') ?? 0;
    const halt = weight === 0 && iteration === 0 ? await this.start(canary) : await this.check(canary);
    if (halt !== undefined) {
      this.status.event(canary, 'Warning', halt);
      this.status.set(canary, { failedChecks: failedChecks + 1 });
      return;
    }
    await this.advance(canary, target, { analysis, weight, iteration });
  }

  private async start(canary: KubeObject): Promise<string | undefined> {
    const refused = await callWebhooks(canary, 'pre-rollout');
    const name = this.name(canary);
    if (refused) return `Halt ${name} advancement pre-rollout check ${refused.name} failed ${refused.error}`;
    this.status.event(canary, 'Normal', `Starting canary analysis for ${name}`);
    return undefined;
  }

  private async check(canary: KubeObject): Promise<string | undefined> {
    const refused = await callWebhooks(canary, 'rollout');
    if (refused)
      return `Halt ${this.name(canary)} advancement external check ${refused.name} failed ${refused.error}`;
    const key = `${canary.metadata.namespace}/${canary.metadata.name}`;
    return checkMetrics(
      canary,
      metric => this.metric(key, metric),
      (metric, value) => this.gauge.set(gaugeLabels(canary, metric), value),
    );
  }

  private async advance(
    canary: KubeObject,
    target: KubeObject,
    on: {
      readonly analysis: ReturnType<typeof canaryAnalysis>;
      readonly weight: number;
      readonly iteration: number;
    },
  ): Promise<void> {
    const { analysis, weight, iteration } = on;
    const name = this.name(canary);
    if (analysis.strategy === 'weighted') {
      const next = analysis.weights.find(step => step > weight);
      if (next === undefined) return await this.promoteIfAllowed(canary, target);
      this.status.set(canary, { canaryWeight: next });
      this.status.event(canary, 'Normal', `Advance ${name} canary weight ${next}`);
      this.objects.route(canary, next);
      return;
    }
    const total = analysis.iterations ?? 1;
    const blueGreen = analysis.strategy !== 'ab';
    // Blue/green sends all traffic to the canary for one tick more, and counts it.
    if (iteration >= (blueGreen ? total + 1 : total)) return await this.promoteIfAllowed(canary, target);
    this.status.set(canary, { iterations: iteration + 1 });
    this.objects.route(canary, blueGreen && iteration < total ? 0 : 100);
    const words =
      iteration < total
        ? `Advance ${name} canary iteration ${iteration + 1}/${total}`
        : 'Routing all traffic to canary';
    this.status.event(canary, 'Normal', words);
  }

  private async promoteIfAllowed(canary: KubeObject, target: KubeObject): Promise<void> {
    const name = this.name(canary);
    if (webhooksOf(canary, 'confirm-promotion').length > 0) {
      if (await this.gateIsClosed(canary, 'confirm-promotion')) {
        if (this.status.phaseOf(canary) === 'WaitingPromotion') return;
        // facts/traces, confirm-promotion-gate-opened: weight 0 and iterations -1 while traffic stays.
        this.status.set(canary, { phase: 'WaitingPromotion', canaryWeight: 0, iterations: -1 });
        const gate = gateName(canary, 'confirm-promotion');
        this.status.event(
          canary,
          'Warning',
          `Halt ${name} advancement waiting for promotion approval ${gate}`,
        );
        return;
      }
      this.status.event(
        canary,
        'Normal',
        `Confirm-promotion check ${gateName(canary, 'confirm-promotion')} passed`,
      );
    }
    this.status.event(
      canary,
      'Normal',
      `Copying ${name} template spec to ${target.metadata.name}-primary.${canary.metadata.namespace}`,
    );
    this.objects.copyToPrimary(canary, target);
    this.status.set(canary, { phase: 'Promoting' });
  }

  private promoting(canary: KubeObject, primary: KubeObject): void {
    const name = `${primary.metadata.name}.${canary.metadata.namespace}`;
    if (isReady(primary)) {
      this.status.event(canary, 'Normal', 'Routing all traffic to primary');
      this.objects.route(canary, 0);
      this.status.set(canary, { phase: 'Finalising', canaryWeight: 0, iterations: 0 });
      return;
    }
    if (!deadlineExceeded(primary)) {
      const words = 'waiting for rollout to finish: 0 out of 1 new replicas have been updated';
      this.status.event(canary, 'Warning', `${name} not ready: ${words}`);
      return;
    }
    this.status.event(
      canary,
      'Warning',
      `${name} not ready: deployment "${primary.metadata.name}" exceeded its progress deadline`,
    );
    // Seen: Failed with all traffic on the canary, because the primary cannot serve.
    this.status.set(canary, { phase: 'Failed', canaryWeight: 100, iterations: 0, failedChecks: 0 });
  }

  private async finalising(canary: KubeObject, target: KubeObject): Promise<void> {
    this.objects.scale(target, 0);
    const lastPromotedSpec = textAt(canary, 'status', 'lastAppliedSpec');
    this.status.set(canary, {
      phase: 'Succeeded',
      canaryWeight: 0,
      iterations: 0,
      failedChecks: 0,
      lastPromotedSpec,
    });
    this.status.event(canary, 'Normal', `Promotion completed! Scaling down ${this.name(canary)}`);
    await callWebhooks(canary, 'post-rollout');
  }

  private skip(canary: KubeObject, target: KubeObject, hash: string): void {
    this.objects.copyToPrimary(canary, target);
    this.objects.scale(target, 0);
    this.status.set(canary, {
      phase: 'Succeeded',
      canaryWeight: 0,
      iterations: 0,
      failedChecks: 0,
      lastPromotedSpec: hash,
    });
    this.status.event(
      canary,
      'Normal',
      `Promotion completed! Canary analysis was skipped for ${this.name(canary)}`,
    );
  }

  private notReady(canary: KubeObject, target: KubeObject): void {
    const name = this.name(canary);
    const began = numberAt(canary, 'status', 'startedAt') ?? this.clock.now();
    const deadlineS = numberAt(canary, 'spec', 'progressDeadlineSeconds') ?? DEFAULT_DEADLINE_S;
    const words = 'waiting for rollout to finish: 0 out of 1 new replicas have been updated';
    this.status.event(canary, 'Warning', `canary deployment ${name} not ready: ${words}`);
    if (this.clock.now() - began < deadlineS * 1000) return;
    this.status.event(
      canary,
      'Warning',
      `Rolling back ${name} progress deadline exceeded canary deployment ${name} not ready: ${words}`,
    );
    this.fail(canary, target);
  }

  private fail(canary: KubeObject, target: KubeObject): void {
    this.objects.route(canary, 0);
    this.objects.scale(target, 0);
    this.status.set(canary, { phase: 'Failed', canaryWeight: 0, iterations: 0, failedChecks: 0 });
    this.status.event(canary, 'Warning', `Canary failed! Scaling down ${this.name(canary)}`);
  }

  private async gateIsClosed(
    canary: KubeObject,
    type: 'confirm-rollout' | 'confirm-promotion',
  ): Promise<boolean> {
    return webhooksOf(canary, type).length > 0 && (await callWebhooks(canary, type)) !== undefined;
  }

  /** canary/spec.go: another template than the last applied one, and not the promoted one; or a tracked config. */
  private isNew(canary: KubeObject, target: KubeObject, hash: string): boolean {
    const status = fieldsAt(canary, 'status');
    const applied = textAt(canary, 'status', 'lastAppliedSpec');
    if (hash !== applied && hash !== textAt(canary, 'status', 'lastPromotedSpec')) return true;
    return canonical(status['trackedConfigs'] ?? {}) !== canonical(this.objects.trackedConfigs(target));
  }

  /** As Flagger writes names in its words. */
  private name({ metadata }: KubeObject): string {
    return `${metadata.name}.${metadata.namespace}`;
  }
}

function gaugeLabels(canary: KubeObject, metric: string): string {
  const name = textAt(canary, 'spec', 'targetRef', 'name');
  return `metric="${metric}",name="${name}",namespace="${canary.metadata.namespace}"`;
}

function gateName(canary: KubeObject, type: 'confirm-rollout' | 'confirm-promotion'): string {
  return textAt(webhooksOf(canary, type)[0], 'name');
}
