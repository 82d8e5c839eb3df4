import { keptBy, releasedBy } from '../rollout/automation-hold.ts';
import type { Observation } from '../rollout/observation.ts';
import { ClusterForbidden, ClusterUnavailable } from '../rollout/ports.ts';
import { targetKey } from '../rollout/target.ts';
import { type Automations, nameOf, resumeWords } from './automations.ts';
import type { ImageAutomation, RunGitOps, RunParts } from './parts.ts';
import { isIdOf } from './rollout-id.ts';

/**
 * Image automation that earlier runs of this rollout have suspended and could not see to any more. What never reached
 * the branch, or was promoted, holds nothing any longer; what ended otherwise keeps it until a person resumes it.
 * Returns what a person should know.
 */
export async function settleEarlierHolds(
  parts: Pick<RunParts, 'cluster' | 'rollout' | 'say'>,
  on: {
    readonly automations: Automations;
    readonly gitops: RunGitOps;
    readonly observation: Observation;
    /** Rollouts that are not to be judged here. */
    readonly except: readonly string[];
  },
): Promise<readonly string[]> {
  const notes: string[] = [];
  for (const automation of await on.automations.leftBehind()) {
    const isEarlier = (id: string): boolean => isIdOf(parts.rollout.name, id) && !on.except.includes(id);
    const left = automation.hold.heldFor.filter(isEarlier);
    const kept = automation.hold.keptFor.filter(isEarlier);
    try {
      for (const id of left) notes.push(await settleOne(parts, { ...on, automation, id }));
    } catch (error) {
      if (!(error instanceof ClusterForbidden) && !(error instanceof ClusterUnavailable)) throw error;
      parts.say(`${nameOf(automation)} could not be seen to: ${error.message}`);
    }
    if (automation.hold.suspended && kept.length > 0) notes.push(keptWords(automation, kept));
  }
  return notes;
}

async function settleOne(
  parts: Pick<RunParts, 'cluster' | 'rollout'>,
  on: {
    readonly automation: ImageAutomation;
    readonly id: string;
    readonly gitops: RunGitOps;
    readonly observation: Observation;
  },
): Promise<string> {
  const { automation, id, observation } = on;
  const promoted = parts.rollout.targets.every(
    target => observation.targets[targetKey(target)]?.primary?.rolloutId === id,
  );
  // Whoever named it: what may be ours and was taken back must not be released again by resuming.
  if (promoted || !(await on.gitops.isIdNamed(id))) {
    const hold = await parts.cluster.changeHold(automation, now => releasedBy(now, id));
    const what = `${nameOf(automation)} was suspended for ${id}, whose run ended early`;
    return hold.suspended ? `${what}; others hold it still.` : `${what}; it goes on again.`;
  }
  await parts.cluster.changeHold(automation, now => keptBy(now, id));
  return keptWords(automation, [id]);
}

function keptWords(automation: ImageAutomation, ids: readonly string[]): string {
  return `${nameOf(automation)} is still suspended since ${ids.join(', ')} was taken back. ${resumeWords(automation)}`;
}
