import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Sandbox, SOURCE } from '../../sandbox/sandbox.ts';
import type { Step } from '../../sandbox/runner/run-action.ts';

/** Commits of the source repository that events may name. */
interface Commits {
  /** On main. */
  readonly main: string;
  /** On `feature`, merged nowhere. */
  readonly feature: string;
  /** On `release/1/x` only. */
  readonly maintained: string;
}

type Started = (commits: Commits) => Pick<Step, 'event' | 'sha'> & Partial<Pick<Step, 'ref' | 'inputs'>>;

const repository = { default_branch: 'main' };
const pullRequest = (change: object = {}) => ({
  action: 'synchronize',
  repository,
  pull_request: {
    number: 1,
    state: 'open',
    merged: false,
    head: { sha: 'b'.repeat(40), repo: { full_name: SOURCE } },
    base: { ref: 'main' },
    ...change,
  },
});
const workflowRun = (change: object) => ({
  action: 'completed',
  repository,
  workflow_run: { event: 'push', conclusion: 'success', head_repository: { full_name: SOURCE }, ...change },
});

const REFUSED: readonly (readonly [what: string, started: Started, reason: string, words: string])[] = [
  [
    'a push of a feature branch',
    ({ feature: sha }) => ({
      sha,
      ref: 'refs/heads/feature',
      event: { name: 'push', payload: { repository } },
    }),
    'ref-not-allowed',
    'of feature is not in main. Only what has been merged is released.',
  ],
  [
    'a push of a feature branch, by an event that does not name the default branch',
    ({ feature: sha }) => ({ sha, ref: 'refs/heads/feature', event: { name: 'push' } }),
    'ref-not-allowed',
    'name it in the input branches',
  ],
  [
    'a tag on an unmerged commit, with the name of the default branch',
    ({ feature: sha }) => ({ sha, ref: 'refs/tags/main', event: { name: 'push', payload: { repository } } }),
    'ref-not-allowed',
    'is not in main',
  ],
  [
    'a workflow_run after the push of a feature branch',
    ({ main: sha, feature }) => ({
      sha,
      event: { name: 'workflow_run', payload: workflowRun({ head_sha: feature, head_branch: 'feature' }) },
    }),
    'ref-not-allowed',
    'of feature is not in main',
  ],
  [
    'a workflow_run that says it was of main, of a commit that is not there',
    ({ main: sha, feature }) => ({
      sha,
      event: { name: 'workflow_run', payload: workflowRun({ head_sha: feature, head_branch: 'main' }) },
    }),
    'ref-not-allowed',
    'is not in main',
  ],
  [
    'a workflow_dispatch on a feature branch',
    ({ feature: sha }) => ({
      sha,
      ref: 'refs/heads/feature',
      event: { name: 'workflow_dispatch', payload: { repository } },
    }),
    'ref-not-allowed',
    'of feature is not in main',
  ],
  [
    'a sweep by the rollout.yaml of a feature branch',
    ({ feature: sha }) => ({
      sha,
      ref: 'refs/heads/feature',
      event: { name: 'workflow_dispatch', payload: { repository } },
      inputs: { mode: 'sweep' },
    }),
    'ref-not-allowed',
    'A sweep writes by merged files only.',
  ],
  [
    'a deployment of an unmerged commit',
    ({ feature: sha }) => ({ sha, ref: '', event: { name: 'deployment', payload: { repository } } }),
    'ref-not-allowed',
    'is not in main',
  ],
  [
    'a release whose tag is on an unmerged commit',
    ({ feature: sha }) => ({
      sha,
      ref: 'refs/tags/v1',
      event: { name: 'release', payload: { action: 'published', repository } },
    }),
    'ref-not-allowed',
    'is not in main',
  ],
  [
    'a release branch that no pattern names',
    ({ maintained: sha }) => ({
      sha,
      ref: 'refs/heads/release/1/x',
      event: { name: 'push', payload: { repository } },
      inputs: { branches: 'main, release/*' },
    }),
    'ref-not-allowed',
    'of release/1/x is not in main',
  ],
  [
    'a commit of main, where only others may be released',
    ({ main: sha }) => ({
      sha,
      event: { name: 'push', payload: { repository } },
      inputs: { branches: 'stable\nrelease/**' },
    }),
    'ref-not-allowed',
    'of main is not in stable, release/1/x',
  ],
  [
    'a release that was deleted',
    ({ main: sha }) => ({ sha, event: { name: 'release', payload: { action: 'deleted', repository } } }),
    'event-not-allowed',
    'the release was deleted',
  ],
  ...(['release', 'sweep'] as const).flatMap(mode =>
    [SOURCE, 'mallory/shop'].map(
      from =>
        [
          `mode: ${mode} on a pull request of ${from}`,
          ({ main: sha }: Commits) => ({
            sha,
            ref: 'refs/pull/1/merge',
            event: {
              name: 'pull_request',
              payload: pullRequest({ head: { sha: 'b'.repeat(40), repo: { full_name: from } } }),
            },
            inputs: { mode },
          }),
          'event-not-allowed',
          'would write to Git, and a pull request holds what nobody has merged yet',
        ] as const,
    ),
  ),
  [
    'mode: sweep on pull_request_target',
    ({ main: sha }) => ({
      sha,
      event: { name: 'pull_request_target', payload: pullRequest() },
      inputs: { mode: 'sweep' },
    }),
    'event-not-allowed',
    'it runs with secrets for code that nobody has merged',
  ],
  [
    'the event of a merged pull request',
    ({ main: sha }) => ({
      sha,
      event: {
        name: 'pull_request',
        payload: pullRequest({ state: 'closed', merged: true, merge_commit_sha: sha }),
      },
    }),
    'event-not-allowed',
    'pull request 1 has been merged into main',
  ],
];

