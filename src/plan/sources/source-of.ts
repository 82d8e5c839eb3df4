import type { RolloutFile } from '../../config/settings.ts';
import { linkKey } from '../../rollout/link-progress.ts';
import type { FluxChain, Observation, TargetView } from '../../rollout/observation.ts';
import { type TargetKey, type TargetRef, targetKey } from '../../rollout/target.ts';
import { Refusal } from '../../rollout/verdict.ts';
import { written } from '../canary/written.ts';
import { identity } from '../differences.ts';
import type { Grounded } from '../ground.ts';
import { refuseKnativeFields, refuseKnativeFrom } from '../knative-target.ts';
import { type Applied, folderIn, folderWords } from '../tree/applied.ts';
import type { BuiltTree } from '../tree/flux-tree.ts';
import { ForeignSource, type KustomizationLink, standInFor, urlOf } from './foreign-source.ts';
import { HelmSource } from './helm/helm-source.ts';
import { isTarget, ManifestSource, targetIn } from './manifest-source.ts';
import { onRemoteBase, remotesOf, withoutRemoteBases } from './remote-base.ts';
import type { LiveWorkload } from './stand-in.ts';
import type { TargetSource } from './target-source.ts';

export interface SourcesOn {
  readonly rollout: Pick<RolloutFile, 'targets' | 'idPath'>;
  readonly chains: Readonly<Record<TargetKey, FluxChain>>;
  readonly observation: Observation;
  readonly ground: Grounded;
}

/** Where the targets come from. @throws Refusal. */
export async function sourcesOf(on: SourcesOn): Promise<readonly TargetSource[]> {
  const standIns = new Map<string, Applied>();
  const sources: TargetSource[] = [];
  for (const target of on.rollout.targets) sources.push(await sourceOf(target, on, standIns));
  return sources;
}

async function sourceOf(
  target: TargetRef,
  on: SourcesOn,
  standIns: Map<string, Applied>,
): Promise<TargetSource> {
  const key = targetKey(target);
  const { ground } = on;
  const applier = ground.applierOf(key);
  if (!applier) throw new Refusal('not-managed', `No Kustomization of Flux applies ${key}.`);
  const chain = on.chains[key];
  const link = chain?.links.at(-1);
  if (link) refuseKnativeFrom(target, linkKey(link));
  if (link?.kind === 'Kustomization') {
    const of = standIns.get(linkKey(link)) ?? (await standInOf(link, { ...on, carrier: applier }));
    standIns.set(linkKey(link), of);
    return await ForeignSource.of(link, { target, of, carrier: applier, ground });
  }
  const view = on.observation.targets[key];
  if (link) {
    return await HelmSource.of({
      target,
      ground,
      of: applier,
      release: link.view,
      template: view?.target?.template,
      idPath: on.rollout.idPath,
      released: releasesOf(on),
    });
  }
  const built = await ground.tree.build(applier);
  const isHere = built.kind === 'built' && built.objects.some(object => isTarget(object, target));
  if (isHere) return await fromManifest(target, { of: applier, built, ground });
  const workloads = chain?.kustomizations.at(-1)?.workloads ?? [];
  return (
    (await fromRemote(target, { of: applier, view, ground, workloads })) ??
    (await fromManifest(target, { of: applier, built: await ground.tree.built(applier), ground }))
  );
}

/** HelmReleases of all targets. */
function releasesOf({ rollout, chains }: SourcesOn): readonly string[] {
  return rollout.targets.flatMap(target => {
    const link = chains[targetKey(target)]?.links.at(-1);
    return link?.kind === 'HelmRelease' ? [identity({ kind: link.kind, ...link.view })] : [];
  });
}

async function fromManifest(
  target: TargetRef,
  { of, built, ground }: { readonly of: Applied; readonly built: BuiltTree; readonly ground: Grounded },
): Promise<TargetSource> {
  const object = targetIn(target, built, folderWords(folderIn(built.spec)));
  refuseKnativeFields(target, await written(ground.tree, object));
  return await ManifestSource.of({ target, of, object }, ground.tree);
}

/** A target that comes with a remote base (`resources: [https://…]`) of a kustomization of ours. */
async function fromRemote(
  target: TargetRef,
  on: {
    readonly of: Applied;
    readonly view: TargetView | undefined;
    readonly ground: Grounded;
    readonly workloads: KustomizationLink['view']['workloads'];
  },
): Promise<TargetSource | undefined> {
  const { of, view, ground } = on;
  const remotes = await remotesOf(of, ground);
  const named = remotes.flatMap(each => each.named);
  if (named.length === 0) return undefined;
  refuseKnativeFrom(target, named.join(' or '));
  const local = withoutRemoteBases(of, remotes);
  const here = await ground.tree.build(local);
  if (here.kind === 'built' && here.objects.some(object => isTarget(object, target))) {
    return await fromManifest(target, { of: local, built: here, ground });
  }
  const live = view?.target;
  if (!live) throw unseen(target, named.join(' or '));
  const base = await onRemoteBase(of, {
    remotes,
    workload: { target, live },
    neighbours: on.workloads ?? [],
    ground,
  });
  if (!base) {
    throw new Refusal(
      'target-not-found',
      `What Flux builds from ${folderWords(folderIn(of.spec))} has no ${target.kind} ${target.namespace}/${target.name}, and what it takes from ${named.join(' or ')} would have another name there.`,
      { remedy: 'Check kind, namespace and name, and what the kustomizations around it make of names.' },
    );
  }
  const built = await ground.tree.built(base.of);
  const object = targetIn(target, built, folderWords(folderIn(built.spec)));
  return await ManifestSource.of({ target, of: base.of, object, elsewhere: base }, ground.tree);
}

/** All targets of a rollout that one Kustomization brings are looked at together: a patch may reach several. */
async function standInOf(
  link: KustomizationLink,
  on: SourcesOn & { readonly carrier: Applied },
): Promise<Applied> {
  const workloads = on.rollout.targets.flatMap((target): readonly LiveWorkload[] => {
    const key = targetKey(target);
    const own = on.chains[key]?.links.at(-1);
    if (!own || linkKey(own) !== linkKey(link)) return [];
    const live = on.observation.targets[key]?.target;
    if (!live) throw unseen(target, urlOf(link));
    return [{ target, live }];
  });
  return await standInFor(link, { ...on, workloads });
}

function unseen(target: TargetRef, from: string): Refusal {
  return new Refusal(
    'target-not-found',
    `The manifest of ${targetKey(target)} is not in this repository (it comes from ${from}), so that only the cluster can say what it is like; it was not asked, or has no such ${target.kind}.`,
    { remedy: 'Let the cluster be asked, and look whether the target exists.' },
  );
}
