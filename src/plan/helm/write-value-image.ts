import { splitImage } from '../../rollout/live-value.ts';
import { Refusal } from '../../rollout/verdict.ts';
import type { Edits } from '../edits.ts';
import { versionKeys } from '../image-places.ts';
import { type ValuePlace, writePlace } from '../value-setter.ts';
import type { ValueImage } from './value-images.ts';

interface Wanted {
  readonly version: string;
  readonly repository: string | undefined;
  /** For refusals. */
  readonly where: string;
}

/** Writes a version, and a repository where another one is wanted, in the form that the values have already. */
export function writeValueImage(edits: Edits, image: ValueImage, wanted: Wanted): void {
  if (image.form === 'reference') {
    const repository = wanted.repository ?? splitImage(image.reference.value).repository;
    const sign = wanted.version.startsWith('sha256:') ? '@' : ':';
    writePlace(edits, image.reference.at, `${repository}${sign}${wanted.version}`);
    return;
  }
  if (wanted.repository !== undefined) writeRepository(edits, image, wanted.repository, wanted);
  writeVersion(edits, image, wanted);
}

type Split = Extract<ValueImage, { form: 'split' }>;

function writeVersion(edits: Edits, image: Split, wanted: Wanted): void {
  const { newTag, digest } = versionKeys(wanted.version);
  if (digest === undefined) {
    if (!image.tag) throw cannot(wanted, 'it is pinned by digest and has no tag', 'Give a digest.');
    writePlace(edits, image.tag.at, newTag ?? '');
    // A digest wins over the tag in every chart that knows both.
    if (image.digest && image.digest.value !== '') writePlace(edits, image.digest.at, '');
    return;
  }
  if (image.digest) {
    writePlace(edits, image.digest.at, digest);
    if (image.tag && newTag !== undefined) writePlace(edits, image.tag.at, newTag);
    return;
  }
  if (!image.tag || newTag === undefined) {
    throw cannot(
      wanted,
      'it has no digest',
      'Give tag and digest (1.2.3@sha256:…), or add a digest to the values.',
    );
  }
  writePlace(edits, image.tag.at, `${newTag}@${digest}`);
}

function writeRepository(edits: Edits, image: Split, repository: string, wanted: Wanted): void {
  if (!image.repository) {
    throw cannot(wanted, 'it names no repository', 'Write the repository into the values first.');
  }
  if (!image.registry) {
    writePlace(edits, image.repository.at, repository);
    return;
  }
  const slash = repository.indexOf('/');
  writePlace(edits, image.registry.at, repository.slice(0, slash));
  writePlace(edits, image.repository.at, repository.slice(slash + 1));
}

function cannot({ version, where }: Wanted, what: string, remedy: string): Refusal {
  return new Refusal('change-not-found', `${version} cannot be written at ${where}: ${what}.`, { remedy });
}

/** Where the version stands, for people to look at. */
export function placeOfVersion(image: ValueImage): ValuePlace {
  if (image.form === 'reference') return image.reference.at;
  const digest = image.digest?.value === '' ? undefined : image.digest;
  return (image.tag ?? digest ?? image.repository)?.at ?? image.at;
}
