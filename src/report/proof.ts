import type { Expectation } from '../rollout/expectation.ts';
import type { RevertRecord } from '../rollout/ports.ts';
import type { Followed, RolloutState } from '../rollout/state.ts';
import type { Track } from '../rollout/track.ts';
import type { ProofLink } from './view.ts';

type Done = Extract<RolloutState, { phase: 'done' }>;

/**
 * The chain of proof as far as it has been seen. A link once proven stays so, with its time. One that was not seen is
 * waited for while the rollout lives; once it has ended, the first missing link is where it failed or, where nothing
 * failed, is not known, like what follows.
 */
export function proofOf(state: RolloutState): readonly ProofLink[] {
  const links = [committed(state), applied(state), delivered(state), ...analysis(state)];
  const chain = ended(state) ? broken(links, state) : links;
  return [...chain.map(link => withTakenBack(link, state)), ...revertLinks(state)];
}

function ended(state: RolloutState): boolean {
  return state.phase !== 'following' && !(state.phase === 'done' && state.outcome.verdict === 'pending');
}

function broken(links: readonly ProofLink[], state: RolloutState): readonly ProofLink[] {
  const first = links.findIndex(link => link.state !== 'proven');
  const last = links.findLastIndex(link => link.state === 'proven');
  return links.map((link, index) => {
    if (link.state === 'proven') return link;
    if (index < last) return { ...link, state: 'unknown', detail: 'not seen; what follows it was' };
    if (index > first) return { ...link, state: 'unknown', detail: 'not reached' };
    return { ...link, ...missing(link, state) };
  });
}

/** Where the chain ends: a cause tells that it failed; a cancel, a newer commit or lost sight do not. */
function missing({ detail }: ProofLink, state: RolloutState): Pick<ProofLink, 'state' | 'detail'> {
  const cause = 'cause' in state ? state.cause : undefined;
  if (cause === undefined) {
    const unseen = state.phase === 'done' && state.outcome.verdict === 'unknown';
    return { state: 'unknown', detail: unseen ? 'not known' : 'not reached' };
  }
  if (cause.verdict === 'cancelled')
    return { state: 'unknown', detail: 'not reached: the job was cancelled' };
  return { state: 'failed', detail: cause.detail === '' ? detail : cause.detail };
}

/** Some canaries may have been promoted before another one failed, and their users have had the release. */
function withTakenBack(link: ProofLink, state: RolloutState): ProofLink {
  if (link.link !== 'promoted' || !isTakenBack(state)) return link;
  const tracks = Object.values(state.tracks);
  const served = tracks.filter(({ proven }) => proven.promoted !== undefined || proven.traffic === 100);
  if (link.state === 'proven') return { ...link, detail: `${link.detail}; then it was taken back` };
  const failed = tracks.some(({ outcome }) => outcome?.kind === 'promotion-failed');
  if (served.length === 0 || failed) return link;
  const names = served.map(({ target }) => target).join(', ');
  return { ...link, state: 'failed', detail: `all traffic of ${names} was on it, then it was taken back` };
}

/** The revert is on the branch. */
export function isTakenBack(state: RolloutState): boolean {
  return 'revert' in state && state.revert !== undefined;
}

function committed(state: Followed): ProofLink {
  const { commit } = state;
  return {
    link: 'committed',
    state: 'proven',
    at: state.committedAt,
    detail: `${commit.sha.slice(0, 7)} is on the branch${commit.verified ? ', signed by GitHub' : ''}`,
  };
}

function applied(state: Followed): ProofLink {
  if (state.appliedAt === undefined) {
    const waiting = Object.values(state.tracks).find(track => track.stage === 'applying')?.waitingFor;
    return { link: 'applied', state: 'waiting', detail: waiting ?? 'Flux has not applied the commit yet' };
  }
  return {
    link: 'applied',
    state: 'proven',
    at: state.appliedAt,
    detail: state.appliedDetail ?? 'Flux applied the commit',
  };
}

