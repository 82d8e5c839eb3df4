import { z } from 'zod';
import { httpFailure } from '../github/http-errors.ts';
import type { RevertRequest } from '../rollout/ports.ts';
import { harmless, harmlessTitle } from './commit-message.ts';
import type { Branch } from './find-rollouts.ts';
import type { GitCommit } from './git-data.ts';
import { changesSince, decidePaths, restoringEdits } from './revert-files.ts';

const pullSchema = z.object({ number: z.number(), html_url: z.string() });
const createdSchema = z.object({}).loose();
/** Of branches, before somebody has to look who makes them. */
const MAX_NAMES = 5;

export interface RevertPullRequest {
  readonly commit: RevertRequest['commit'];
  readonly files: RevertRequest['files'];
  readonly title: string;
  readonly body: string;
  readonly branch: string;
}

/**
 * Asks a person: a branch on the head with what could be restored, and a pull request that says what could not. What
 * nobody may delete automatically (a Canary) may be deleted here, because a person looks first.
 */
export async function openRevertPullRequest(
  on: Branch,
  request: RevertPullRequest,
): Promise<{ readonly url: string; readonly number: number } | { readonly failed: string }> {
  const { git } = on.store;
  try {
    const head = await git.head(on.branch);
    const since = await changesSince(on.store, { commit: request.commit, head });
    const paths = await decidePaths({ store: on.store, mayDelete: () => true }, { request, since });
    const open = paths.filter(({ decision }) => decision === 'conflict').map(({ file }) => file.path);
    const edits = await restoringEdits(on.store, paths);
    const tree = edits.length === 0 ? since.tree : await git.createTree(since.tree, edits);
    const title = harmlessTitle(request.title);
    // GitHub opens no pull request without a commit of its own; when all is in conflict an empty one carries the question.
    const commit = await git.createCommit({ tree, parent: head, message: title });
    const branch = await createBranch(on, { name: request.branch, commit });
    return await createPull(on, { ...request, branch, title, body: bodyOf(request.body, open) });
  } catch (error) {
    const failure = httpFailure(error);
    if (failure === undefined) throw error;
    return { failed: failure.kind === 'answer' ? `${failure.status}: ${failure.message}` : failure.message };
  }
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

function bodyOf(body: string, open: readonly string[]): string {
  const lines = body.split('\n').map(harmless);
  if (open.length > 0) {
    lines.push(
      '',
      'These files were changed after the rejected commit and are left as they are; please look at them:',
      ...open.map(path => `- ${harmless(path)}`),
    );
  }
  return lines.join('\n');
}
