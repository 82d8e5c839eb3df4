import { createHash } from 'node:crypto';
import { access, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../rollout/ports.ts';

/**
 * A file by which the post step tells main to write nothing more. In a container the signals of a cancel may never
 * reach main, which would go on while post reverts.
 */
export interface AbortMarker {
  readonly path: string;
  /** Post: leaves the marker. */
  leave(why: string): Promise<void>;
  /** Main: looked at before each write. */
  isLeft(): Promise<boolean>;
}

/** `runnerTemp` is RUNNER_TEMP, which main and post share and which the runner empties after the job. */
export function abortMarker(at: { readonly runnerTemp: string; readonly rolloutId: string }): AbortMarker {
  // The id goes into a file name: only a digest of it is sure to be one.
  const digest = createHash('sha256').update(at.rolloutId).digest('hex').slice(0, 32);
  const path = join(at.runnerTemp, `gated-rollout-${digest}.abort`);
  return {
    path,
    leave: why => writeFile(path, `${why}\n`),
    isLeft: async () => {
      try {
        await access(path);
        return true;
      } catch {
        return false;
      }
    },
  };
}

const LOOK_EVERY_MS = 1_000;

/** Looks for the marker every second, until it is left (then calls back, once) or `stop` is aborted. Never rejects. */
export async function watchMarker(options: {
  readonly marker: AbortMarker;
  readonly clock: Clock;
  readonly onLeft: () => void;
  readonly stop: AbortSignal;
}): Promise<void> {
  const { marker, clock, onLeft, stop } = options;
  while (!stop.aborted) {
    if (await marker.isLeft()) {
      if (!stop.aborted) onLeft();
      return;
    }
    await clock.sleep(LOOK_EVERY_MS, stop);
  }
}
