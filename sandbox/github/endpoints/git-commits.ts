import { z } from 'zod';
import { gitHubItself, type GitHubState } from '../github-state.ts';
import type { Identity } from '../identities.ts';
import { gitCommit } from '../json/commits.ts';
import {
  type ApiAnswer,
  type ApiRequest,
  notFound,
  parseBody,
  type Route,
  unprocessable,
} from '../router.ts';

const person = z.object({
  name: z.string(),
  email: z.string(),
  date: z.iso.datetime({ offset: true }).optional(),
});
const commitSchema = z.object({
  message: z.string(),
  tree: z.string(),
  parents: z.array(z.string()).default([]),
  author: person.optional(),
  committer: person.partial().optional(),
  signature: z.string().optional(),
});

/**
 * Whether GitHub signs the commit: an App's or workflow's token that names neither author nor committer nor
 * brings a signature (docs "About commit signature verification": bots).
 */
function signedByGitHub(identity: Identity, body: z.infer<typeof commitSchema>): boolean {
  if (identity.kind === 'user') return false;
  return body.author === undefined && body.committer === undefined && body.signature === undefined;
}

async function createCommit(state: GitHubState, request: ApiRequest): Promise<ApiAnswer> {
  const repository = state.repositoryOf(request);
  const { identity } = request;
  if (identity === undefined) throw notFound();
  const body = parseBody(commitSchema, request);
  if ((await repository.git.tree(body.tree)) === undefined) {
    throw unprocessable('Tree SHA does not exist');
  }
  for (const parent of body.parents) {
    if ((await repository.git.commit(parent)) === undefined) {
      throw unprocessable('Parent SHA does not exist or is not a commit object');
    }
  }
  const self = {
    name: state.account(identity.login).name,
    email: state.noreplyAddress(identity.login),
    date: state.timestamp(),
  };
  const author = { ...self, ...body.author, date: body.author?.date ?? self.date };
  const signed = signedByGitHub(identity, body);
  // Seen (fern-api/fern#16482): what GitHub signs it commits itself; with an author alone the committer is the author.
  const committer = signed
    ? { ...gitHubItself, date: author.date }
    : {
        name: body.committer?.name ?? author.name,
        email: body.committer?.email ?? author.email,
        date: body.committer?.date ?? author.date,
      };
  const commit = await repository.git.writeCommit({
    tree: body.tree,
    parents: body.parents,
    author,
    committer,
    message: body.message,
    ...(body.signature === undefined ? {} : { gpgsig: body.signature }),
  });
  if (signed) repository.verified.set(commit.sha, state.timestamp());
  const answer = gitCommit(state, repository, commit);
  return { status: 201, body: answer, headers: { location: answer.url } };
}

async function getCommit(state: GitHubState, request: ApiRequest): Promise<ApiAnswer> {
  const repository = state.repositoryOf(request);
  const commit = await repository.git.commit(request.parameters['commit_sha'] ?? '');
  if (commit === undefined) throw notFound();
  return { status: 200, body: gitCommit(state, repository, commit) };
}

/** Commits of the Git Data API. */
export function gitCommitRoutes(state: GitHubState): Route[] {
  const commits = '/repos/{owner}/{repo}/git/commits';
  return [
    {
      method: 'POST',
      template: commits,
      needs: [{ permission: 'contents', access: 'write' }],
      handle: request => createCommit(state, request),
    },
    {
      method: 'GET',
      template: `${commits}/{commit_sha}`,
      needs: [{ permission: 'contents', access: 'read' }],
      handle: request => getCommit(state, request),
    },
  ];
}
