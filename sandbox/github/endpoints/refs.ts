import { z } from 'zod';
import type { Ref } from '../git/git-repository.ts';
import { isAncestor } from '../git/history.ts';
import type { GitHubState } from '../github-state.ts';
import { nodeId } from '../json/accounts.ts';
import { repositoryUrl } from '../json/repositories.ts';
import { enforceRules, moveRef, type RefMove, readRef } from '../ref-updates.ts';
import type { RepositoryState } from '../repository-state.ts';
import {
  type ApiAnswer,
  ApiError,
  type ApiRequest,
  notFound,
  parseBody,
  type Route,
  unprocessable,
} from '../router.ts';

function refJson(state: GitHubState, repository: RepositoryState, ref: Ref) {
  const url = repositoryUrl(state, repository);
  return {
    ref: ref.name,
    node_id: nodeId('Ref', `${repository.id}:${ref.name}`),
    url: `${url}/git/${ref.name}`,
    object: { sha: ref.sha, type: ref.type, url: `${url}/git/${ref.type}s/${ref.sha}` },
  };
}

async function refuseEmpty(repository: RepositoryState): Promise<void> {
  if ((await repository.git.refs()).length === 0) throw new ApiError(409, 'Git Repository is empty.');
}

async function getRef(state: GitHubState, request: ApiRequest): Promise<ApiAnswer> {
  const repository = state.repositoryOf(request);
  const ref = await readRef(repository, `refs/${request.parameters['ref']}`, request.staleRefs);
  if (ref !== undefined) return { status: 200, body: refJson(state, repository, ref) };
  await refuseEmpty(repository);
  throw notFound();
}

async function matchingRefs(state: GitHubState, request: ApiRequest): Promise<ApiAnswer> {
  const repository = state.repositoryOf(request);
  const refs = await repository.git.refs(`refs/${request.parameters['ref']}`);
  const read = await Promise.all(refs.map(ref => readRef(repository, ref.name, request.staleRefs)));
  return {
    status: 200,
    body: read.filter(ref => ref !== undefined).map(ref => refJson(state, repository, ref)),
  };
}

async function requireObject(repository: RepositoryState, name: string, sha: string): Promise<void> {
  const object = await repository.git.objectInfo(sha);
  if (object === undefined) throw unprocessable('Object does not exist');
  if (name.startsWith('refs/heads/') && object.type !== 'commit') {
    throw unprocessable('Reference cannot be updated');
  }
}

/** Applies the rules of the branch to who asks, then moves the ref with git's own compare-and-swap. */
async function move(
  state: GitHubState,
  request: ApiRequest,
  to: Pick<RefMove, 'name' | 'from' | 'to'>,
): Promise<boolean> {
  const repository = state.repositoryOf(request);
  const { identity } = request;
  if (identity === undefined) throw notFound();
  const wanted = { ...to, by: identity.login };
  await enforceRules(repository, identity, wanted);
  return await moveRef(state, repository, wanted);
}

const createSchema = z.object({ ref: z.string(), sha: z.string() });

async function createRef(state: GitHubState, request: ApiRequest): Promise<ApiAnswer> {
  const repository = state.repositoryOf(request);
  const { ref: name, sha } = parseBody(createSchema, request);
  const wellFormed = /^refs\/[^/]+\/.+/.test(name) && !/[\s~^:?*[\\]|\.\.|\/$|\.lock$/.test(name);
  if (!wellFormed) throw unprocessable('Reference name is not valid.');
  await requireObject(repository, name, sha);
  if (!(await move(state, request, { name, from: undefined, to: sha }))) {
    throw unprocessable('Reference already exists');
  }
  const type = (await repository.git.objectInfo(sha))?.type ?? 'commit';
  return { status: 201, body: refJson(state, repository, { name, sha, type }) };
}

const updateSchema = z.object({ sha: z.string(), force: z.boolean().default(false) });

async function updateRef(state: GitHubState, request: ApiRequest): Promise<ApiAnswer> {
  const repository = state.repositoryOf(request);
  const name = `refs/${request.parameters['ref']}`;
  const { sha, force } = parseBody(updateSchema, request);
  await requireObject(repository, name, sha);
  // Between reading the ref and moving it another request may move it: then look again, as GitHub's transaction does.
  for (;;) {
    const current = await repository.git.ref(name);
    if (current === undefined) throw unprocessable('Reference does not exist');
    const updated = { status: 200, body: refJson(state, repository, { name, sha, type: 'commit' }) };
    if (current.sha === sha) return updated;
    if (!force && !(await isAncestor(repository.git, current.sha, sha))) {
      throw unprocessable('Update is not a fast forward');
    }
    if (await move(state, request, { name, from: current.sha, to: sha })) return updated;
  }
}

async function deleteRef(state: GitHubState, request: ApiRequest): Promise<ApiAnswer> {
  const repository = state.repositoryOf(request);
  const name = `refs/${request.parameters['ref']}`;
  const current = await repository.git.ref(name);
  if (current === undefined) throw unprocessable('Reference does not exist');
  if (!(await move(state, request, { name, from: current.sha, to: undefined }))) {
    throw new ApiError(409, 'Reference cannot be deleted');
  }
  return { status: 204 };
}

/** Refs of the Git Data API. */
export function refRoutes(state: GitHubState): Route[] {
  const git = '/repos/{owner}/{repo}/git';
  const read = [{ permission: 'contents', access: 'read' }] as const;
  const write = [{ permission: 'contents', access: 'write' }] as const;
  return [
    { method: 'GET', template: `${git}/ref/{ref}`, needs: read, handle: r => getRef(state, r) },
    {
      method: 'GET',
      template: `${git}/matching-refs/{ref}`,
      needs: read,
      handle: r => matchingRefs(state, r),
    },
    { method: 'POST', template: `${git}/refs`, needs: write, handle: r => createRef(state, r) },
    { method: 'PATCH', template: `${git}/refs/{ref}`, needs: write, handle: r => updateRef(state, r) },
    { method: 'DELETE', template: `${git}/refs/{ref}`, needs: write, handle: r => deleteRef(state, r) },
  ];
}
