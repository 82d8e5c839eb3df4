import { posix } from 'node:path';
import { z } from 'zod';
import type { RunPurpose } from '../config/event-mode.ts';
import type { RepositoryName } from '../config/settings.ts';
import type { GitHubClient } from '../github/client.ts';
import { statusOf } from '../github/http-errors.ts';
import { asRefusal } from '../github/refusal.ts';
import { Refusal } from '../rollout/verdict.ts';
import { GitData } from './git-data.ts';

/** A push is announced before every replica of GitHub knows of it: so often one looks again. */
const MAX_LOOKS = 10;
const PAUSE_MS = 1_000;
/** Of the branches that a pattern matches. */
const MAX_BRANCHES = 30;

export interface SourceQuery {
  readonly client: GitHubClient;
  readonly repository: RepositoryName;
  readonly purpose: Pick<RunPurpose, 'sourceSha' | 'branch' | 'defaultBranch'>;
  readonly mode: 'release' | 'sweep';
  /** Names and patterns; none = the default branch. */
  readonly allowed: readonly string[];
}

/**
 * Lets through what a branch contains that may be released: whatever brings it, an event names any commit, and one of a
 * feature branch is a commit that nobody has merged. A sweep releases nothing, but writes by the rollout.yaml of its
 * commit: for it the default branch is always good.
 *
 * Branches are read as branches, and compared by their commits: a tag of the same name proves nothing.
 * @throws Refusal `ref-not-allowed`; that of GitHub's answer when it cannot be asked, for then nothing is proven.
 */
export async function requireAllowedSource(query: SourceQuery): Promise<void> {
  const { repository, purpose } = query;
  const git = new GitData(query.client, repository);
  const { sourceSha: sha } = purpose;
  try {
    const tried: string[] = [];
    for await (const branch of branchesOf(git, query)) {
      if (await contains(git, { branch, sha, late: branch === purpose.branch })) return;
      tried.push(branch);
    }
    throw notAllowed(query, tried);
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw asRefusal(error, { repository, doing: `look whether a branch that may be released has ${sha}` });
  }
}

/** Those that are likely first; each once. */
async function* branchesOf(
  git: GitData,
  { purpose, mode, allowed }: SourceQuery,
): AsyncGenerator<string, void> {
  const needed = allowed.length === 0 || mode === 'sweep';
  const byDefault = needed ? [purpose.defaultBranch ?? (await defaultBranchOf(git))] : [];
  const wanted = [...allowed, ...byDefault];
  const matches = (branch: string) => wanted.some(pattern => posix.matchesGlob(branch, pattern));
  const patterns = wanted.filter(isPattern);
  const given = new Set([
    ...(purpose.branch !== undefined && matches(purpose.branch) ? [purpose.branch] : []),
    ...wanted.filter(name => !isPattern(name)),
  ]);
  yield* given;
  const listed = await Promise.all(patterns.map(pattern => branchesBelow(git, literalStart(pattern))));
  const others = new Set(listed.flat().filter(branch => matches(branch) && !given.has(branch)));
  yield* [...others].slice(0, MAX_BRANCHES);
}

async function contains(
  git: GitData,
  on: { readonly branch: string; readonly sha: string; readonly late: boolean },
): Promise<boolean> {
  for (let looks = 1; ; looks += 1) {
    const status = await relationTo(git, on);
    if (status === 'identical' || status === 'behind') return true;
    // Ahead of the branch that it was pushed to: an answer from before the push, or a branch that was put back since.
    if (status !== 'ahead' || !on.late || looks >= MAX_LOOKS) return false;
    await git.client.clock.sleep(PAUSE_MS);
  }
}

/** Where the commit stands from the branch; undefined when there is no such branch, or nothing that relates them. */
async function relationTo(git: GitData, { branch, sha }: { readonly branch: string; readonly sha: string }) {
  try {
    const head = await git.head(branch);
    return head === sha ? 'identical' : (await git.compare(head, sha)).status;
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
}

async function defaultBranchOf(git: GitData): Promise<string> {
  const answer = await git.client.call({
    method: 'GET',
    route: '/repos/{owner}/{repo}',
    parameters: { ...git.repository },
    schema: z.object({ default_branch: z.string() }),
    resend: 'repeat',
  });
  return answer.default_branch;
}

async function branchesBelow(git: GitData, start: string): Promise<readonly string[]> {
  const refs = await git.client.call({
    method: 'GET',
    route: '/repos/{owner}/{repo}/git/matching-refs/{ref}',
    parameters: { ...git.repository, ref: `heads/${start}` },
    schema: z.array(z.object({ ref: z.string() })),
    resend: 'repeat',
  });
  return refs.map(({ ref }) => ref.replace(/^refs\/heads\//, ''));
}

function isPattern(text: string): boolean {
  return /[*?[\]{}()]/.test(text);
}

function literalStart(pattern: string): string {
  return /^[^*?[\]{}()]*/.exec(pattern)?.[0] ?? '';
}

function notAllowed({ purpose, mode, allowed }: SourceQuery, tried: readonly string[]): Refusal {
  const { sourceSha, branch } = purpose;
  const from = branch === undefined || tried.includes(branch) ? '' : ` of ${branch}`;
  const where = tried.length === 0 ? allowed.join(', ') : tried.join(', ');
  const what =
    mode === 'release' ? 'Only what has been merged is released' : 'A sweep writes by merged files only';
  return new Refusal(
    'ref-not-allowed',
    `The commit ${sourceSha.slice(0, 7)}${from} is not in ${where}. ${what}.`,
    {
      remedy: `Merge it, and start from there. To release from ${branch ?? 'other branches'} as well, name it in the input branches (names or patterns such as release/*, one per line).`,
    },
  );
}
