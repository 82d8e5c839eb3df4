import type { BuiltObject } from '../../../build/tree-builder.ts';
import type { Change } from '../../../config/settings.ts';
import { text, valueAt } from '../../../build/json.ts';
import { keyOf } from '../../../build/dye.ts';
import { imagesIn, splitImage } from '../../../rollout/live-value.ts';
import { targetKey } from '../../../rollout/target.ts';
import { Refusal } from '../../../rollout/verdict.ts';
import { notFound } from '../../changes/wanted.ts';
import type { FluxTree } from '../../tree/flux-tree.ts';
import { type Followed, originsOf } from '../../tree/origins.ts';
import { type Rendered, releaseIn } from './rendered.ts';
import { valuesOf } from './helm-values.ts';
import { dotted, repositoryOf, type ValueImage, valueImages, versionOf } from './value-images.ts';

type ImageChange = Extract<Change, { kind: 'image' }>;

interface Choosing extends Rendered {
  /** Of the image that is meant. */
  readonly names: readonly string[];
  readonly tree: FluxTree;
}

/** A value image and the line that sets its version. */
interface Placed {
  readonly image: ValueImage;
  /** `api.image (apps/release.yaml:13)` */
  readonly words: string;
  /** What is set in one place is one image, however often an alias repeats it. */
  readonly place: string;
}

/** The image of the values that is the target's. @throws Refusal when it is none, or when only the chart could tell. */
export async function chosenImage(change: ImageChange, on: Choosing): Promise<ValueImage> {
  const { values, unseen } = valuesOf(on.release.data, on.objects);
  const images = valueImages(values);
  const matching = images.filter(image => isNamed(image, on.names));
  const versioned = await withoutRepeats(
    matching.filter(image => versionOf(image) !== ''),
    on,
  );
  const live = liveVersion(change, on);
  const running =
    versioned.length === 1 ? versioned : versioned.filter(({ image }) => versionOf(image) === live);
  const [only] = running;
  if (only && running.length === 1) return only.image;
  if (versioned.length > 1) throw ambiguous(change, on, versioned);
  if (matching.length > 0) throw withoutVersion(change, on, await placed(matching, on));

  // Charts know their own repository: a tag alone is the image's when it is the only one, and what runs has it.
  const tags = images.filter(image => repositoryOf(image) === undefined && versionOf(image) !== '');
  const [tag] = tags;
  if (tag && tags.length === 1 && versionOf(tag) === live) return tag;
  if (tag && tags.some(image => versionOf(image) === live))
    throw ambiguous(change, on, await placed(tags, on));
  throw nowhere(change, on, { seen: await placed(images, on), unseen });
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

async function withoutRepeats(images: readonly ValueImage[], on: Choosing): Promise<readonly Placed[]> {
  if (images.length < 2) return images.map(image => ({ image, words: dotted(image.path), place: '' }));
  const all = await placed(images, on);
  return all.filter(
    ({ place }, index) => place === '' || all.findIndex(each => each.place === place) === index,
  );
}

async function placed(images: readonly ValueImage[], on: Choosing): Promise<readonly Placed[]> {
  const fields = images.map((image): Followed => {
    const part =
      image.form === 'reference' ? image.reference : (image.tag ?? image.digest ?? image.repository);
    const version = part && image.form === 'reference' ? splitImage(part.value).version : part?.value;
    return {
      of: on.of,
      tokens: [version?.split('@')[0] ?? ''],
      read: (objects: readonly BuiltObject[]) =>
        text(valueAt(valuesOf(releaseIn(objects, on)?.data ?? {}, objects).values, part?.path ?? [])),
    };
  });
  const origins = await originsOf(on.tree, fields);
  return await Promise.all(
    images.map(async (image, index) => {
      const field = fields[index];
      const [dye] = (field && origins.get(field)?.dyes) ?? [];
      const path = dotted(image.path) || 'the values';
      if (!dye) return { image, words: path, place: '' };
      const { line } = dye.place;
      return { image, words: `${path} (${dye.place.file}:${line})`, place: keyOf(dye.place) };
    }),
  );
}

function liveVersion(change: ImageChange, on: Rendered): string | undefined {
  return imagesIn(on.template)
    .map(splitImage)
    .find(({ repository }) => repository === change.repository)?.version;
}

function list(images: readonly Placed[]): string {
  return images
    .map(({ image, words }) => `${words}: ${repositoryOf(image) ?? ''}:${versionOf(image)}`)
    .join(', ');
}

function ambiguous(change: ImageChange, on: Rendered, images: readonly Placed[]): Refusal {
  const { file, line } = change.position;
  return new Refusal(
    'change-ambiguous',
    `${file}:${line}: the values of ${on.name} set the image ${change.repository} in several places, and which of them is that of ${targetKey(on.target)} is the chart’s to know: ${list(images)}.`,
    { remedy: AT_REMEDY },
  );
}

function withoutVersion(change: ImageChange, on: Rendered, images: readonly Placed[]): Refusal {
  const live = liveVersion(change, on) ?? 'what runs now';
  return notFound(
    change,
    { target: targetKey(on.target), where: on.where },
    `the values of ${on.name} name the image at ${images.map(({ words }) => words).join(', ')} and leave its tag to the chart; write it there first (tag: ${live}), which changes nothing`,
  );
}

function nowhere(
  change: ImageChange,
  on: Rendered,
  { seen, unseen }: { readonly seen: readonly Placed[]; readonly unseen: readonly string[] },
): Refusal {
  const also = unseen.length > 0 ? `; values also come from ${unseen.join(', ')}` : '';
  const live = imagesIn(on.template).join(', ') || 'nothing that is known';
  return notFound(
    change,
    { target: targetKey(on.target), where: on.where },
    `the values of ${on.name} do not set the image ${change.repository}. Images found in them: ${list(seen) || 'none'}${also}. What runs: ${live}. ${AT_REMEDY}`,
  );
}

const AT_REMEDY =
  'Name the place with at: {file, object: HelmRelease/NAME, path: spec.values.…} in rollout.yaml; where the chart sets the tag itself, write it into the values first.';
