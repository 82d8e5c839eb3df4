import type { Change, RolloutFile } from '../../config/settings.ts';
import { Refusal } from '../../rollout/verdict.ts';
import { type Applied, wordsOf } from '../tree/applied.ts';
import type { FluxTree } from '../tree/flux-tree.ts';

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

/** @throws Refusal for a value that Flux would take for a variable of its own. */
export async function refuseVariables(
  change: Change,
  value: string,
  { tree, of }: { readonly tree: FluxTree; readonly of: Applied },
): Promise<void> {
  if (!value.includes('${')) return;
  for (let each: Applied | undefined = of; each; ) {
    const { spec } = await tree.built(each);
    if (spec['postBuild'] !== undefined && spec['postBuild'] !== null) {
      throw new Refusal(
        'bad-config',
        `${change.position.file}:${change.position.line}: the value of ${change.name} has \${…} in it, which ${wordsOf(each)} would replace (spec.postBuild): other text would run than what is asked for.`,
        { remedy: 'Give a value without it, or one that is put together where it is used.' },
      );
    }
    each = each.definedBy && 'by' in each.definedBy ? each.definedBy.by : undefined;
  }
}
