import { z } from 'zod';

const verificationSchema = z.object({ verified: z.boolean() });
const accountSchema = z.object({ login: z.string().optional() }).nullish();
export const comparedCommitSchema = z.object({
  sha: z.string(),
  html_url: z.string(),
  parents: z.array(z.object({ sha: z.string() })),
  author: accountSchema,
  committer: accountSchema,
  commit: z.object({
    message: z.string(),
    tree: z.object({ sha: z.string() }),
    verification: verificationSchema.optional(),
  }),
});
const changedFileSchema = z.object({ filename: z.string(), previous_filename: z.string().optional() });
export const comparisonSchema = z.object({
  status: z.enum(['diverged', 'ahead', 'behind', 'identical']),
  total_commits: z.number(),
  commits: z.array(comparedCommitSchema),
  files: z.array(changedFileSchema).optional(),
});
export const repositoryCommitSchema = comparedCommitSchema.extend({
  files: z.array(changedFileSchema).optional(),
});

/**
 * A commit as the listing endpoints show it. Author and committer are the accounts that its e-mail addresses belong to:
 * whoever makes a commit writes what he likes there. `verified` speaks of the committer.
 */
export interface ListedCommit {
  readonly sha: string;
  readonly tree: string;
  readonly message: string;
  readonly parents: readonly string[];
  readonly verified: boolean;
  readonly author: string | undefined;
  readonly committer: string | undefined;
  readonly url: string;
}

export interface Comparison {
  readonly status: 'diverged' | 'ahead' | 'behind' | 'identical';
  /** Commits of head that base lacks, oldest first; at most the newest 250. */
  readonly commits: readonly ListedCommit[];
  readonly allCommits: boolean;
  /** Paths that differ, old names of renamed ones included; undefined when there are more than GitHub lists. */
  readonly changed: ReadonlySet<string> | undefined;
}

export interface RepositoryCommit extends ListedCommit {
  readonly changed: readonly string[];
}

/** GitHub lists no more files than this in a comparison (docs "Compare two commits"). */
const MAX_COMPARED_FILES = 300;
export function toListedCommit(answer: z.infer<typeof comparedCommitSchema>): ListedCommit {
  return {
    sha: answer.sha,
    tree: answer.commit.tree.sha,
    message: answer.commit.message,
    verified: answer.commit.verification?.verified === true,
    parents: answer.parents.map(parent => parent.sha),
    author: answer.author?.login,
    committer: answer.committer?.login,
    url: answer.html_url,
  };
}

export function toComparison(answer: z.infer<typeof comparisonSchema>): Comparison {
  const files = answer.files ?? [];
  return {
    status: answer.status,
    commits: answer.commits.map(toListedCommit),
    allCommits: answer.commits.length >= answer.total_commits,
    changed: files.length >= MAX_COMPARED_FILES ? undefined : new Set(pathsOf(files)),
  };
}

/** Old names of renamed files included. */
export function pathsOf(files: readonly z.infer<typeof changedFileSchema>[]): string[] {
  return files.flatMap(file =>
    file.previous_filename === undefined ? [file.filename] : [file.filename, file.previous_filename],
  );
}
