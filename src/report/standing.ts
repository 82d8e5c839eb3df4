import type { RolloutView } from './view.ts';
import { clockTime, elapsed } from './durations.ts';

/** Whether it is safe now, in a few words, and the times that belong to it; undefined where `detail` says it all. */
export interface Standing {
  readonly words: string;
  readonly facts: readonly string[];
}

/** What somebody who is woken up must know first: does a person have to act, and since when is it so. */
export function standing(view: RolloutView): Standing | undefined {
  const { outcome } = view;
  if (!outcome || (!view.commit && !view.adoption)) return undefined;
  const took = `it took ${elapsed(view.updatedAt - view.startedAt)}`;
  const promoted = view.proof.find(({ link }) => link === 'promoted')?.at;
  switch (outcome.verdict) {
    case 'promoted':
      return {
        words: 'All traffic is on the new version.',
        facts: [...(promoted === undefined ? [] : [`proven at ${clockTime(promoted)} UTC`]), took],
      };
    case 'rolled-back':
    case 'cancelled':
    case 'timed-out':
    case 'not-started':
      return { words: 'Safe: the cluster is proven to run what it ran before.', facts: times(view) };
    case 'not-applied':
      return {
        words: 'Safe: the release never reached the cluster, and Git is restored.',
        facts: times(view),
      };
    case 'revert-blocked':
      return { words: 'Act now: the release failed, and it is still in Git.', facts: times(view) };
    case 'revert-unverified':
      return {
        words: 'Look now: Git is reverted, but the cluster was not seen to be back.',
        facts: times(view),
      };
    case 'promotion-failed':
      return {
        words: view.proof.some(({ link, state }) => link === 'reverted' && state === 'proven')
          ? 'Users are served, but the primary is broken: repair it before the next release.'
          : 'Act now: the primary is broken, and the release is still in Git.',
        facts: times(view),
      };
    case 'unknown':
      return { words: 'Look now: what the cluster runs is not known.', facts: times(view) };
    case 'pending':
      return {
        words: 'Not decided yet: the release goes on in the cluster without this job.',
        facts: [took],
      };
    case 'superseded':
      return { words: 'A newer commit decides what runs.', facts: [took] };
    case 'initialized':
    case 'unchanged':
    case 'refused':
      return undefined;
  }
}

/** Since when it failed, when it was taken back, and when the cluster was proven back. */
function times(view: RolloutView): readonly string[] {
  const since = view.canaries.flatMap(({ failingSince }) => failingSince ?? []);
  const at = (name: 'reverted' | 'back') => view.proof.find(({ link }) => link === name)?.at;
  const moment = (words: string, ms: number | undefined) =>
    ms === undefined ? [] : [`${words} ${clockTime(ms)}`];
  const facts = [
    ...moment('first failed check', since.length === 0 ? undefined : Math.min(...since)),
    ...moment('reverted', at('reverted')),
    ...moment('proven back', at('back')),
  ];
  const ended = `ended ${clockTime(view.updatedAt)} UTC, after ${elapsed(view.updatedAt - view.startedAt)}`;
  return [...facts, ended];
}
