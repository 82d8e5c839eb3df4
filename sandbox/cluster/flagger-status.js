import { fieldsAt, listAt, textAt } from './kube-object.js';
const MANAGER = { manager: 'flagger' };
const MESSAGES = {
  Waiting: 'Waiting for approval.',
  Progressing: 'New revision detected, progressing canary analysis.',
  WaitingPromotion: 'Waiting for approval.',
  Promoting: 'Canary analysis completed, starting primary rolling update.',
  Finalising: 'Canary analysis completed, routing all traffic to primary.',
  Succeeded: 'Canary analysis completed successfully, promotion finished.',
  Failed: 'Canary analysis failed, Deployment scaled to zero.',
  Initialized: 'Deployment initialization completed.',
};
const STATUS = { Succeeded: 'True', Initialized: 'True', Failed: 'False' };
const TERMINAL = ['', 'Initializing', 'Initialized', 'Succeeded', 'Failed'];
/** Writes the status of a Canary as Flagger does, condition times included (canary/status.go). */
export class FlaggerStatus {
  store;
  constructor(store) {
    this.store = store;
  }
  phaseOf(canary) {
    return textAt(canary, 'status', 'phase');
  }
  /** Sets fields; with a phase also the condition `Promoted`. */
  set(canary, change) {
    const now = this.store.get('Canary', canary.metadata.namespace, canary.metadata.name) ?? canary;
    const old = fieldsAt(now, 'status');
    const time = this.store.timestamp();
    const conditions =
      change.phase === undefined ? old['conditions'] : [this.condition(now, change.phase, time)];
    const status = {
      canaryWeight: 0,
      iterations: 0,
      failedChecks: 0,
      ...old,
      ...change,
      conditions,
      lastTransitionTime: time,
    };
    return this.store.replace(now, 'status', status, MANAGER);
  }
  /**
   * Both times move on the way into an analysis from a terminal phase and at each end; among running phases only the
   * update time; none while the phase stays (seen on real runs).
   */
  condition(canary, phase, time) {
    const before = this.phaseOf(canary);
    const old = listAt(canary, 'status', 'conditions')[0];
    if (before === phase && old !== undefined) return fieldsAt({ old }, 'old');
    const keeps = !TERMINAL.includes(before) && !TERMINAL.includes(phase);
    return {
      type: 'Promoted',
      status: STATUS[phase] ?? 'Unknown',
      reason: phase,
      message: MESSAGES[phase] ?? '',
      lastTransitionTime: keeps ? textAt(old, 'lastTransitionTime') : time,
      lastUpdateTime: time,
    };
  }
  /** An Event on the Canary; the same words again only count up. */
  event(canary, type, message) {
    const { name, namespace, uid = '' } = canary.metadata;
    const known = this.store
      .list('Event', namespace)
      .find(
        event => textAt(event, 'message') === message && textAt(event, 'involvedObject', 'name') === name,
      );
    const time = this.store.timestamp();
    if (known) {
      const count = Number(known['count'] ?? 1) + 1;
      this.store.patch(known, { count, lastTimestamp: time }, MANAGER);
      return;
    }
    this.store.apply(
      {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: `${name}.${this.store.resourceVersion}`, namespace },
        type,
        reason: 'Synced',
        message,
        count: 1,
        firstTimestamp: time,
        lastTimestamp: time,
        source: { component: 'flagger' },
        involvedObject: { kind: 'Canary', namespace, name, uid },
      },
      'flagger',
    );
  }
}
