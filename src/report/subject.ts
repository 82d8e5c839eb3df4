import { bare, cutCharacters } from './markdown-text.ts';
import type { RolloutView } from './view.ts';

/** `shop 6.2.0`: what is released; without a version where there is none, or more than one. */
export function subject({ name, changes }: RolloutView): string {
  const images = changes.filter(({ what }) => what.startsWith('image '));
  const [version, ...others] = new Set(images.map(({ to }) => to));
  const shown = version === undefined || others.length > 0 ? '' : ` ${shortVersion(version)}`;
  return `${bare(name)}${shown}`;
}

/** Commit ids and digests are as long as nobody reads them. */
export function shortVersion(version: string): string {
  const [tag = '', digest] = bare(version).split('@');
  if (tag !== '' && digest !== undefined) return shortVersion(tag);
  const text = tag === '' ? (digest ?? '') : tag;
  if (/^[0-9a-f]{40}$/.test(text)) return text.slice(0, 7);
  const hash = /^(sha256:[0-9a-f]{7})[0-9a-f]{57}$/.exec(text)?.[1];
  return hash ?? cutCharacters(text, 40);
}
