import { splitImage } from '../../../rollout/live-value.ts';
import { Refusal } from '../../../rollout/verdict.ts';
import { versionKeys } from '../../changes/images.ts';
import type { Part, ValueImage } from './value-images.ts';

interface Wanted {
  readonly version: string;
  readonly repository: string | undefined;
  /** For refusals. */
  readonly where: string;
}

/** A value that becomes another. */
export interface ValueEdit {
  readonly part: Part;
  readonly value: string;
}

/**
 * What sets a version, and a repository where another one is wanted, in the form that the values have already.
 * @throws Refusal where that form cannot say it.
 */
export function editsOfImage(image: ValueImage, wanted: Wanted): readonly ValueEdit[] {
  if (image.form === 'split') return [...repositoryEdits(image, wanted), ...versionEdits(image, wanted)];
  const repository = wanted.repository ?? splitImage(image.reference.value).repository;
  const sign = wanted.version.startsWith('sha256:') ? '@' : ':';
  return [{ part: image.reference, value: `${repository}${sign}${wanted.version}` }];
}

type Split = Extract<ValueImage, { form: 'split' }>;

function versionEdits(image: Split, wanted: Wanted): readonly ValueEdit[] {
  const { newTag, digest } = versionKeys(wanted.version);
  const { tag, digest: pinned } = image;
  if (digest === undefined) {
    if (!tag) throw cannot(wanted, 'it is pinned by digest and has no tag', 'Give a digest.');
    const edits = [{ part: tag, value: newTag ?? '' }];
    // A digest wins over the tag in every chart that knows both.
    return pinned && pinned.value !== '' ? [...edits, { part: pinned, value: '' }] : edits;
  }
  if (pinned) {
    const edits = [{ part: pinned, value: digest }];
    return tag && newTag !== undefined ? [...edits, { part: tag, value: newTag }] : edits;
  }
  if (!tag || newTag === undefined) {
    throw cannot(
      wanted,
      'it has no digest',
      'Give tag and digest (1.2.3@sha256:…), or add a digest to the values.',
    );
  }
  return [{ part: tag, value: `${newTag}@${digest}` }];
}

function repositoryEdits(image: Split, wanted: Wanted): readonly ValueEdit[] {
  const { repository } = wanted;
  if (repository === undefined) return [];
  if (!image.repository) {
    throw cannot(wanted, 'it names no repository', 'Write the repository into the values first.');
  }
  if (!image.registry) return [{ part: image.repository, value: repository }];
  const slash = repository.indexOf('/');
  return [
    { part: image.registry, value: repository.slice(0, slash) },
    { part: image.repository, value: repository.slice(slash + 1) },
  ];
}

function cannot({ version, where }: Wanted, what: string, remedy: string): Refusal {
  return new Refusal('change-not-found', `${version} cannot be written at ${where}: ${what}.`, { remedy });
}