const RELEASED: readonly (readonly [what: string, started: Started])[] = [
  [
    'a commit that main contains, by a push of another branch',
    ({ main: sha }) => ({
      sha,
      ref: 'refs/heads/feature',
      event: { name: 'push', payload: { repository } },
    }),
  ],
  [
    'a push of a branch that a pattern names',
    ({ maintained: sha }) => ({
      sha,
      ref: 'refs/heads/release/1/x',
      event: { name: 'push', payload: { repository } },
      inputs: { branches: 'main\nrelease/**' },
    }),
  ],
  [
    'a tag on a branch that a pattern names',
    ({ maintained: sha }) => ({
      sha,
      ref: 'refs/tags/v1.1',
      event: { name: 'release', payload: { action: 'published', repository } },
      inputs: { branches: 'main release/**' },
    }),
  ],
  [
    'a workflow_run after the push of main',
    ({ main: sha }) => ({
      sha,
      event: { name: 'workflow_run', payload: workflowRun({ head_sha: sha, head_branch: 'main' }) },
    }),
  ],
];

describe('which commits are released', () => {
  let sandbox: Sandbox;
  let commits: Commits;

  beforeAll(async () => {
    sandbox = await Sandbox.start();
    const pushed = async (branch: string) =>
      await sandbox.github.push(SOURCE, { branch, files: { [branch]: 'x\n' }, message: branch });
    await sandbox.commitSource();
    const [feature, maintained] = [await pushed('feature'), await pushed('release/1/x')];
    commits = { feature, maintained, main: await sandbox.commitSource() };
  }, 120_000);

  afterAll(async () => {
    await sandbox.close();
  });

  async function run(started: Started) {
    const { inputs, ...step } = started(commits);
    return await sandbox.release('6.14.0', inputs === undefined ? step : { ...step, inputs });
  }

  it.each(REFUSED)('not %s', async (_, started, reason, words) => {
    const { outputs, exitCode } = await run(started);
    expect(outputs).toMatchObject({ verdict: 'refused', reason });
    expect(outputs['result']).toContain(words);
    expect(exitCode).toBe(3);
    expect(await sandbox.titles()).toEqual(['Initial commit']);
  });

  it.each(RELEASED)('%s', async (_, started) => {
    const { outputs } = await run(started);
    expect(outputs).toMatchObject({ verdict: 'unchanged', reason: 'already-running' });
  });

  it('a push that a replica of GitHub does not know yet', async () => {
    sandbox.github.fault({ path: /\/acme\/shop\/git\/ref\/heads/, times: 2, effect: { kind: 'stale-refs' } });
    const sha = await sandbox.commitSource();
    const { outputs } = await run(() => ({
      sha,
      ref: 'refs/heads/main',
      event: { name: 'push', payload: { repository } },
    }));
    expect(outputs).toMatchObject({ verdict: 'unchanged', reason: 'already-running' });
  });

  it('none while GitHub cannot tell', async () => {
    const disarm = sandbox.github.fault({
      path: /\/acme\/shop\/git\/ref\/heads/,
      times: 1_000,
      effect: { kind: 'respond', status: 403, body: { message: 'Resource not accessible by integration' } },
    });
    const { outputs } = await run(({ main: sha }) => ({
      sha,
      event: { name: 'push', payload: { repository } },
    }));
    disarm();
    expect(outputs).toMatchObject({ verdict: 'refused', reason: 'missing-permission' });
    expect(await sandbox.titles()).toEqual(['Initial commit']);
  });
});
