import type { Change } from '../config/settings.ts';
import { Refusal } from '../rollout/verdict.ts';
import { containersOf } from './containers.ts';
import type { Edits } from '../edit/edits.ts';
import { type ImageInBuild, imageInBuild, setInEntry, versionKeys } from './image-places.ts';
import { ownerOf } from './layer.ts';
import { builtName, type Site } from './locate.ts';
import { text } from './patch-reach.ts';

export interface OverlayImageOn {
  readonly edits: Edits;
  readonly site: Site;
  /** Everything that the same folder builds. */
  readonly objects: readonly Site[];
}

/**
 * Sets the version of an image that is written outside of this environment's folder by an `images` entry of the folder
 * itself (write: overlay): other environments keep theirs.
 * @throws Refusal when the folder has no kustomization, or when something else in it runs the same image and is no
 * target of the change.
 */
export function setInOverlay(
  change: Extract<Change, { kind: 'image' }>,
  image: ImageInBuild,
  on: OverlayImageOn,
): void {
  const layer = on.site.layers.find(
    ({ kustomization, flux }) => kustomization !== undefined || flux !== undefined,
  );
  const owner = layer && ownerOf(layer);
  const where = `${change.position.file}:${change.position.line}`;
  if (!layer || !owner) {
    throw new Refusal(
      'shared-line',
      `${where}: the folder that Flux applies has no kustomization to hold the image.`,
      {
        remedy: 'Give it a kustomization.yaml, or say write: base.',
      },
    );
  }
  const others = othersWith(image.repository, change, on);
  if (others.length > 0) {
    throw new Refusal(
      'change-ambiguous',
      `${where}: an images entry in ${owner.file.path} would change ${others.join(', ')}, too, which is no target of the change.`,
      { remedy: 'Name all of them as targets, or say write: base.' },
    );
  }
  const entry = layer.images.find(({ name }) => name === image.repository);
  if (entry) {
    setInEntry(on.edits, { kind: 'entry', owner, entry, shared: false }, versionKeys(change.version));
    return;
  }
  const keys = Object.entries(versionKeys(change.version)).filter(([, value]) => value !== undefined);
  const added = { name: image.repository, ...Object.fromEntries(keys) };
  on.edits.update(owner.file, file => file.append(owner.document, [...owner.path, 'images'], added));
}

function othersWith(
  repository: string,
  change: Extract<Change, { kind: 'image' }>,
  { site, objects }: OverlayImageOn,
): readonly string[] {
  return objects
    .filter(other => other !== site)
    .filter(other =>
      containersOf(other).some(container => imageInBuild(container)?.repository === repository),
    )
    .map(other => `${text(other.data['kind'])} ${builtName(other)}`)
    .filter(name => !change.in.some(target => target.endsWith(`/${name.split(' ')[1] ?? ''}`)));
}
