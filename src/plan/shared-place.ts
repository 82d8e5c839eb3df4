import type { Change } from '../config/settings.ts';
import { kindOfKey, type TargetKey } from '../rollout/target.ts';
import { Refusal } from '../rollout/verdict.ts';
import { containersOf } from './containers.ts';
import { type ImageSetter, imageInBuild, whereOf } from './image-places.ts';
import { builtName, type Site } from './locate.ts';
import { reaches, text } from './patch-reach.ts';

/**
 * @throws Refusal `change-ambiguous` when the place that sets a value sets it for something else in the build, too,
 * which is no target of the change: a patch by a pattern of names, an images entry, a manifest that is built twice.
 */
export function refuseOthers(
  change: Change,
  setter: ImageSetter,
  on: { readonly target: TargetKey; readonly site: Site; readonly objects: readonly Site[] },
): void {
  const others = on.objects
    .filter(other => other !== on.site && !isTarget(other, change.in) && changesWith(setter, other, on.site))
    .map(other => `${text(other.data['kind'])} ${builtName(other)}`);
  if (others.length === 0) return;
  const { path, line } = whereOf(setter);
  throw new Refusal(
    'change-ambiguous',
    `${change.name} of ${on.target} is set in ${path}:${line}, which changes ${[...new Set(others)].join(', ')}, too; that is no target of the change.`,
    {
      remedy:
        'Name all of them as targets, or set the value where only the target takes it from: a patch or an entry of its own.',
    },
  );
}

function isTarget(site: Site, targets: readonly TargetKey[]): boolean {
  const kind = text(site.data['kind']);
  const name = `/${builtName(site)}`;
  return targets.some(target => target.endsWith(name) && kindOfKey(target) === kind);
}

function changesWith(setter: ImageSetter, other: Site, site: Site): boolean {
  if (setter.kind === 'entry') {
    return containersOf(other).some(container => {
      const image = imageInBuild(container);
      return [image?.versionBy, image?.repositoryBy].some(
        by => by?.kind === 'entry' && by.entry === setter.entry && by.owner.file === setter.owner.file,
      );
    });
  }
  const { patch } = setter.place;
  if (patch) return reaches(patch, other);
  const same = other.file.path === site.file.path && other.document === site.document;
  return same && other.root.join() === site.root.join();
}
