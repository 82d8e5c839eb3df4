import { z } from 'zod';
import type { RepositoryName } from '../config/settings.ts';
import type { GitHubClient } from '../github/client.ts';
import {
  type Comparison,
  comparedCommitSchema,
  comparisonSchema,
  type ListedCommit,
  pathsOf,
  type RepositoryCommit,
  repositoryCommitSchema,
  toComparison,
  toListedCommit,
} from './listed-commit.ts';

/** One entry of a tree, as Git has it. */
export interface TreeEntry {
  readonly name: string;
  /** 100644, 100755, 040000, 120000 (symlink), 160000 (submodule). */
  readonly mode: string;
  readonly sha: string;
}

export interface GitCommit {
  readonly sha: string;
  readonly tree: string;
  readonly parents: readonly string[];
  readonly message: string;
  /** GitHub says that the signature is good. */
  readonly verified: boolean;
  readonly url: string;
}

/** A change to a tree: new text, a blob that exists already, or a deletion. */
export type TreeEdit =
  | { readonly path: string; readonly mode: string; readonly content: string }
  | { readonly path: string; readonly mode: string; readonly sha: string | null };

const textsSchema = z.object({
  repository: z.record(
    z.string(),
    z.object({ text: z.string().nullish(), isTruncated: z.boolean().nullish() }).nullable(),
  ),
});
const verificationSchema = z.object({ verified: z.boolean() });
const gitCommitSchema = z.object({
  sha: z.string(),
  tree: z.object({ sha: z.string() }),
  parents: z.array(z.object({ sha: z.string() })),
  message: z.string(),
  verification: verificationSchema.optional(),
  html_url: z.string(),
});
const treeSchema = z.object({
  sha: z.string(),
  truncated: z.boolean().default(false),
  tree: z.array(z.object({ path: z.string(), mode: z.string(), sha: z.string() })),
});
const blobSchema = z.object({ content: z.string(), encoding: z.string() });
const shaSchema = z.object({ sha: z.string() });
const refSchema = z.object({ object: z.object({ sha: z.string() }) });

const FILES_PER_PAGE = 100;

export interface CallLimits {
  /** ms; default a minute. */
  readonly budgetMs?: number;
}

/** GitHub's Git Data API for one repository. Translates and checks, caches nothing, decides nothing. */
export class GitData {
  readonly client: GitHubClient;
  readonly repository: RepositoryName;

  constructor(client: GitHubClient, repository: RepositoryName) {
    this.client = client;
    this.repository = repository;
  }

  /** The commit that a branch is at. */
  async head(branch: string, limits: CallLimits = {}): Promise<string> {
    const answer = await this.get('/git/ref/{ref}', {
      schema: refSchema,
      parameters: { ref: `heads/${branch}` },
      limits,
    });
    return answer.object.sha;
  }

  async commit(sha: string): Promise<GitCommit> {
    const answer = await this.get('/git/commits/{sha}', { schema: gitCommitSchema, parameters: { sha } });
    return toGitCommit(answer);
  }

  /** One level of a tree, or with `recursive` all of it (paths as names), if GitHub gives it whole. */
  async tree(
    sha: string,
    options: { readonly recursive?: boolean } = {},
  ): Promise<{ readonly entries: readonly TreeEntry[]; readonly truncated: boolean }> {
    const answer = await this.get('/git/trees/{sha}', {
      schema: treeSchema,
      parameters: { sha, ...(options.recursive === true ? { recursive: '1' } : {}) },
    });
    return {
      entries: answer.tree.map(({ path, mode, sha }) => ({ name: path, mode, sha })),
      truncated: answer.truncated,
    };
  }

  async blob(sha: string): Promise<Buffer> {
    const answer = await this.get('/git/blobs/{sha}', { schema: blobSchema, parameters: { sha } });
    return Buffer.from(answer.content, answer.encoding === 'base64' ? 'base64' : 'utf8');
  }

  /**
   * Texts of many blobs in one request (GraphQL). What is missing in the answer is binary, too long, or was not to be
   * had so; it must be asked for by itself. Never throws.
   */
  async texts(shas: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const { owner, repo } = this.repository;
    const fields = shas.map(
      (sha, index) => `b${index}: object(oid: "${sha}") { ... on Blob { text isTruncated } }`,
    );
    const query = `query($owner: String!, $repo: String!) { repository(owner: $owner, name: $repo) { ${fields.join(' ')} } }`;
    const answer: unknown = await this.client.octokit.graphql(query, { owner, repo }).catch(() => undefined);
    const found = textsSchema.safeParse(answer).data?.repository ?? {};
    const texts = new Map<string, string>();
    for (const [index, sha] of shas.entries()) {
      const blob = found[`b${index}`];
      if (blob?.isTruncated === false && typeof blob.text === 'string') texts.set(sha, blob.text);
    }
    return texts;
  }

