import { withoutBarrier } from '../plan/canary/barrier.ts';
import type { CommitRecord, RevertRequest } from '../rollout/ports.ts';
import type { RolloutState } from '../rollout/state.ts';
import { openingText } from './commit-text.ts';
import { openingTrailers } from './rollout-record.ts';

/** Our commit, with what its files hold once the barrier is out of them; nothing is added where there is none. */
export function withOpened(commit: CommitRecord): CommitRecord {
  const files = commit.files.map(file => {
    const text = withoutBarrier(file.path, file.after.text);
    // The sha is computed from the text where it is compared.
    return text === file.after.text ? file : { ...file, opened: { ...file.after, text } };
  });
  return { ...commit, files };
}

/** The commit that takes the barrier out of every file that our commit put it into. */
export function composeOpening(on: {
  readonly state: RolloutState;
  readonly runUrl: string;
  readonly beforePush: RevertRequest['beforePush'];
}): RevertRequest {
  const { intent, commit } = on.state;
  const { id, name, limits } = intent;
  return {
    commit,
    files: commit.files.flatMap(({ path, opened }) =>
      opened ? [{ path, restored: { kind: 'blob', blob: opened } as const }] : [],
    ),
    ...openingText({ name, targets: intent.baselines.map(({ target }) => target) }),
    trailers: openingTrailers({ id, name, runUrl: on.runUrl }),
    beforePush: on.beforePush,
    ...(limits.revertBy === undefined ? {} : { deadline: limits.revertBy }),
  };
}
