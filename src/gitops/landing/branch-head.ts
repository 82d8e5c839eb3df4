import { httpFailure } from '../../github/http-errors.ts';
import { jitteredDelay } from '../../github/retry.ts';
import type { GitData } from '../git-data.ts';
import type { ObjectStore } from '../object-store.ts';

/** How long a read of the branch may lag behind what is known to be on it (seen: 12 s), ms. */
const LONGEST_LAG_MS = 30_000;

/** Where a branch is, and whether it still holds what was on it. */
export interface Head {
  readonly sha: string;
  /** False: somebody rewrote the branch, and what we know to have been on it is not any more. */
  readonly holdsKnown: boolean;
}

/**
 * Reads where a branch is. GitHub's replicas lag: an answer that lacks a commit which is known to be on the branch
 * tells of the past, and is asked for again. Only a head that goes another way, or one that stays behind for longer than
 * any replica does, says that the branch was rewritten.
 */
export class BranchHead {
  readonly branch: string;
  readonly git: GitData;
  private readonly store: ObjectStore;
  private newest: string | undefined;

  constructor(store: ObjectStore, branch: string) {
    this.store = store;
    this.git = store.git;
    this.branch = branch;
  }

  /** Notes that a commit is on the branch: an answer, or a read, said so. */
  known(sha: string): void {
    this.newest = sha;
  }

  /**
   * The head that holds the newest commit known, or `holding` where that is given.
   * @throws what GitHub answered.
   */
  async read(holding = this.newest): Promise<Head> {
    const { clock, random } = this.git.client;
    const end = clock.now() + LONGEST_LAG_MS;
    for (let attempt = 0; ; attempt += 1) {
      const sha = await this.git.head(this.branch);
      const relation = holding === undefined ? 'ahead' : await this.relation(holding, sha);
      if (relation === 'ahead') return { sha, holdsKnown: true };
      const delay = 300 + jitteredDelay(attempt, { random, maxDelayMs: 3_000 });
      if (relation === 'diverged' || clock.now() + delay > end) return { sha, holdsKnown: false };
      await clock.sleep(delay);
    }
  }

  /** `behind` may be the past; a head that diverged never was, and never is, one that holds the commit. */
  private async relation(commit: string, head: string): Promise<'ahead' | 'behind' | 'diverged'> {
    if (commit === head) return 'ahead';
    try {
      const { status } = await this.store.compare(commit, head);
      return status === 'identical' ? 'ahead' : status;
    } catch (error) {
      // A replica that does not know one of them yet.
      const failure = httpFailure(error);
      if (failure?.kind === 'answer' && failure.status === 404) return 'behind';
      throw error;
    }
  }
}
