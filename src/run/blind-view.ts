import { type Clock, ClusterUnavailable, type ClusterView } from '../rollout/ports.ts';

/** A cluster that cannot be seen at all: what is decided then is decided without it. */
export function blindView(clock: Clock, why: string): ClusterView {
  return {
    read: () => Promise.reject(new ClusterUnavailable(why)),
    next: async ({ timeoutMs, signal }) => {
      await clock.sleep(timeoutMs, signal);
      return undefined;
    },
    requestReconcile: () => Promise.resolve('failed'),
    close: () => Promise.resolve(),
  };
}
