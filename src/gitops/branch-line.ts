import type { GitData } from './git-data.ts';
import type { ListedCommit } from './listed-commit.ts';

const COMMITS_PER_PAGE = 100;

/**
 * A stretch of a branch's history: all commits, and which of them the branch has been at. That is the line of first
 * parents from the head down. What a merge brought in lies beside it: its commits are in the history, and their trees
 * were never what the branch said, reviewed or not, so that nothing of ours is there and nothing is restored from there.
 */
export interface BranchLine {
  /** Newest first. */
  readonly commits: readonly ListedCommit[];
  /** From the head down. */
  readonly line: readonly ListedCommit[];
}

/** As many commits as asked for, in whole pages of one request each; `from` is a commit that the branch is or was at. */
export async function branchLine(git: GitData, from: string, atMost: number): Promise<BranchLine> {
  const commits: ListedCommit[] = [];
  for (let page = 1; commits.length < atMost; page += 1) {
    const listed = await git.history({ from, page });
    commits.push(...listed);
    if (listed.length < COMMITS_PER_PAGE) break;
  }
  return { commits, line: lineOf(from, commits) };
}

/** Of these commits the line from `head` down, as far as they reach. The order of listings follows dates: not used. */
export function lineOf(head: string, commits: readonly ListedCommit[]): readonly ListedCommit[] {
  const bySha = new Map(commits.map(commit => [commit.sha, commit]));
  const line: ListedCommit[] = [];
  for (let next = bySha.get(head); next !== undefined; next = bySha.get(next.parents[0] ?? '')) {
    line.push(next);
  }
  return line;
}

/**
 * The commits by which the given ones came onto the branch, newest first: themselves where they are on its line, else
 * the merge that brought them.
 */
export function landings({ commits, line }: BranchLine, shas: ReadonlySet<string>): readonly string[] {
  const bySha = new Map(commits.map(commit => [commit.sha, commit]));
  const seen = new Set<string>();
  const landed = new Set<string>();
  for (const at of line.toReversed()) {
    const open = [at.sha];
    for (let sha = open.pop(); sha !== undefined; sha = open.pop()) {
      if (seen.has(sha)) continue;
      seen.add(sha);
      if (shas.has(sha)) landed.add(at.sha);
      open.push(...(bySha.get(sha)?.parents ?? []));
    }
  }
  return line.map(({ sha }) => sha).filter(sha => landed.has(sha));
}
