import { type TargetRef, targetKey } from '../rollout/target.ts';
import { Refusal } from '../rollout/verdict.ts';
import { refuseKnativeFields } from './knative-target.ts';
import { builtName, builtNamespace, isOfKind, type Site } from './locate.ts';

/** What Flux builds from a folder. */
export interface BuiltFolder {
  readonly objects: readonly Site[];
  readonly folder: string;
  readonly targetNamespace: string | undefined;
}

/** The manifests that become a target. */
export function sitesOf(target: TargetRef, on: BuiltFolder): readonly Site[] {
  return on.objects.filter(site => {
    const namespace = builtNamespace(site, on.targetNamespace);
    return (
      isOfKind(site, target.kind) &&
      builtName(site) === target.name &&
      (namespace === undefined || namespace === target.namespace)
    );
  });
}

/** The one manifest of a target. @throws Refusal. */
export function siteOf(target: TargetRef, on: BuiltFolder): Site {
  const sites = sitesOf(target, on);
  const [only] = sites;
  if (sites.length === 1 && only) {
    refuseKnativeFields(target, only);
    return only;
  }
  const folder = on.folder === '' ? 'the root folder' : on.folder;
  if (only) {
    throw new Refusal(
      'change-ambiguous',
      `${targetKey(target)} is written ${sites.length} times in what Flux builds from ${folder}: ${sites.map(({ file }) => file.path).join(', ')}.`,
      {
        remedy: 'Keep one of them.',
      },
    );
  }
  const ofKind = on.objects.filter(site => isOfKind(site, target.kind));
  const seen = ofKind.map(site => `${builtNamespace(site, on.targetNamespace) ?? '?'}/${builtName(site)}`);
  throw new Refusal(
    'target-not-found',
    `What Flux builds from ${folder} has no ${target.kind === 'Service' ? 'Knative Service' : target.kind} ${target.namespace}/${target.name}; it has ${seen.join(', ') || 'none at all'}.`,
    {
      remedy: 'If it comes from a remote base, a Helm chart or a generator, it cannot be released here yet.',
    },
  );
}
