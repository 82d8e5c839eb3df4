/**
 * What the cluster shows, in one shape for the state machine. Times are milliseconds since the epoch; `ClusterTime`
 * is by the cluster's clock and is compared only with other cluster times, never with the runner's.
 */
export type ClusterTime = number;

export interface Condition {
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  /** Generation of the object that it speaks of, where its controller says so. */
  readonly generation?: number;
}
