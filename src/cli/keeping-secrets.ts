import type { RolloutFile } from '../config/settings.ts';
import { Refusal } from '../rollout/verdict.ts';
import { publicNames } from '../run/secret-keeping-planner.ts';
import { HiddenValues } from '../secrets/hidden-values.ts';
import { TreeSecrets } from '../secrets/tree-secrets.ts';

/** A terminal is a place like any other: its lines, and the words of a refusal, say nothing of what a Secret holds. */
export async function keepingSecrets(
  rollout: RolloutFile,
  work: (secrets: TreeSecrets) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const secrets = new TreeSecrets(new HiddenValues(publicNames(rollout, rollout.gitops.repository)));
  try {
    return secrets.values.hideIn(await work(secrets));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { reason, message, remedy } = error;
    throw new Refusal(reason, secrets.values.hide(message), remedy === undefined ? {} : { remedy });
  }
}
