import { type BranchMove, movesOf } from './branch-activity.ts';
import type { GitData } from './git-data.ts';
import type { ListedCommit } from './listed-commit.ts';

/**
 * Who made a commit, as far as GitHub itself vouches for it. `unknown`: it says that it is ours, and nothing proves or
 * disproves it; what acts upon a commit being ours must not, and what acts upon it not being ours must not either.
 */
export type Origin = 'ours' | 'foreign' | 'unknown';

/** GitHub's account for what it commits and signs with its own key. */
const GITHUB_ITSELF = 'web-flow';
/** Of the record, in a run: whoever plants commits under our name costs us no more. */
const MAX_READS = 5;

/**
 * Tells our own commits from those that only say so. Author, committer and message of a commit are whatever its maker
 * wrote, and a good signature is the committer's, whoever that is. Two things cannot be forged:
 *
 * - GitHub's own signature. It signs a commit that a bot makes through the API without naming an author, writes the
 *   bot's account into it as author and itself as committer (docs "Commit signature verification for bots"; answers of
 *   the API: fern-api/fern#16482). What it signs for a *person* was made with the buttons of its pages, so that for a
 *   person's token this proves nothing.
 * - GitHub's record of who moved the branch (its activity). It proves commits that nobody signed, of a person's token
 *   or on a GitHub Enterprise Server that signs nothing, and disproves what came by a merge: a squash of a pull request
 *   that our App opened is signed by GitHub with our App as author.
 *
 * There is no key of ours: tokens change with every run, an App's key is rotated, and both of the above outlive that.
 */
export class OwnCommits {
  private readonly git: GitData;
  private readonly branch: string;
  private readonly login: string | undefined;
  private moves: readonly BranchMove[] = [];
  private reads = 0;

  /** `login`: the account that our token's commits are attributed to; undefined = not known, and nothing is proven. */
  constructor(on: { readonly git: GitData; readonly branch: string; readonly login: string | undefined }) {
    this.git = on.git;
    this.branch = on.branch;
    this.login = on.login?.toLowerCase();
  }

  /** One request at most, for a commit under our name only. */
  async originOf(commit: ListedCommit): Promise<Origin> {
    const { login } = this;
    if (login === undefined) return 'unknown';
    if (commit.author?.toLowerCase() !== login) return 'foreign';
    const pushed = await this.pushedBy(login, commit);
    if (pushed !== 'unknown') return pushed;
    // A login with brackets is an App's; people cannot have one.
    return commit.verified && commit.committer === GITHUB_ITSELF && login.endsWith('[bot]')
      ? 'ours'
      : 'unknown';
  }

  /** By the branch's record. It lags, and does not reach back for ever: what it does not name is not disproven. */
  private async pushedBy(login: string, { sha, parents }: ListedCommit): Promise<Origin> {
    if (!this.moves.some(({ after }) => after === sha) && this.reads < MAX_READS) {
      this.reads += 1;
      this.moves = (await movesOf(this.git, this.branch)) ?? this.moves;
    }
    const moves = this.moves.filter(({ after }) => after === sha);
    if (moves.length === 0) return 'unknown';
    const ours = moves.some(
      // Alone, too: what was pushed together with others' commits was not made by a run of ours.
      ({ kind, by, before }) => kind === 'push' && by?.toLowerCase() === login && before === parents[0],
    );
    return ours ? 'ours' : 'foreign';
  }
}
