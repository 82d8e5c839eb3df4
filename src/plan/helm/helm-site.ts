import type { FluxChain, HelmReleaseView } from '../../rollout/observation.ts';
import { type TargetRef, targetKey } from '../../rollout/target.ts';
import { Refusal } from '../../rollout/verdict.ts';
import { builtName, builtNamespace, type Site } from '../locate.ts';
import { text } from '../patch-reach.ts';
import { effectiveObject } from './effective-object.ts';
import type { Tracked } from './tracked.ts';

/** A target that Helm renders: what can be edited of it is the manifest of its HelmRelease. */
export interface HelmSite {
  /** `HelmRelease prod/shop` */
  readonly name: string;
  readonly release: { readonly namespace: string; readonly name: string };
  /** The manifest of the HelmRelease. */
  readonly site: Site;
  /** The HelmRelease with all patches. */
  readonly object: Tracked;
  /** The live pod template: what Helm made of it. */
  readonly template: unknown;
}

/** The HelmRelease next to a target, when it is one that brings it. */
export function nearestRelease(chain: FluxChain | undefined): HelmReleaseView | undefined {
  const nearest = chain?.links.at(-1);
  return nearest?.kind === 'HelmRelease' ? nearest.view : undefined;
}

/** @throws Refusal when the HelmRelease is not in what the Kustomization builds, or several times. */
export function helmSiteOf(
  target: TargetRef,
  on: {
    readonly release: HelmReleaseView;
    readonly objects: readonly Site[];
    readonly applier: FluxChain['kustomizations'][number];
    readonly template: unknown;
  },
): HelmSite {
  const { objects, applier } = on;
  const { namespace, name } = on.release;
  const all = objects.filter(isHelmRelease);
  const found = all.filter(site => {
    const built = builtNamespace(site, applier.targetNamespace);
    return builtName(site) === name && (built === undefined || built === namespace);
  });
  const [only] = found;
  const words = `HelmRelease ${namespace}/${name}`;
  const folder = applier.path === '' ? 'the root folder' : applier.path;
  if (!only) {
    const seen = all.map(site => builtName(site)).join(', ') || 'none at all';
    throw new Refusal(
      'target-not-found',
      `${targetKey(target)} comes from the ${words}, which is not in what Flux builds from ${folder}; it has ${seen}.`,
      { remedy: 'Keep the manifest of the HelmRelease in that folder, or in what it builds upon.' },
    );
  }
  if (found.length > 1) {
    throw new Refusal(
      'change-ambiguous',
      `${words} is written ${found.length} times in what Flux builds from ${folder}: ${found.map(({ file }) => file.path).join(', ')}.`,
      { remedy: 'Keep one of them.' },
    );
  }
  return {
    name: words,
    release: { namespace, name },
    site: only,
    object: effectiveObject(only),
    template: on.template,
  };
}

export function isHelmRelease(site: Site): boolean {
  return (
    site.data['kind'] === 'HelmRelease' && text(site.data['apiVersion']).startsWith('helm.toolkit.fluxcd.io/')
  );
}

/**
 * A target's site where there is no manifest of it: what is live stands for it, in the file of its HelmRelease. A Canary
 * that is added goes beside that file.
 */
export function renderedSite(target: TargetRef, helm: HelmSite, targetNamespace: string | undefined): Site {
  const { site, template } = helm;
  const sameNamespace = (builtNamespace(site, targetNamespace) ?? target.namespace) === target.namespace;
  const namespace = sameNamespace ? site.namespace : target.namespace;
  return {
    file: site.file,
    document: site.document,
    root: site.root,
    layers: site.layers,
    name: target.name,
    ...(namespace === undefined ? {} : { namespace }),
    data: {
      apiVersion: 'apps/v1',
      kind: target.kind,
      metadata: { name: target.name, namespace: target.namespace },
      spec: { template },
    },
  };
}

/** @throws Refusal when a Canary beside the HelmRelease would be put into another namespace than its target's. */
export function refuseMovedCanary(target: TargetRef, site: Site, targetNamespace: string | undefined): void {
  const built = builtNamespace(site, targetNamespace);
  if (built === undefined || built === target.namespace) return;
  throw new Refusal(
    'canary-not-found',
    `The Kustomization that applies the HelmRelease of ${targetKey(target)} puts everything into the namespace ${built}; a Canary that we add there could not guard it.`,
    { remedy: `Add a Canary in the namespace ${target.namespace} by hand, then run this again.` },
  );
}
