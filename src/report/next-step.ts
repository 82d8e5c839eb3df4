import type { TargetView } from '../rollout/observation.ts';
import type { RolloutState } from '../rollout/state.ts';
import type { Track } from '../rollout/track.ts';
import { stepOf, timeLeftMs } from './time-left.ts';
import { about, elapsed } from './durations.ts';

/** What happens next, by itself or when nobody does anything, in a sentence or two; undefined once it has ended. */
export function nextStep(state: RolloutState, now: number): string | undefined {
  switch (state.phase) {
    case 'following':
      return followingWords(state, now);
    case 'reverting':
      return 'The commit is being taken back.';
    case 'openingPullRequest':
      return 'A pull request is being opened, because this needs a person.';
    case 'verifyingRevert':
      return `The commit is taken back. The cluster is looked at until it is proven back${state.waitingFor === undefined ? '' : ` (${state.waitingFor})`}, for ${about(state.deadline - now)} at most.`;
    case 'done':
      return undefined;
  }
}

type Following = Extract<RolloutState, { phase: 'following' }>;

function followingWords(state: Following, now: number): string {
  const tracks = Object.values(state.tracks);
  const behind = tracks.filter(({ outcome }) => outcome === undefined);
  const [track] = behind.toSorted((one, other) => one.stageSince - other.stageSince);
  if (!track) return 'All canaries have ended.';
  const view = state.observation?.targets[track.target];
  return behind.length > 1 ? ofSeveral(state, behind, now) : ofOne(state, { track, view, now });
}

function ofSeveral(state: Following, tracks: readonly Track[], now: number): string {
  const left = tracks.map(track => timeLeftMs(track, state.observation?.targets[track.target]?.canary, now));
  const known = left.filter(ms => ms !== undefined);
  const when = known.length === tracks.length ? ` in ${about(Math.max(...known))}` : '';
  return `All canaries are promoted${when} if every check passes; when one fails, the whole commit is taken back.`;
}

function ofOne(
  state: Following,
  on: { readonly track: Track; readonly view: TargetView | undefined; readonly now: number },
): string {
  const { track, view, now } = on;
  const { limits } = state.intent;
  const canary = view?.canary;
  switch (track.stage) {
    case 'applying':
      return `Flux fetches the commit and applies it. When it has not been delivered after ${elapsed(limits.applyMs)}, it is taken back.`;
    case 'delivering':
      return `Flagger notices the new version at its next tick${canary ? `, every ${elapsed(canary.analysis.intervalMs)}` : ''}.`;
    case 'waitingApproval':
    case 'waitingPromotion':
      if (state.intent.barrier && state.barrierOpenedAt === undefined && track.stage === 'waitingPromotion')
        return 'It is promoted when the other canaries have passed, too.';
      return `Nothing moves until the gate is opened. When it stays closed for ${elapsed(limits.approvalMs)}, the commit is taken back.`;
    case 'analysing':
      return analysingWords(track, view, now);
    case 'promoting':
      return 'The primary takes the new version over.';
    case 'finalising':
    case 'ended':
      return 'All traffic goes to the primary, which runs the new version.';
  }
}

function analysingWords(track: Track, view: TargetView | undefined, now: number): string {
  const canary = view?.canary;
  if (!canary) return 'Flagger goes on with its analysis.';
  if (track.heldSince !== undefined) return 'Nothing moves until the Canary is resumed.';
  const { analysis } = canary;
  const next = analysis.weights.find(weight => weight > track.peak.weight);
  const at = stepOf(track, canary);
  const coming =
    analysis.strategy === 'weighted'
      ? next === undefined
        ? 'Promotion comes next'
        : `${next} % of traffic comes next`
      : at && at.step < at.steps
        ? `Iteration ${at.step + 1} comes next`
        : 'Promotion comes next';
  const left = timeLeftMs(track, canary, now);
  const when = left === undefined ? '' : `; it is promoted in ${about(left)} if every check passes`;
  const tolerated = Math.max(0, analysis.threshold - track.peak.failedChecks);
  const rollback =
    tolerated === 0
      ? 'Flagger rolls back at its next tick, and the commit is reverted.'
      : `After ${tolerated === 1 ? 'one more failed check' : `${tolerated} ${track.peak.failedChecks > 0 ? 'more ' : ''}failed checks`} Flagger rolls back, and the commit is reverted.`;
  return `${coming}${when}. ${rollback}`;
}
