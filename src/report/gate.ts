import type { CanaryView } from '../rollout/observation.ts';
import type { Track } from '../rollout/track.ts';
import type { GateView } from './view.ts';

/** Our own gate of a rollout with a barrier (plan/barrier.ts); nobody has to open it. */
const BARRIER_NAME = 'gated-rollout-barrier';

/** The gates that a canary stands before, and how they are opened. */
export function gatesOf(track: Track, canary: CanaryView | undefined): readonly GateView[] {
  const type = gateType(track);
  if (type === undefined || !canary) return [];
  return canary.analysis.webhooks
    .filter(webhook => webhook.type === type && webhook.name !== BARRIER_NAME)
    .map(({ name, url }) => ({ name, type, url, opening: openingWords(url, canary) }));
}

function gateType(track: Track): GateView['type'] | undefined {
  if (track.stage === 'waitingApproval') return 'confirm-rollout';
  if (track.stage === 'waitingPromotion') return 'confirm-promotion';
  return undefined;
}

/** Flagger's load tester keeps gates under the name and namespace of the Canary (pkg/loadtester/server.go). */
function openingWords(url: string, canary: CanaryView): GateView['opening'] {
  const base = /^(.+)\/gate\/(check|halt)$/.exec(url);
  if (base?.[2] === 'check') {
    const body = JSON.stringify({ name: canary.name, namespace: canary.namespace });
    return { kind: 'command', command: `curl -d '${body}' ${base[1] ?? ''}/gate/open` };
  }
  if (base?.[2] === 'halt') return { kind: 'never' };
  return { kind: 'elsewhere' };
}
