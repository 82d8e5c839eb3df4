import { isAlias } from 'yaml';
import type { Change } from '../../config/settings.ts';
import { imagesIn, splitImage } from '../../rollout/live-value.ts';
import { Refusal } from '../../rollout/verdict.ts';
import { type AppliedChange, type ChangeOn, guardLine, notFound } from '../apply-change.ts';
import type { Site } from '../locate.ts';
import type { RepositoryFiles } from '../../build/repository-files.ts';
import { lineOfPlace, originOf, type ValuePlace, writePlace } from '../value-setter.ts';
import type { HelmSite } from './helm-site.ts';
import type { HelmValues } from './helm-values.ts';
import { overlayValues } from './overlay-values.ts';
import { refuseOtherReleases } from './other-releases.ts';
import { type RenderedImage, renderedImages, writeRenderedImage } from './rendered-images.ts';
import { dotted, repositoryOf, type ValueImage, valueImages, versionOf } from './value-images.ts';
import { editsOfImage, placeOfVersion } from './value-edits.ts';

type ImageChange = Extract<Change, { kind: 'image' }>;

export interface HelmChangeOn extends ChangeOn {
  readonly helm: HelmSite;
  readonly values: HelmValues;
  readonly files: RepositoryFiles;
  /** HelmReleases of the change's targets. */
  readonly released: readonly Site[];
}

/** What sets the version of an image that Helm renders. */
type Setter =
  | { readonly by: 'values'; readonly image: ValueImage }
  | { readonly by: 'renderer'; readonly image: RenderedImage };

/**
 * An image of a HelmRelease's target, where its version comes from: an images entry of a postRenderer, which is applied
 * last, or the chart's values.
 * @throws Refusal naming every place found when it is none, or more than one.
 */
export async function applyHelmImage(change: ImageChange, on: HelmChangeOn): Promise<AppliedChange> {
  const setter = setterOf(change, on);
  const current = setter.by === 'values' ? versionOf(setter.image) : setter.image.version;
  const place = placeOf(setter);
  const line = lineOfPlace(place);
  const { path } = place.file;
  const isChanged = current !== change.version || change.newRepository !== undefined;
  const wanted = { version: change.version, repository: change.newRepository };
  if (setter.by === 'values' && place.shared && on.settings.write === 'overlay') {
    if (isChanged)
      overlayValues(change, editsOfImage(setter.image, { ...wanted, where: wordsOf(setter) }), on);
  } else {
    const text = place.file.text.split('\n')[line - 1] ?? '';
    guardLine(change, on, { path, line, text, shared: place.shared });
    if (isChanged) await refuseOtherReleases(change, place, on);
    if (isChanged && setter.by === 'renderer') writeRenderedImage(on.edits, setter.image, wanted);
    if (isChanged && setter.by === 'values') {
      for (const { part, value } of editsOfImage(setter.image, { ...wanted, where: wordsOf(setter) })) {
        writePlace(on.edits, part.at, value);
      }
    }
  }
  const repository = change.newRepository ?? change.repository;
  const container = change.container === undefined ? {} : { container: change.container };
  const expectation = { kind: 'image', target: on.target, ...container } as const;
  return {
    found: {
      change: `image ${change.repository}`,
      target: on.target,
      path,
      line,
      current,
      requested: change.newRepository === undefined ? change.version : `${repository}:${change.version}`,
      currentExpectation: { ...expectation, repository: change.repository, version: current },
    },
    expectation: { ...expectation, repository, version: change.version },
  };
}

