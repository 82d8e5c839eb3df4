import type { ChainLink, FluxChain, KustomizationView, SourceView } from '../rollout/observation.ts';
import { type ObjectRef, type TargetRef, targetKey } from '../rollout/target.ts';
import { Refusal } from '../rollout/verdict.ts';
import type { Applier, FluxObjects, FoundObject } from './flux-objects.ts';
import { chartRefOf, parseHelmRelease } from './parse-helm-release.ts';
import { parseKustomization, sourceRefOf } from './parse-flux.ts';
import { chartSourceOf, type FoundSource, sourceOf } from './sources.ts';

/** A Kustomization that applies itself, or a circle, ends the way up. */
const MAX_APPLIERS = 10;

export interface TraceOptions {
  readonly target: TargetRef;
  /** The object that applies the target, when it should not be looked for. */
  readonly via: ObjectRef | undefined;
  /** Whether a source is the repository that is released into. */
  readonly isOurs: (source: SourceView) => boolean | Promise<boolean>;
}

/**
 * Who brings a target to life: what applies it, what applies that one, and so on up. Our commit goes in at the lowest
 * Kustomization that takes its files from our repository; what lies between it and the target are links. Where none does,
 * the lowest Kustomization is given, and its source shows whose it is.
 * @throws Refusal `target-not-found`, `not-managed`, `wrong-source`; ClusterForbidden, ClusterUnavailable.
 */
export async function traceChain(objects: FluxObjects, on: TraceOptions): Promise<FluxChain> {
  const links = await linksUpwards(objects, on);
  const sourced = links.flatMap((link, index) => (link.kind === 'Kustomization' ? [{ ...link, index }] : []));
  const ours = await Promise.all(sourced.map(({ source }) => on.isOurs(source)));
  const entry = sourced.findLast((_, index) => ours[index]) ?? sourced.at(-1);
  if (!entry) {
    throw notManaged(
      `${targetKey(on.target)} comes from the HelmRelease ${nameOf(links.at(-1)?.view)}, which no Kustomization applies: nothing in Git says what runs.`,
      'Keep the HelmRelease in the GitOps repository, and let a Kustomization apply it.',
    );
  }
  return {
    source: entry.source,
    // A HelmRelease that applies Kustomizations is nothing that a commit could be followed through.
    kustomizations: sourced.filter(({ index }) => index <= entry.index).map(({ view }) => view),
    links: links.slice(entry.index + 1),
  };
}

/** From the root down to what applies the target, each with its source. */
async function linksUpwards(objects: FluxObjects, on: TraceOptions): Promise<readonly ChainLink[]> {
  const first = on.via ? named(on.via) : await objects.applierOf(on.target);
  if (!first) {
    throw notManaged(
      `${targetKey(on.target)} has no owner label of Flux: nothing of Flux applies it.`,
      'Have Flux apply it, or name the Kustomization under via: in rollout.yaml.',
    );
  }
  const found: ChainLink[] = [];
  const seen = new Set<string>();
  for (let at: Applier | undefined = first; at && found.length < MAX_APPLIERS; ) {
    const key = `${at.kind} ${at.namespace}/${at.name}`;
    if (seen.has(key)) break;
    seen.add(key);
    const object: FoundObject | undefined = await objects.find(at);
    if (object === undefined) {
      // A parent that is gone explains nothing any more; what applies the target must be there.
      if (found.length > 0) break;
      throw notManaged(
        on.via
          ? `There is no ${key}, which via: in rollout.yaml names.`
          : `${targetKey(on.target)} is labelled as applied by the ${key}, which does not exist.`,
        'Name the Kustomization that applies it under via: in rollout.yaml.',
      );
    }
    found.unshift(await linkOf(objects, at.kind, object));
    at = object.applier;
  }
  return found;
}

async function linkOf(objects: FluxObjects, kind: Applier['kind'], found: FoundObject): Promise<ChainLink> {
  const { object, manifest } = found;
  if (kind === 'HelmRelease') {
    const chartSource = await chartSourceOf(objects, chartRefOf(object));
    return { kind, view: parseHelmRelease(object), ...(chartSource ? { chartSource } : {}) };
  }
  const view = parseKustomization(object);
  const source = await sourceOf(objects, sourceRefOf(object), `Kustomization ${nameOf(view)}`);
  const inPlace = withFolder(view, source);
  return {
    kind,
    view: { ...inPlace, ...(manifest === undefined ? {} : { manifest }) },
    source: source.view,
  };
}

/** With the repository and its folder in the place of an artifact that was made of them, and of a folder of that. */
export function withFolder(
  view: KustomizationView,
  { view: source, folderOf }: FoundSource,
): KustomizationView {
  if (!folderOf) return view;
  const path = folderOf(view.path);
  const { kind, namespace, name } = source;
  return { ...view, path, spec: { ...view.spec, path: `./${path}`, sourceRef: { kind, namespace, name } } };
}

function named({ kind, name, namespace }: ObjectRef): Applier {
  return {
    kind: kind === 'HelmRelease' ? kind : 'Kustomization',
    name,
    namespace: namespace ?? 'flux-system',
  };
}

function nameOf(view: { readonly namespace: string; readonly name: string } | undefined): string {
  return view ? `${view.namespace}/${view.name}` : '?';
}

export function notManaged(message: string, remedy: string): Refusal {
  return new Refusal('not-managed', message, { remedy });
}
