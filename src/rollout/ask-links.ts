import { linksAreIdle } from './link-progress.ts';
import type { RolloutState, Transition } from './state.ts';

/**
 * Once for the commit and once for its revert: what lies between Kustomization and target is asked to look, when all was
 * applied and the target shows nothing of it. It may look of itself only at its interval (values from a ConfigMap
 * without a watch label).
 */
export function askLinks({ state, effects }: Transition): Transition {
  if (state.phase !== 'following' && state.phase !== 'verifyingRevert') return { state, effects };
  if (state.linksAsked || !isDue(state)) return { state, effects };
  return {
    state: { ...state, linksAsked: true },
    effects: [...effects, { type: 'requestReconcile', of: 'links' }],
  };
}

function isDue(state: Extract<RolloutState, { phase: 'following' | 'verifyingRevert' }>): boolean {
  const wanted = state.phase === 'following' ? 'containsCommit' : 'containsRevert';
  return Object.values(state.observation?.targets ?? {}).some(({ flux, target }) => {
    const attempted = flux?.kustomizations.at(-1)?.lastAttemptedRevision;
    if (!flux || attempted === undefined || state.known[attempted]?.[wanted] !== true) return false;
    const carriesOurs = target?.rolloutId === state.intent.id;
    return linksAreIdle(flux) && carriesOurs === (state.phase === 'verifyingRevert');
  });
}
