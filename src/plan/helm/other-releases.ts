import type { Change } from '../../config/settings.ts';
import { Refusal } from '../../rollout/verdict.ts';
import { builtName, type Site } from '../locate.ts';
import type { RepositoryFiles } from '../../build/repository-files.ts';
import { lineOfPlace, originOf, type ValuePlace } from '../value-setter.ts';
import { effectiveObject } from './effective-object.ts';
import { isHelmRelease } from './helm-site.ts';
import { helmValues } from './helm-values.ts';
import type { Tracked } from './tracked.ts';

/**
 * A ConfigMap may hold values of several HelmReleases, and a patch may reach several of them.
 * @throws Refusal `change-ambiguous` when a place is also what a HelmRelease of no target takes its values from.
 */
export async function refuseOtherReleases(
  change: Change,
  place: ValuePlace,
  on: {
    readonly target: string;
    readonly objects: readonly Site[];
    readonly files: RepositoryFiles;
    /** HelmReleases of the change's targets. */
    readonly released: readonly Site[];
  },
): Promise<void> {
  const origin = originOf(place);
  const others: string[] = [];
  for (const site of on.objects.filter(each => isHelmRelease(each) && !on.released.includes(each))) {
    const object = effectiveObject(site);
    const { tree } = await helmValues(object, { ...on, site });
    if ([object, tree].some(each => each && places(each).some(at => originOf(at) === origin))) {
      others.push(`HelmRelease ${builtName(site)}`);
    }
  }
  if (others.length === 0) return;
  throw new Refusal(
    'change-ambiguous',
    `${change.name} of ${on.target} is set in ${place.file.path}:${lineOfPlace(place)}, which changes ${others.join(', ')}, too; that brings no target of the change.`,
    {
      remedy:
        'Name its target, too, or set the value where only this HelmRelease takes it from: its own spec.values.',
    },
  );
}

function places(tree: Tracked): readonly ValuePlace[] {
  switch (tree.kind) {
    case 'scalar':
      return [tree.at];
    case 'list':
      return tree.items.flatMap(places);
    case 'map':
      return [...tree.entries.values()].flatMap(places);
  }
}
