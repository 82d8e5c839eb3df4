import { assemble, type Assembled } from './assemble.ts';
import { begin, type Beginning } from './begin.ts';
import { announce } from './main.ts';
import type { Memory } from './run/memory.ts';
import { postStep } from './run/post-step.ts';
import { abortMarker } from './runtime/abort-marker.ts';
import { clockFor } from './runtime/clock.ts';
import { createLog, type Log } from './runtime/log.ts';
import { readMemory, readTokens } from './runtime/saved-state.ts';

/** The post step: ends what main could not. Returns the exit code. */
export async function post(env: NodeJS.ProcessEnv): Promise<number> {
  const memory = readMemory(env);
  const log = createLog();
  if (memory === undefined || memory.ended) {
    log.info('The rollout has ended; nothing is left to be done.');
    if (readTokens(env) !== undefined) await revokeOnly(env, log);
    return 0;
  }
  // Signals that reach the post step change nothing: it has begun what must be ended.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});
  try {
    const beginning = begin(env);
    const assembled = assembleAgain(beginning, { env, log });
    try {
      const marker = abortMarker({ runnerTemp: beginning.run.temp, rolloutId: memory.id });
      const view = await postStep(assembled.parts, memory, () => marker.leave('post'));
      return announce(view, log);
    } finally {
      await assembled.close();
    }
  } catch (error) {
    log.error(byHand(memory, error));
    return 1;
  }
}

function assembleAgain(
  beginning: Beginning,
  { env, log }: { readonly env: NodeJS.ProcessEnv; readonly log: Log },
): Assembled {
  return assemble({
    ...beginning,
    env,
    clock: clockFor(env),
    cancel: new AbortController().signal,
    log,
    remember: () => {},
    mayWrite: () => Promise.resolve(),
    sealedTokens: readTokens(env),
    resumed: true,
  });
}

/** Main was killed, or could not reach GitHub at its end; what it had minted would live for an hour. */
async function revokeOnly(env: NodeJS.ProcessEnv, log: Log): Promise<void> {
  try {
    await assembleAgain(begin(env), { env, log }).close();
  } catch (error) {
    log.debug(
      `Tokens of the App were not revoked: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** What a person must do when we cannot: nothing is ever lost silently. */
function byHand({ id, commit, branch, revert }: Memory, error: unknown): string {
  const why = error instanceof Error ? error.message : String(error);
  if (commit === undefined) {
    return `What was left of the rollout ${id} could not be seen to (${why}); nothing of it is in Git. Image automation may still be suspended: flux get image update -A, flux resume image update NAME -n NAMESPACE`;
  }
  const done = revert === undefined ? '' : ` The revert ${revert} may be on the branch already; look first.`;
  return `The rollout could not be ended (${why}). Commit ${commit} may still be on ${branch} of the GitOps repository.${done} Take it back by hand: git revert ${commit}`;
}
