import { Refusal } from '../../rollout/verdict.ts';
import type { Edits } from '../../edit/edits.ts';
import { versionKeys } from '../image-places.ts';
import type { ValuePlace } from '../value-setter.ts';
import { at, itemsOf, scalarText, type Tracked } from './tracked.ts';

/** An images entry of a HelmRelease's postRenderer. */
export interface RenderedImage {
  readonly name: string;
  readonly newName?: string;
  /** '' when it renames only. */
  readonly version: string;
  readonly at: ValuePlace;
}

/** In the order in which they are applied. */
export function renderedImages(release: Tracked): readonly RenderedImage[] {
  return itemsOf(at(release, ['spec', 'postRenderers'])).flatMap(renderer =>
    itemsOf(at(renderer, ['kustomize', 'images'])).map(entry => {
      const text = (key: string) => scalarText(at(entry, [key]));
      const newName = text('newName');
      return {
        name: text('name') ?? '',
        ...(newName === undefined ? {} : { newName }),
        version: [text('newTag'), text('digest')].filter(part => part !== undefined && part !== '').join('@'),
        at: entry.at,
      };
    }),
  );
}

export function writeRenderedImage(
  edits: Edits,
  image: RenderedImage,
  wanted: { readonly version: string; readonly repository: string | undefined },
): void {
  const { file, document, path, inline } = image.at;
  if (inline) {
    throw new Refusal(
      'unsupported-file',
      `The postRenderer’s image ${image.name} is set in a patch that ${file.path} holds as text.`,
      { remedy: 'Move the patch into a file of its own, then release again.' },
    );
  }
  const keys = {
    ...versionKeys(wanted.version),
    ...(wanted.repository === undefined ? {} : { newName: wanted.repository }),
  };
  edits.update(file, start => {
    const given = Object.entries(keys).filter(([, value]) => value !== undefined);
    const dropped = Object.entries(keys).filter(([, value]) => value === undefined);
    const withGiven = given.reduce((now, [key, value]) => now.set(document, [...path, key], value), start);
    return dropped.reduce((now, [key]) => now.delete(document, [...path, key]), withGiven);
  });
}
