import type { TargetView } from '../rollout/observation.ts';
import { imagesIn, splitImage } from '../rollout/live-value.ts';
import type { RolloutState } from '../rollout/state.ts';
import type { Track } from '../rollout/track.ts';
import { clockTime } from './durations.ts';

/** Who serves the users now, by the last look, in a sentence for each canary; empty where it says nothing new. */
export function servingWords(state: RolloutState): readonly string[] {
  if (!isWorthSaying(state)) return [];
  const tracks = Object.values(state.tracks);
  const before = state.lostSight === undefined ? '' : 'When last seen: ';
  return tracks.map(track => `${before}${ofOne(state, track)}`);
}

/** While something may be wrong with what runs. */
function isWorthSaying(state: RolloutState): boolean {
  if (state.phase !== 'done') return state.phase !== 'following';
  const { verdict } = state.outcome;
  return (
    verdict === 'revert-blocked' ||
    verdict === 'revert-unverified' ||
    verdict === 'promotion-failed' ||
    verdict === 'unknown'
  );
}

function ofOne(state: RolloutState, track: Track): string {
  const view = state.observation?.targets[track.target];
  const { canary, target, primary } = view ?? {};
  if (!view || !canary || !target || !primary) return `what serves ${track.target} is not known.`;
  const rejected = versionAskedFor(state, track) ?? 'the rejected version';
  const ours = state.intent.id;
  const share = canary.phase === 'Succeeded' || canary.phase === 'Finalising' ? 0 : canary.canaryWeight;
  if (canary.phase === 'Failed' && share >= 100) {
    const runs = target.rolloutId === ours ? rejected : versionOf(state, track, target);
    return `all traffic is on the pods of ${target.name}, which run ${runs}; ${primary.name} is broken.`;
  }
  const serves = `${primary.name} serves ${primary.rolloutId === ours ? rejected : versionOf(state, track, primary)}`;
  if (primary.rolloutId === ours) return `${serves}: users get the rejected version.`;
  if (target.rolloutId === ours && canary.phase === 'Progressing' && canary.analysis.strategy === 'ab')
    return `${serves}; the requests that match get ${rejected}.`;
  if (target.rolloutId === ours && share > 0) return `${serves}; ${share} % of traffic is on ${rejected}.`;
  return `${serves}; no traffic is on ${rejected}${sinceWords(track)}.`;
}

function sinceWords({ history }: Track): string {
  const last = history.progress.at(-1);
  const had = history.progress.some(({ weight }) => weight > 0);
  return had && last?.weight === 0 ? ` since ${clockTime(last.at)} UTC` : '';
}

function versionAskedFor({ intent }: RolloutState, { target }: Track): string | undefined {
  const image = intent.expectations.find(each => each.kind === 'image' && each.target === target);
  return image?.kind === 'image' ? image.version : undefined;
}

/** The version of the image that is released, or of the only one. */
function versionOf(
  { intent }: RolloutState,
  { target }: Track,
  { template }: NonNullable<TargetView['primary']>,
): string {
  const images = imagesIn(template).map(splitImage);
  const asked = intent.expectations.find(each => each.kind === 'image' && each.target === target);
  const found = images.find(({ repository }) => asked?.kind === 'image' && asked.repository === repository);
  const [only, ...others] = images;
  return found?.version ?? (only && others.length === 0 ? only.version : 'the version of before');
}
