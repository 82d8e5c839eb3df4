import type { RolloutFile } from '../../config/settings.ts';
import { Refusal } from '../../rollout/verdict.ts';

/** @throws Refusal `image-automation` for a line that has another writer, unless rollout.yaml says what to do about it. */
export function refuseMarked(
  settings: Pick<RolloutFile, 'imageAutomation'>,
  at: { readonly path: string; readonly line: number; readonly text: string },
): void {
  if (settings.imageAutomation !== 'refuse' || !at.text.includes('$imagepolicy')) return;
  throw new Refusal(
    'image-automation',
    `${at.path}:${at.line} is written by Flux image automation ($imagepolicy), which would undo a revert.`,
    {
      remedy:
        'Say image-automation: suspend in rollout.yaml to have it suspended while we release, or image-automation: follow to follow its commit.',
    },
  );
}