  /** A commit with its author's account and the paths it changed. */
  async repositoryCommit(sha: string): Promise<RepositoryCommit> {
    const files: string[] = [];
    for (let page = 1; ; page += 1) {
      const answer = await this.get('/commits/{sha}', {
        schema: repositoryCommitSchema,
        parameters: { sha, page, per_page: FILES_PER_PAGE },
      });
      files.push(...pathsOf(answer.files ?? []));
      if ((answer.files?.length ?? 0) < FILES_PER_PAGE) {
        return { ...toListedCommit(answer), changed: files };
      }
    }
  }

  /** Commits of a branch, newest first, that touched `path`. */
  async history(query: {
    readonly from: string;
    readonly path?: string;
    readonly page: number;
  }): Promise<readonly ListedCommit[]> {
    const answer = await this.get('/commits', {
      schema: z.array(comparedCommitSchema),
      parameters: {
        sha: query.from,
        per_page: 100,
        page: query.page,
        ...(query.path === undefined ? {} : { path: query.path }),
      },
    });
    return answer.map(toListedCommit);
  }

  async compare(base: string, head: string, limits: CallLimits = {}): Promise<Comparison> {
    const answer = await this.get('/compare/{basehead}', {
      schema: comparisonSchema,
      parameters: { basehead: `${base}...${head}` },
      limits,
    });
    return toComparison(answer);
  }

  /** Content-addressed, so sent again freely. */
  async createBlob(content: Buffer): Promise<string> {
    const parameters = { content: content.toString('base64'), encoding: 'base64' };
    return (await this.post('/git/blobs', { schema: shaSchema, parameters })).sha;
  }

  /** Content-addressed, so sent again freely. */
  async createTree(base: string, edits: readonly TreeEdit[], limits: CallLimits = {}): Promise<string> {
    const tree = edits.map(edit => ({ type: 'blob', ...edit }));
    const parameters = { base_tree: base, tree };
    return (await this.post('/git/trees', { schema: shaSchema, parameters, limits })).sha;
  }

  /**
   * A commit that no branch has yet, so sent again freely. Without author and committer: only then does GitHub sign
   * it for Apps (docs "Commit signature verification for bots").
   */
  async createCommit(
    commit: { readonly tree: string; readonly parent: string; readonly message: string },
    limits: CallLimits = {},
  ): Promise<GitCommit> {
    const parameters = { message: commit.message, tree: commit.tree, parents: [commit.parent] };
    const answer = await this.post('/git/commits', { schema: gitCommitSchema, parameters, limits });
    return toGitCommit(answer);
  }

  /** Moves a branch forward; never forced, never sent again by itself. */
  async moveBranch(branch: string, sha: string): Promise<void> {
    await this.client.call({
      method: 'PATCH',
      route: '/repos/{owner}/{repo}/git/refs/{ref}',
      parameters: { ...this.repository, ref: `heads/${branch}`, sha, force: false },
      schema: refSchema,
      resend: 'once',
    });
  }

  private get<T>(route: string, options: RouteOptions<T>): Promise<T> {
    return this.send('GET', route, options);
  }

  private post<T>(route: string, options: RouteOptions<T>): Promise<T> {
    return this.send('POST', route, options);
  }

  private send<T>(method: 'GET' | 'POST', route: string, options: RouteOptions<T>): Promise<T> {
    return this.client.call({
      method,
      route: `/repos/{owner}/{repo}${route}`,
      parameters: { ...this.repository, ...options.parameters },
      schema: options.schema,
      resend: 'repeat',
      ...options.limits,
    });
  }
}

interface RouteOptions<T> {
  readonly schema: z.ZodType<T>;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly limits?: CallLimits;
}

function toGitCommit(answer: z.infer<typeof gitCommitSchema>): GitCommit {
  return {
    sha: answer.sha,
    tree: answer.tree.sha,
    parents: answer.parents.map(parent => parent.sha),
    message: answer.message,
    verified: answer.verification?.verified === true,
    url: answer.html_url,
  };
}
