import type { Observation } from '../rollout/observation.ts';
import { type Settlement, settlement } from '../rollout/settlement.ts';
import type { TargetKey } from '../rollout/target.ts';

/** What a release would have to wait for, or would be refused for, if it began now. */
export function goingOn(observation: Observation): readonly string[] {
  return Object.entries(observation.targets)
    .map(([target, view]) => settlementWords(target, settlement(view)))
    .filter(words => words !== undefined);
}

/** Nothing to worry about, and good to know. */
export function toBeAdopted(observation: Observation): readonly string[] {
  return Object.entries(observation.targets)
    .filter(([, view]) => settlement(view).kind === 'absent')
    .map(([target]) => `${target} has no Canary yet: it is added first, and what runs now is not analysed.`);
}

function settlementWords(target: TargetKey, now: Settlement): string | undefined {
  switch (now.kind) {
    case 'wait':
      return `${target}: a release would wait, because ${now.what}.`;
    case 'refuse':
      return `${target}: a release would be refused now. ${now.what} ${now.remedy}`;
    case 'failed':
      return `${target}: the release before was rejected and never reverted; this one would roll forward over it.`;
    case 'absent':
    case 'settled':
      return undefined;
  }
}
