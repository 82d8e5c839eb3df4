import type { RolloutFile } from '../../config/settings.ts';
import { linkKey } from '../../rollout/link-progress.ts';
import type { FluxChain, TargetView } from '../../rollout/observation.ts';
import { type TargetRef, targetKey } from '../../rollout/target.ts';
import { Refusal } from '../../rollout/verdict.ts';
import { written } from '../canary/written.ts';
import type { Ground } from '../changes/wanted.ts';
import { refuseKnativeFields, refuseKnativeFrom } from '../knative-target.ts';
import { type Applied, folderIn, folderWords } from '../tree/flux-tree.ts';
import { ManifestSource, targetIn } from './manifest-source.ts';
import type { TargetSource } from './target-source.ts';

export interface SourceOn {
  readonly target: TargetRef;
  readonly chain: FluxChain | undefined;
  readonly applier: Applied | undefined;
  readonly view: TargetView | undefined;
  readonly ground: Ground;
  readonly rollout: Pick<RolloutFile, 'idPath'>;
}

/** Where a target comes from. @throws Refusal. */
export async function sourceOf(on: SourceOn): Promise<TargetSource> {
  const { target, applier, ground } = on;
  if (!applier) throw new Refusal('not-managed', `No Kustomization of Flux applies ${targetKey(target)}.`);
  const link = on.chain?.links.at(-1);
  if (link) refuseKnativeFrom(target, linkKey(link));
  const built = await ground.tree.built(applier);
  const object = targetIn(target, built, folderWords(folderIn(built.spec)));
  refuseKnativeFields(target, await written(ground.tree, object));
  return await ManifestSource.of({ target, of: applier, object }, ground.tree);
}
