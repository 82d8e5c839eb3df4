import type { Change } from '../../../config/settings.ts';
import { items, type Path, record, text, valueAt } from '../../../build/json.ts';
import type { BuiltObject } from '../../../build/tree-builder.ts';
import { writePlace } from '../../../edit/places.ts';
import { splitImage } from '../../../rollout/live-value.ts';
import { targetKey } from '../../../rollout/target.ts';
import { writeImage } from '../../changes/images.ts';
import type { Ground, WantedField } from '../../changes/wanted.ts';
import { identity } from '../../differences.ts';
import type { FluxTree } from '../../tree/flux-tree.ts';
import type { ArrivedAt, Origin } from '../../tree/origins.ts';
import { chosenImage } from './choose-image.ts';
import { takesValuesFrom, valuesOf } from './helm-values.ts';
import { isHelmRelease, type Rendered, releaseIn } from './rendered.ts';
import { editsOfImage, type ValueEdit } from './value-edits.ts';
import { dotted, type ValueImage, versionOf } from './value-images.ts';

type ImageChange = Extract<Change, { kind: 'image' }>;

/**
 * An image of a HelmRelease's target, where its version comes from: an images entry of a postRenderer, which is applied
 * last, or the chart's values.
 * @throws Refusal naming every place found when it is none, or more than one.
 */
export async function imageField(change: ImageChange, on: Rendered, tree: FluxTree): Promise<WantedField> {
  const rendered = renderedImages(on.release);
  const renamed = rendered.filter(image => image.newName === change.repository).map(({ name }) => name);
  const names = [change.repository, ...renamed];
  const last = rendered.findLast(image => names.includes(image.name) && image.version !== '');
  return last
    ? rendererField(change, last, on)
    : valuesField(change, await chosenImage(change, { ...on, names, tree }), on);
}

interface RenderedImage {
  readonly name: string;
  readonly newName: string;
  readonly version: string;
  /** In the HelmRelease. */
  readonly path: Path;
}

/** Images entries of the postRenderers, in the order in which they are applied. */
function renderedImages({ data }: BuiltObject): readonly RenderedImage[] {
  return items(record(data['spec'])['postRenderers']).flatMap((renderer, at) =>
    items(record(record(renderer)['kustomize'])['images']).map((entry, index) => {
      const { name, newName, newTag, digest } = record(entry);
      return {
        name: text(name),
        newName: text(newName),
        version: [text(newTag), text(digest)].filter(part => part !== '').join('@'),
        path: ['spec', 'postRenderers', at, 'kustomize', 'images', index],
      };
    }),
  );
}

function rendererField(change: ImageChange, image: RenderedImage, on: Rendered): WantedField {
  const read = (objects: readonly BuiltObject[]): string => {
    const entry = record(valueAt(releaseIn(objects, on)?.data, image.path));
    return [text(entry['newTag']), text(entry['digest'])].filter(part => part !== '').join('@');
  };
  return {
    ...imageCommon(change, image.version, on),
    tokens: image.version.split('@'),
    read,
    path: image.path,
    wanted: change.version,
    inPlace: (ground, origin) => writeImage(ground, origin, { change, repository: image.name }),
    apart: () => Promise.resolve([]),
  };
}

function valuesField(change: ImageChange, image: ValueImage, on: Rendered): WantedField {
  const where = `${dotted(image.path) || 'the values'} of ${on.name}`;
  const wanted = { version: change.version, repository: change.newRepository, where };
  const edits = editsOfImage(image, wanted);
  const paths = edits.map(({ part }) => part.path);
  const read = (objects: readonly BuiltObject[]): string => {
    const { values } = valuesOf(releaseIn(objects, on)?.data ?? {}, objects);
    return paths.map(path => text(valueAt(values, path))).join('\n');
  };
  return {
    ...imageCommon(change, versionOf(image), on),
    tokens: edits.flatMap(({ part }) =>
      image.form === 'reference' ? splitImage(part.value).version.split('@') : [part.value],
    ),
    read,
    path: ['spec', 'values', ...image.path],
    wanted: edits.map(({ value }) => value).join('\n'),
    inPlace: (ground, origin) =>
      image.form === 'reference'
        ? writeImage(ground, origin, { change, repository: splitImage(image.reference.value).repository })
        : writeParts(ground, origin, edits),
    apart: ground =>
      on.apart(
        edits.map(({ part, value }) => ({ path: ['spec', 'values', ...part.path], value })),
        ground,
        change,
      ),
  };
}

async function writeParts(
  { tree, edits }: Ground,
  { dyes }: Origin,
  parts: readonly ValueEdit[],
): Promise<void> {
  for (const { part, value } of parts) {
    for (const { place, token } of dyes) {
      if (token === part.value) writePlace(edits, place, value, (await tree.text(place.file)) ?? '');
    }
  }
}

function imageCommon(change: ImageChange, current: string, on: Rendered) {
  const target = targetKey(on.target);
  const repository = change.newRepository ?? change.repository;
  const container = change.container === undefined ? {} : { container: change.container };
  const expectation = { kind: 'image', target, ...container } as const;
  return {
    ...common(change, on),
    words: {
      change: `image ${change.repository}`,
      current,
      requested: change.newRepository === undefined ? change.version : `${repository}:${change.version}`,
    },
    isThere: current === change.version && change.newRepository === undefined,
    expectation: { ...expectation, repository, version: change.version },
    currentExpectation: { ...expectation, repository: change.repository, version: current },
  } as const;
}

function common(change: Change, on: Rendered) {
  const { of, release } = on;
  return {
    change,
    of,
    object: release,
    target: targetKey(on.target),
    isMeant: ({ object }: ArrivedAt): boolean =>
      identity(object) === identity(release) || takesValuesFrom(release.data, object.kind, object.name),
    alsoIn: ({ objects, dyes }: Origin): readonly string[] => otherReleases(objects, dyes, on),
  };
}

/** A ConfigMap may hold values of several HelmReleases. */
function otherReleases(
  objects: readonly BuiltObject[],
  dyes: Origin['dyes'],
  { released }: Rendered,
): readonly string[] {
  return objects
    .filter(object => isHelmRelease(object) && !released.includes(identity(object)))
    .filter(object => {
      const words = JSON.stringify(valuesOf(object.data, objects).values ?? null);
      return dyes.some(({ value }) => words.includes(String(value)));
    })
    .map(({ name }) => `HelmRelease ${name}`);
}
