import type { KnownRevisions } from './flux-progress.ts';
import type { Observation } from './observation.ts';
import {
  type Clock,
  ClusterForbidden,
  ClusterUnavailable,
  type ClusterView,
  type GitOps,
  type RevertRequest,
} from './ports.ts';
import type { Effect, RolloutEvent, RolloutState, Transition } from './state.ts';
import { transition } from './transition.ts';
import { Refusal } from './verdict.ts';

export interface DriveParts {
  readonly cluster: ClusterView;
  readonly gitops: GitOps;
  readonly clock: Clock;
  /** Aborted when the job is cancelled; its reason says by what. */
  readonly cancel: AbortSignal;
  /** Told of every new state; must neither block nor throw. */
  readonly onState: (state: RolloutState) => void;
  /** What the revert commit holds, for the forms chosen. */
  readonly composeRevert: (
    state: RolloutState,
    effect: Extract<Effect, { type: 'revert' | 'openPullRequest' }>,
  ) => Promise<RevertRequest>;
  /** The commit that takes the barrier out again. */
  readonly composeOpening: (state: RolloutState) => RevertRequest;
}

/** A plain read at least this often: watches only wake us, reads are the truth (ms). */
const READ_EVERY_MS = 10_000;
const UNREADABLE_BACKOFF_MS = 2_000;

/**
 * Runs effects and feeds events until the rollout is done. When cancelled it returns as soon as the revert is on the
 * branch (phase `verifyingRevert`): the runner gives seconds only, and the post step verifies.
 */
export async function drive(first: Transition, parts: DriveParts): Promise<RolloutState> {
  let state = first.state;
  let told = false;
  let lastRead = parts.clock.now();
  const pending: Effect[] = [...first.effects];

  const apply = (event: RolloutEvent): void => {
    const next = transition(state, event, parts.clock.now());
    state = next.state;
    pending.push(...next.effects);
    parts.onState(state);
  };
  const tellCancel = (): void => {
    if (!parts.cancel.aborted || told) return;
    told = true;
    // What was only going to be looked at does not matter any more.
    pending.length = 0;
    apply({ type: 'cancelled', by: String(parts.cancel.reason ?? 'signal') });
  };

  parts.onState(state);
  while (state.phase !== 'done') {
    if (state.phase === 'following') tellCancel();
    const leaving = parts.cancel.aborted && state.phase === 'verifyingRevert';
    const effect = pending.shift();
    if (effect && !(leaving && effect.type === 'read')) {
      if (effect.type === 'read') lastRead = parts.clock.now();
      const event = await run(effect, state, parts);
      if (event) apply(event);
      continue;
    }
    if (effect) continue;
    if (leaving) return state;
    const sinceRead = parts.clock.now() - lastRead;
    if (sinceRead >= READ_EVERY_MS) {
      pending.push({ type: 'read' });
      continue;
    }
    const seen = await parts.cluster.next({ timeoutMs: READ_EVERY_MS - sinceRead, signal: parts.cancel });
    apply(seen ? await observed(seen, state, parts) : { type: 'tick' });
  }
  return state;
}

/**
 * One fresh look at a rollout, and what follows from it: for the post step, which takes over from a main that died.
 * When nothing can be seen the state stays as it is.
 */
export async function driveOnce(
  state: RolloutState,
  parts: Pick<DriveParts, 'cluster' | 'gitops' | 'clock'>,
): Promise<Transition> {
  const event = await readNow(state, { ...parts, cancel: new AbortController().signal });
  return event ? transition(state, event, parts.clock.now()) : { state, effects: [] };
}

type ReadParts = Pick<DriveParts, 'cluster' | 'gitops' | 'clock' | 'cancel'>;

async function run(
  effect: Effect,
  state: RolloutState,
  parts: DriveParts,
): Promise<RolloutEvent | undefined> {
  switch (effect.type) {
    case 'requestReconcile':
      await unlessCancelled(parts.cluster.requestReconcile(effect.of), state, parts);
      return undefined;
    case 'read':
      return readNow(state, parts);
    case 'lookAtBranch':
      return { type: 'branchLookedAt', holds: await holdsCommit(state, parts) };
    case 'openBarrier':
      return openBarrier(state, parts);
    case 'revert':
      return revertNow(effect, state, parts);
    case 'openPullRequest':
      return openPullRequest(effect, state, parts);
  }
}