function setterOf(change: ImageChange, on: HelmChangeOn): Setter {
  const rendered = renderedImages(on.helm.object);
  const renamed = rendered.filter(image => image.newName === change.repository).map(({ name }) => name);
  const names = [change.repository, ...renamed];
  const last = rendered.findLast(image => names.includes(image.name) && image.version !== '');
  if (last) return { by: 'renderer', image: last };

  const images = valueImages(on.values.tree);
  const named = images.filter(image => isNamed(image, names));
  const matching = withoutAliases(named);
  const versioned = matching.filter(image => versionOf(image) !== '');
  const live = liveVersion(change, on);
  const running = versioned.length === 1 ? versioned : versioned.filter(image => versionOf(image) === live);
  const [only] = running;
  if (only && running.length === 1) return { by: 'values', image: only };
  if (versioned.length > 1) throw ambiguous(change, on, versioned);
  if (matching.length > 0) throw withoutVersion(change, on, matching);

  // Charts know their own repository: a tag alone is the image's when it is the only one, and what runs has it.
  const tags = images.filter(image => repositoryOf(image) === undefined && versionOf(image) !== '');
  const [tag] = tags;
  if (tag && tags.length === 1 && versionOf(tag) === live) return { by: 'values', image: tag };
  if (tag && tags.some(image => versionOf(image) === live)) throw ambiguous(change, on, tags);
  throw nowhere(change, on, images);
}

/** What an alias repeats is written once, at its anchor. */
function withoutAliases(images: readonly ValueImage[]): readonly ValueImage[] {
  const isAliased = (image: ValueImage): boolean => {
    const { file, document, path, inline } = placeOfVersion(image);
    return inline === undefined && isAlias(file.node(document, path));
  };
  const anchorsFirst = images.toSorted((one, other) => Number(isAliased(one)) - Number(isAliased(other)));
  const origins = anchorsFirst.map(image => originOf(placeOfVersion(image)));
  return anchorsFirst.filter((_, index) => origins.indexOf(origins[index] ?? '') === index);
}

/** By its whole name, or by the end of it where the registry is the chart's own (global.imageRegistry, a default). */
function isNamed(image: ValueImage, names: readonly string[]): boolean {
  const repository = repositoryOf(image);
  if (repository === undefined) return false;
  return names.some(
    name =>
      name === repository ||
      (image.form === 'split' && image.registry === undefined && name.endsWith(`/${repository}`)),
  );
}

function liveVersion(change: ImageChange, on: HelmChangeOn): string | undefined {
  return imagesIn(on.helm.template)
    .map(splitImage)
    .find(({ repository }) => repository === change.repository)?.version;
}

function placeOf(setter: Setter): ValuePlace {
  return setter.by === 'renderer' ? setter.image.at : placeOfVersion(setter.image);
}

function wordsOf(setter: Setter): string {
  const { file } = placeOf(setter);
  const path = setter.by === 'values' ? dotted(setter.image.path) : 'postRenderers';
  return `${path || 'the values'} (${file.path}:${lineOfPlace(placeOf(setter))})`;
}

function list(images: readonly ValueImage[]): string {
  return images
    .map(image => `${wordsOf({ by: 'values', image })}: ${repositoryOf(image) ?? ''}:${versionOf(image)}`)
    .join(', ');
}

function ambiguous(change: ImageChange, on: HelmChangeOn, images: readonly ValueImage[]): Refusal {
  const { file, line } = change.position;
  return new Refusal(
    'change-ambiguous',
    `${file}:${line}: the values of ${on.helm.name} set the image ${change.repository} in several places, and which of them is that of ${on.target} is the chart’s to know: ${list(images)}.`,
    { remedy: AT_REMEDY },
  );
}

function withoutVersion(change: ImageChange, on: HelmChangeOn, images: readonly ValueImage[]): Refusal {
  const live = liveVersion(change, on) ?? 'what runs now';
  return notFound(
    change,
    on,
    `the values of ${on.helm.name} name the image at ${images.map(image => wordsOf({ by: 'values', image })).join(', ')} and leave its tag to the chart; write it there first (tag: ${live}), which changes nothing`,
  );
}

function nowhere(change: ImageChange, on: HelmChangeOn, images: readonly ValueImage[]): Refusal {
  const seen = list(images) || 'none';
  const unseen = on.values.unseen.length > 0 ? `; values also come from ${on.values.unseen.join(', ')}` : '';
  const live = imagesIn(on.helm.template).join(', ') || 'nothing that is known';
  return notFound(
    change,
    on,
    `the values of ${on.helm.name} do not set the image ${change.repository}. Images found in them: ${seen}${unseen}. What runs: ${live}. ${AT_REMEDY}`,
  );
}

const AT_REMEDY =
  'Name the place with at: {file, object: HelmRelease/NAME, path: spec.values.…} in rollout.yaml; where the chart sets the tag itself, write it into the values first.';
