import { generateKeyPairSync } from 'node:crypto';
import { z } from 'zod';
import type { MergeMethod } from '../../sandbox/github/pull-requests.ts';
import { deployment } from '../../sandbox/podinfo.ts';
import { FLEET, type Sandbox } from '../../sandbox/sandbox.ts';
import type { Step } from '../../sandbox/runner/run-action.ts';

/** Whose credentials the action has for the GitOps repository. */
export interface Credentials {
  /** Under which account its commits appear. */
  readonly login: string;
  readonly inputs: Step['inputs'];
}

/** What an attacker wants to see live. Nobody ever merged it. */
export const BACKDOOR = '6.14.66';
const FILE = 'apps/deployment.yaml';
/** Files that nobody minds, `NOTES-0.md` and so on: what forged commits change. */
export const NOTES = 'docs/notes';

/** An App's token that was passed in, as create-github-app-token mints it. */
export function givenToken(sandbox: Sandbox): Credentials & { readonly token: string } {
  const token = sandbox.github.addToken({ kind: 'app', slug: 'rollout', repositories: [FLEET] });
  return { login: 'rollout[bot]', token, inputs: { 'gitops-token': token } };
}

export function appCredentials(sandbox: Sandbox): Credentials {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const { clientId } = sandbox.github.addApp({
    slug: 'fleet-rollouts',
    publicKey,
    installations: [{ account: 'acme', repositories: [FLEET] }],
  });
  const key = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
  return {
    login: 'fleet-rollouts[bot]',
    inputs: { 'gitops-token': '', 'app-client-id': clientId, 'app-private-key': key },
  };
}

/** A person's token: GitHub signs none of its commits. */
export function personalToken(sandbox: Sandbox): Credentials & { readonly token: string } {
  const token = sandbox.github.addToken({ kind: 'user', login: 'deployer', repositories: [FLEET] });
  return { login: 'deployer', token, inputs: { 'gitops-token': token } };
}

/** As a GitHub that has no record of pushes. */
export function hidePushes(sandbox: Sandbox): void {
  sandbox.github.fault({
    path: /\/activity/,
    times: 100,
    effect: { kind: 'respond', status: 404, body: { message: 'Not Found' } },
  });
}

/** The message of the newest release, for another rollout: with a value that never comes, and another way back. */
export async function copiedTrailers(
  sandbox: Sandbox,
  forged: { readonly id: string; readonly restore: string },
): Promise<string> {
  const release = (await sandbox.github.log(FLEET)).find(({ title }) => title.startsWith('Release'));
  if (!release) throw new Error('There is no release to copy from.');
  const trailers = (release.message.split('\n\n').at(-1) ?? '')
    .replace(/^Gated-Rollout-Id: .*$/m, `Gated-Rollout-Id: ${forged.id}`)
    .replace(/^(Gated-Rollout-Expects: .*"version":")[^"]*/m, '$199.0.0')
    .replace(
      /^Gated-Rollout-Restore: .*$/m,
      `Gated-Rollout-Restore: ${JSON.stringify({ kind: 'commit', sha: forged.restore })}`,
    );
  return `Tidy up the comments of podinfo\n\n${trailers}`;
}

/** The files that the forged commits change. */
export function notes(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries(Array.from({ length: 8 }, (_, at) => [`${NOTES}-${at}.md`, text]));
}

/** A commit with the backdoor on a branch that nobody merges. */
export async function unmergedBackdoor(sandbox: Sandbox): Promise<string> {
  return await sandbox.github.push(FLEET, {
    branch: 'evil',
    files: {
      [FILE]: deployment({ tag: BACKDOOR }),
      ...notes(BACKDOOR),
    },
    message: 'Backdoor',
  });
}

/** Who a forged commit says made it. */
export interface Forgery {
  /** Of the account that it is made to look like. */
  readonly login: string;
  readonly message: string;
  readonly files: Readonly<Record<string, string>>;
  /** With the attacker's own valid signature: the committer is himself then. */
  readonly signed: boolean;
  /** Who opens the pull request; default the attacker. */
  readonly openedBy?: string;
}

/**
 * A pull request with one forged commit, merged by a person, or (`push`) the commit pushed onto the branch by one.
 * Returns what the branch is at.
 */
export async function mergeForged(
  sandbox: Sandbox,
  { login, message, files, signed, openedBy = 'mallory' }: Forgery,
  method: MergeMethod | 'push',
): Promise<string> {
  const branch = `tidy-up-${Math.random().toString(36).slice(2)}`;
  const author = { name: login, email: `${login}@users.noreply.github.com` };
  const mallory = { name: 'Mallory', email: 'mallory@users.noreply.github.com' };
  const pushed = await sandbox.github.push(FLEET, {
    branch: method === 'push' ? 'main' : branch,
    files,
    message,
    author,
    by: 'mallory',
    committer: signed ? mallory : { name: 'GitHub', email: 'noreply@github.com' },
    ...(signed ? { signed } : {}),
  });
  if (method === 'push') return pushed;
  return await merge(sandbox, { branch, user: openedBy, method });
}

/** A pull request of a branch, merged by a person. */
export async function merge(
  sandbox: Sandbox,
  on: { readonly branch: string; readonly user: string; readonly method: MergeMethod },
): Promise<string> {
  const wanted = { title: 'Tidy up', head: on.branch, base: 'main', user: on.user };
  const pull = await sandbox.github.openPullRequest(FLEET, wanted);
  return await sandbox.github.mergePullRequest(FLEET, pull, { method: on.method, by: 'mona' });
}

const answerSchema = z.object({
  sha: z.string().default(''),
  tree: z.object({ sha: z.string() }).optional().catch(undefined),
});

/**
 * A commit by the API, as a run of ours makes it: signed by GitHub for the token's account, pushed by it, onto the
 * branch or onto a new one.
 */
export async function commitByApi(
  sandbox: Sandbox,
  on: {
    readonly token: string;
    readonly message: string;
    readonly files: Readonly<Record<string, string>>;
    readonly newBranch?: string;
  },
): Promise<string> {
  const parent = (await sandbox.github.head(FLEET)) ?? '';
  const call = async (method: string, path: string, body?: object) => {
    const response = await fetch(`${sandbox.github.apiUrl}/repos/${FLEET}/git/${path}`, {
      method,
      headers: { authorization: `Bearer ${on.token}`, 'user-agent': 'test' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status}`);
    return answerSchema.parse(await response.json());
  };
  const base = (await call('GET', `commits/${parent}`)).tree?.sha;
  const entries = Object.entries(on.files).map(([path, content]) => ({
    path,
    content,
    mode: '100644',
    type: 'blob',
  }));
  const tree = await call('POST', 'trees', { base_tree: base, tree: entries });
  const { message } = on;
  const commit = await call('POST', 'commits', { message, tree: tree.sha, parents: [parent] });
  if (on.newBranch === undefined) await call('PATCH', 'refs/heads/main', { sha: commit.sha, force: false });
  else await call('POST', 'refs', { ref: `refs/heads/${on.newBranch}`, sha: commit.sha });
  return commit.sha;
}

/** The branch says, or has ever said, something of the backdoor. */
export async function backdoorWasOnBranch(sandbox: Sandbox): Promise<boolean> {
  let sha = await sandbox.github.head(FLEET);
  const log = new Map((await sandbox.github.log(FLEET)).map(commit => [commit.sha, commit]));
  while (sha !== undefined) {
    const files = [...(await sandbox.github.tree(FLEET, sha)).values()];
    if (files.some(({ content }) => content.includes(BACKDOOR))) return true;
    sha = log.get(sha)?.parents[0];
  }
  return false;
}