async function readNow(state: RolloutState, parts: ReadParts): Promise<RolloutEvent | undefined> {
  try {
    const observation = await unlessCancelled(parts.cluster.read(), state, parts);
    return observation ? await observed(observation, state, parts) : undefined;
  } catch (error) {
    if (!(error instanceof ClusterUnavailable) && !(error instanceof ClusterForbidden)) throw error;
    await parts.clock.sleep(UNREADABLE_BACKOFF_MS, parts.cancel);
    return {
      type: 'unreadable',
      message: error.message,
      ...(error instanceof ClusterUnavailable ? { reason: error.reason } : {}),
    };
  }
}

async function revertNow(
  effect: Extract<Effect, { type: 'revert' }>,
  state: RolloutState,
  parts: DriveParts,
): Promise<RolloutEvent> {
  const outcome = await parts.gitops.revert(await parts.composeRevert(state, effect));
  switch (outcome.kind) {
    case 'reverted':
    case 'already':
      return { type: 'reverted', revert: outcome.revert };
    case 'conflict':
      return { type: 'revertConflict', paths: outcome.paths };
    case 'unsure':
      return { type: 'revertUnsure', revert: outcome.revert, detail: outcome.detail };
    case 'refused':
      return {
        type: 'revertRefused',
        reason: outcome.reason,
        detail: outcome.detail,
        remedy: outcome.remedy,
      };
  }
}

async function holdsCommit(state: RolloutState, parts: DriveParts): Promise<boolean | undefined> {
  try {
    return await parts.gitops.holds(state.commit.sha);
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

async function openBarrier(state: RolloutState, parts: DriveParts): Promise<RolloutEvent> {
  const outcome = await parts.gitops.revert(parts.composeOpening(state));
  switch (outcome.kind) {
    case 'reverted':
    case 'already':
      return { type: 'barrierOpened' };
    case 'conflict':
      return { type: 'barrierStuck', detail: `${outcome.paths.join(', ')} was changed after our commit.` };
    case 'unsure':
      return { type: 'barrierStuck', detail: outcome.detail };
    case 'refused':
      return { type: 'barrierStuck', detail: `${outcome.detail} ${outcome.remedy}` };
  }
}

async function openPullRequest(
  effect: Extract<Effect, { type: 'openPullRequest' }>,
  state: RolloutState,
  parts: DriveParts,
): Promise<RolloutEvent> {
  const request = await parts.composeRevert(state, effect);
  const outcome = await parts.gitops.openRevertPullRequest({
    commit: request.commit,
    files: request.files,
    title: request.title,
    body: request.body,
    branch: `gated-rollout/revert-${state.intent.id}`,
  });
  return { type: 'pullRequestAnswered', outcome };
}

/** Says of every revision that Flux names whether it holds our commit; what GitHub cannot say now stays unknown. */
async function observed(
  observation: Observation,
  state: RolloutState,
  parts: ReadParts,
): Promise<RolloutEvent> {
  const revert = state.phase === 'verifyingRevert' ? state.revert.sha : undefined;
  const known: Record<string, KnownRevisions[string]> = {};
  for (const revision of revisionsOf(observation)) {
    const facts = await unlessCancelled(
      parts.gitops.revisionFacts({ revision, commit: state.commit, revert }),
      state,
      parts,
    );
    if (facts) known[revision] = facts;
  }
  return { type: 'observed', observation, known };
}

function revisionsOf(observation: Observation): ReadonlySet<string> {
  const revisions = Object.values(observation.targets).flatMap(({ flux }) =>
    flux ? [flux.source.revision, flux.kustomizations.at(-1)?.lastAttemptedRevision] : [],
  );
  return new Set(revisions.filter(revision => revision !== undefined));
}

/** While a commit is followed, a cancel must not wait for an answer of the cluster or of GitHub. */
async function unlessCancelled<T>(
  work: Promise<T>,
  state: RolloutState,
  parts: Pick<DriveParts, 'cancel'>,
): Promise<T | undefined> {
  if (state.phase !== 'following') return work;
  const { cancel } = parts;
  if (cancel.aborted) {
    work.catch(() => undefined);
    return undefined;
  }
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<undefined>(resolve => {
    onAbort = () => resolve(undefined);
    cancel.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    if (onAbort) cancel.removeEventListener('abort', onAbort);
    if (cancel.aborted) work.catch(() => undefined);
  }
}
