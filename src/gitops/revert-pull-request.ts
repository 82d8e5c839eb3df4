import { z } from 'zod';
import { httpFailure } from '../github/http-errors.ts';
import type { PullRequestOutcome, RevertPullRequest } from '../rollout/ports.ts';
import { harmless, harmlessTitle } from './commit-message.ts';
import type { Branch } from './find-rollouts.ts';
import { changesSince, type DecidedPath, decidePaths, placesLeft, restoringEdits } from './decide-paths.ts';
import type { GitCommit, TreeEdit } from './git-data.ts';
import type { ObjectStore } from './object-store.ts';

const pullSchema = z.object({ number: z.number(), html_url: z.string() });
const createdSchema = z.object({}).loose();
/** Of branches, before somebody has to look who makes them. */
const MAX_NAMES = 5;

/**
 * Asks a person: a branch on the head with what could be restored, and a pull request that says what could not. What
 * nobody may delete automatically (a Canary) may be deleted here, because a person looks first. None is opened that
 * would change nothing.
 */
export async function openRevertPullRequest(
  on: Branch,
  request: RevertPullRequest,
): Promise<PullRequestOutcome> {
  const { git } = on.store;
  try {
    const head = await on.head.read(request.commit.sha);
    const since = await changesSince(on.store, { commit: request.commit, head });
    const paths = await decidePaths({ store: on.store, mayDelete: () => true }, { request, since });
    const left = placesLeft(paths);
    const edits = await partialEdits(on.store, paths);
    if (edits.length === 0) return { kind: 'nothing-to-restore', left };
    const tree = await git.createTree(since.tree, edits);
    const title = harmlessTitle(request.title);
    const commit = await git.createCommit({ tree, parent: head.sha, message: title });
    const branch = await createBranch(on, { name: request.branch, commit });
    const body = bodyOf(request.body, { left, commit: request.commit.sha });
    return { kind: 'opened', left, ...(await createPull(on, { ...request, branch, title, body })) };
  } catch (error) {
    const failure = httpFailure(error);
    if (failure === undefined) throw error;
    const message = failure.kind === 'answer' ? `${failure.status}: ${failure.message}` : failure.message;
    return { kind: 'failed', message };
  }
}

/** Of a file whose lines meet somebody's, the lines that do not are put back. */
async function partialEdits(store: ObjectStore, paths: readonly DecidedPath[]): Promise<readonly TreeEdit[]> {
  const partial = paths.map((path): DecidedPath => {
    const merged = path.decision.kind === 'conflict' ? path.decision.merged : undefined;
    return merged?.restores ? { ...path, decision: { kind: 'merge', text: merged.text } } : path;
  });
  return await restoringEdits(store, partial);
}

/**
 * A branch at the commit. One of the name may be there: of ours when an answer was lost or an earlier run was here, or of
 * anybody who may push and foresaw the name. Only one with the same tree is taken for ours; else another name is.
 */
async function createBranch(
  on: Branch,
  wanted: { readonly name: string; readonly commit: GitCommit },
): Promise<string> {
  const { git } = on.store;
  const { commit } = wanted;
  for (let attempt = 1; ; attempt += 1) {
    const name = attempt === 1 ? wanted.name : `${wanted.name}-${attempt}`;
    try {
      await createRef(on, { name, sha: commit.sha });
      return name;
    } catch (error) {
      const failure = httpFailure(error);
      const exists =
        failure?.kind === 'answer' && failure.status === 422 && /already exists/i.test(failure.message);
      if (!exists) throw error;
      const there = await git.commit(await git.head(name));
      if (there.tree === commit.tree) return name;
      if (attempt >= MAX_NAMES) throw error;
    }
  }
}

async function createRef(on: Branch, ref: { readonly name: string; readonly sha: string }): Promise<void> {
  const { client, repository } = on.store.git;
  await client.call({
    method: 'POST',
    route: '/repos/{owner}/{repo}/git/refs',
    parameters: { ...repository, ref: `refs/heads/${ref.name}`, sha: ref.sha },
    schema: createdSchema,
    resend: 'repeat',
  });
}

async function createPull(
  on: Branch,
  request: Pick<RevertPullRequest, 'title' | 'body' | 'branch'>,
): Promise<{ readonly url: string; readonly number: number }> {
  const { client, repository } = on.store.git;
  try {
    const pull = await client.call({
      method: 'POST',
      route: '/repos/{owner}/{repo}/pulls',
      parameters: {
        ...repository,
        title: request.title,
        body: request.body,
        head: request.branch,
        base: on.branch,
      },
      schema: pullSchema,
      resend: 'repeat',
    });
    return { url: pull.html_url, number: pull.number };
  } catch (error) {
    const found = await existingPull(on, request.branch);
    if (found === undefined) throw error;
    return found;
  }
}

/** A pull request for this branch is there already when the answer to creating it was lost. */
async function existingPull(on: Branch, branch: string) {
  const { client, repository } = on.store.git;
  const [pull] = await client.call({
    method: 'GET',
    route: '/repos/{owner}/{repo}/pulls',
    parameters: { ...repository, head: `${repository.owner}:${branch}`, state: 'open' },
    schema: z.array(pullSchema),
    resend: 'repeat',
  });
  return pull === undefined ? undefined : { url: pull.html_url, number: pull.number };
}

function bodyOf(body: string, on: { readonly left: readonly string[]; readonly commit: string }): string {
  const lines = body.split('\n').map(harmless);
  if (on.left.length > 0) {
    lines.push(
      '',
      'Merging this does not take everything back. These lines were changed after the rejected commit and are left as they are:',
      ...on.left.map(place => `- ${harmless(place)}`),
      '',
      `To decide on them by hand: git revert --no-commit ${on.commit}`,
    );
  }
  return lines.join('\n');
}