function delivered(state: Followed): ProofLink {
  const tracks = Object.values(state.tracks);
  if (state.intent.kind === 'adoption') {
    return step(
      'delivered',
      tracks,
      ({ proven }) => proven.delivered,
      'the Canary exists',
      'the Canary is not there yet',
    );
  }
  // A commit that is not ours put no id there.
  const id = state.intent.identity === 'values' ? '' : ', and this release’s id';
  return step(
    'delivered',
    tracks,
    ({ proven }) => proven.delivered,
    `the object in the cluster has the values asked for${id}${unread(state.intent.expectations)}`,
    `the object in the cluster does not have the values${id === '' ? '' : ' and this release’s id'} yet`,
  );
}

/** What the proof does not cover: nobody reads a Secret. */
function unread(expectations: readonly Expectation[]): string {
  const secrets = expectations.filter(each => each.kind === 'secret');
  if (secrets.length === 0) return '';
  const names = (some: typeof secrets) => [...new Set(some.map(({ what }) => what))].join(', ');
  const written = secrets.filter(each => each.written);
  return `; not compared, because no Secret is read: ${names(secrets)}${written.length === 0 ? '' : ` (that it was written since was seen of ${names(written)})`}`;
}

function analysis(state: Followed): readonly ProofLink[] {
  const tracks = Object.values(state.tracks);
  if (state.intent.kind === 'adoption') return [];
  const skipped = tracks.some(track => track.outcome?.kind === 'promoted' && !track.outcome.analysed);
  return [
    step(
      'analysed',
      tracks,
      ({ proven }) => proven.analysed,
      skipped ? 'skipped, as the Canary says (skipAnalysis)' : 'Flagger analysed this very revision',
      tracks.some(track => track.analysedFrom !== undefined)
        ? 'Flagger is analysing it'
        : 'Flagger has not begun yet',
    ),
    step(
      'promoted',
      tracks,
      ({ proven }) => proven.promoted,
      'the primary runs it, and its rollout is complete',
      'the primary does not run it yet',
    ),
  ];
}

function step(
  link: ProofLink['link'],
  tracks: readonly Track[],
  at: (track: Track) => number | undefined,
  proven: string,
  waiting: string,
): ProofLink {
  const times = tracks.map(at);
  const known = times.filter(time => time !== undefined);
  if (tracks.length > 0 && known.length === tracks.length) {
    return { link, state: 'proven', at: Math.max(...known), detail: proven };
  }
  const share = tracks.length > 1 ? ` (${known.length} of ${tracks.length})` : '';
  return { link, state: 'waiting', detail: `${waiting}${share}` };
}

function revertLinks(state: RolloutState): readonly ProofLink[] {
  if (state.phase === 'verifyingRevert') {
    return [
      { link: 'reverted', state: 'proven', at: state.revertedAt, detail: revertDetail(state.revert) },
      { link: 'back', state: 'waiting', detail: state.waitingFor ?? 'it has to hold for a while' },
    ];
  }
  if (state.phase === 'reverting')
    return [{ link: 'reverted', state: 'waiting', detail: state.cause.detail }];
  if (state.phase !== 'done' || !state.cause) return [];
  const { revert, revertedAt } = state;
  if (revert === undefined || revertedAt === undefined) return notReverted(state);
  const back: ProofLink =
    state.backAt === undefined
      ? { link: 'back', state: 'failed', detail: 'the cluster was not seen to be back' }
      : { link: 'back', state: 'proven', at: state.backAt, detail: 'the cluster runs what it ran before' };
  return [{ link: 'reverted', state: 'proven', at: revertedAt, detail: revertDetail(revert) }, back];
}

/** What no record says is claimed of no commit. */
function notReverted({ revertOpen }: Done): readonly ProofLink[] {
  const back: ProofLink = { link: 'back', state: 'unknown', detail: 'not reached' };
  if (revertOpen?.sha === undefined) {
    return [{ link: 'reverted', state: 'failed', detail: 'the branch holds no revert of it' }, back];
  }
  const detail = `it is not known whether ${revertOpen.sha.slice(0, 7)} is on the branch`;
  return [{ link: 'reverted', state: 'unknown', detail }, back];
}

function revertDetail({ sha, how }: RevertRecord): string {
  const at = sha.slice(0, 7);
  return how === 'made' ? `${at} is on the branch` : `Git held what was before already, at ${at}`;
}
