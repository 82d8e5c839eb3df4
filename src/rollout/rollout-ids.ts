import { ROLLOUT_ID_ANNOTATION } from './target.ts';

const ID = new RegExp(`${ROLLOUT_ID_ANNOTATION}["']?:\\s*["']?([\\w.-]+)`, 'g');

/** The rollout ids that a part of an object sets: as values, or in the text of a patch. */
export function rolloutIdsIn(part: unknown): readonly string[] {
  if (typeof part === 'string') return [...part.matchAll(ID)].map(([, id]) => id ?? '');
  if (typeof part !== 'object' || part === null) return [];
  return Object.entries(part).flatMap(([key, value]: readonly [string, unknown]) =>
    key === ROLLOUT_ID_ANNOTATION && typeof value === 'string' ? [value] : rolloutIdsIn(value),
  );
}
