import { describe, expect, it } from 'vitest';
import { purposeOf, type WorkflowEvent } from '../../src/config/event-mode.ts';
import type { Inputs } from '../../src/config/settings.ts';
import { Refusal } from '../../src/rollout/verdict.ts';

const SHA = 'a'.repeat(40);
const HEAD = 'b'.repeat(40);
const pullRequest = (repo: string | null, change: object = {}) => ({
  pull_request: {
    number: 7,
    head: { sha: HEAD, repo: repo === null ? null : { full_name: repo } },
    base: { ref: 'main' },
    ...change,
  },
});
const MERGED = { state: 'closed', merged: true, merge_commit_sha: SHA };
const WRITING: readonly Inputs['mode'][] = ['release', 'sweep'];
const workflowRun = (change: object = {}) => ({
  workflow_run: {
    event: 'push',
    head_sha: HEAD,
    head_branch: 'feature',
    conclusion: 'success',
    head_repository: { full_name: 'Acme/Shop' },
    ...change,
  },
});

function event(name: string, payload: unknown = {}, change: Partial<WorkflowEvent> = {}): WorkflowEvent {
  const plain = { sha: SHA, ref: 'refs/heads/main', repository: 'acme/shop', actor: 'mona' };
  return { name, payload, ...plain, ...change };
}

describe('event → mode, source commit, pull requests', () => {
  it.each<[string, unknown, Inputs['mode'], object]>([
    ['push', {}, 'auto', { mode: 'release', sourceSha: SHA, commits: [SHA] }],
    ['push', { commits: [{ id: HEAD }, { id: SHA }] }, 'auto', { commits: [SHA, HEAD] }],
    ['push', {}, 'plan', { mode: 'plan' }],
    ['push', {}, 'sweep', { mode: 'sweep' }],
    ['workflow_dispatch', {}, 'auto', { mode: 'release', sourceSha: SHA }],
    ['repository_dispatch', {}, 'auto', { mode: 'release' }],
    ['release', { action: 'published' }, 'auto', { mode: 'release', sourceSha: SHA }],
    ['release', { action: 'released' }, 'auto', { mode: 'release', sourceSha: SHA }],
    ['deployment', {}, 'auto', { mode: 'release', sourceSha: SHA }],
    ['push', { repository: { default_branch: 'trunk' } }, 'auto', { branch: 'main', defaultBranch: 'trunk' }],
    ['schedule', {}, 'auto', { mode: 'sweep' }],
    ['schedule', {}, 'release', { mode: 'release' }],
    ['pull_request', pullRequest('acme/shop'), 'auto', { mode: 'plan', sourceSha: HEAD, pullRequests: [7] }],
    [
      'pull_request',
      pullRequest('fork/shop'),
      'auto',
      { mode: 'plan', sourceSha: HEAD, withoutSecrets: true },
    ],
    ['pull_request', pullRequest(null), 'plan', { mode: 'plan', withoutSecrets: true }],
    [
      'workflow_run',
      workflowRun(),
      'auto',
      { mode: 'release', sourceSha: HEAD, commits: [HEAD], branch: 'feature' },
    ],
  ])('%s %o %s', (name, payload, mode, expected) => {
    expect(purposeOf(event(name, payload), mode)).toMatchObject(expected);
  });

  it.each<[string, unknown, Inputs['mode'], string]>([
    ['push', { deleted: true }, 'auto', 'event-not-allowed'],
    ...['created', 'edited', 'unpublished', 'deleted', 'prereleased', undefined].map(
      (action): [string, unknown, Inputs['mode'], string] => [
        'release',
        { action },
        'auto',
        'event-not-allowed',
      ],
    ),
    ...WRITING.flatMap(mode =>
      ['acme/shop', 'fork/shop'].map((repository): [string, unknown, Inputs['mode'], string] => [
        'pull_request',
        pullRequest(repository),
        mode,
        'event-not-allowed',
      ]),
    ),
    ...[...WRITING, 'plan' as const].map((mode): [string, unknown, Inputs['mode'], string] => [
      'pull_request_target',
      pullRequest('acme/shop'),
      mode,
      'event-not-allowed',
    ]),
    ['pull_request', pullRequest('acme/shop', MERGED), 'auto', 'event-not-allowed'],
    ['pull_request', pullRequest('acme/shop', { state: 'closed' }), 'auto', 'event-not-allowed'],
    ['pull_request', {}, 'auto', 'event-not-allowed'],
    ['pull_request_target', pullRequest('acme/shop'), 'auto', 'event-not-allowed'],
    ['merge_group', {}, 'auto', 'event-not-allowed'],
    ['issue_comment', {}, 'auto', 'event-not-allowed'],
    [
      'workflow_run',
      workflowRun({ head_repository: { full_name: 'fork/shop' } }),
      'auto',
      'fork-or-dependabot',
    ],
    ['workflow_run', workflowRun({ event: 'pull_request' }), 'auto', 'event-not-allowed'],
    ['workflow_run', workflowRun({ event: 'pull_request' }), 'sweep', 'event-not-allowed'],
    ['workflow_run', workflowRun({ conclusion: 'failure' }), 'auto', 'event-not-allowed'],
  ])('refuses %s %o %s', (name, payload, mode, reason) => {
    expect(refusalOf(event(name, payload), mode)).toMatchObject({ reason });
  });

  it.each(['auto', 'release', 'plan', 'sweep'] as const)(
    'calls a merged pull request merged, and says which event its release has (mode %s)',
    mode => {
      const { message } = refusalOf(event('pull_request', pullRequest('acme/shop', MERGED)), mode);
      expect(message).toContain('has been merged into main, as aaaaaaa');
      expect(message).toContain('on: push: branches: [main]');
      expect(message).not.toMatch(/not merged|nobody has merged/);
    },
  );

  it('names no branch for a tag, so that no branch is taken for it', () => {
    expect(purposeOf(event('push', {}, { ref: 'refs/tags/main' }), 'auto')).not.toHaveProperty('branch');
  });
});

function refusalOf(from: WorkflowEvent, mode: Inputs['mode']): Refusal {
  try {
    purposeOf(from, mode);
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error('It was not refused.');
}
