import type { Clock } from '../../src/rollout/ports.ts';

/** A clock that jumps to the next moment somebody waits for, once nobody has anything else to do. */
export class VirtualClock implements Clock {
  private time: number;
  private readonly waiting: { readonly until: number; readonly wake: () => void }[] = [];

  constructor(start = 0) {
    this.time = start;
  }

  now(): number {
    return this.time;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise(resolve => {
      const entry = { until: this.time + ms, wake: resolve };
      this.waiting.push(entry);
      signal?.addEventListener('abort', () => {
        const at = this.waiting.indexOf(entry);
        if (at >= 0) this.waiting.splice(at, 1);
        resolve();
      });
    });
  }

  /** Until so much time has passed, or `work` is done. */
  async run(ms: number, work?: Promise<unknown>): Promise<void> {
    const end = this.time + ms;
    let done = false;
    work?.finally(() => {
      done = true;
    });
    for (;;) {
      await new Promise(resolve => setImmediate(resolve));
      if (done) return;
      const next = this.waiting.toSorted((one, other) => one.until - other.until)[0];
      if (!next || next.until > end) break;
      this.waiting.splice(this.waiting.indexOf(next), 1);
      this.time = Math.max(this.time, next.until);
      next.wake();
    }
    this.time = end;
  }
}
