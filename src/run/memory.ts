import type { ChangeView } from '../report/view.ts';
import type { Seen } from '../rollout/proven.ts';
import type { Cause } from '../rollout/state.ts';

/**
 * What the post step needs to end what main could not: names and numbers only, because each saved value becomes an environment
 * variable. The rest is in the commit's trailers.
 */
export interface Memory {
  readonly id: string;
  /** Of the GitOps repository: it is reverted even when the cluster, which tells the branch, is out of reach. */
  readonly branch: string;
  /**
   * Our commit; saved before it is pushed, so it may not be on the branch. Absent: there is none yet, but image
   * automation is suspended for it.
   */
  readonly commit?: string;
  /** The commit is somebody else's: what our trailers would say, and the commits that hold its paths as they were. */
  readonly followed?: {
    readonly trailers: readonly (readonly [name: string, value: string])[];
    readonly files: readonly { readonly path: string; readonly before: string }[];
  };
  /** What main has seen, for people: times are ms by the runner's clock. */
  readonly seen?: Seen & { readonly startedAt: number; readonly changes: readonly ChangeView[] };
  /** Nothing is left to be done for it. */
  readonly ended: boolean;
  /** Why it was being reverted when main stopped. */
  readonly cause?: Cause;
  /** The revert commit; saved before it is pushed, too. */
  readonly revert?: string;
}
