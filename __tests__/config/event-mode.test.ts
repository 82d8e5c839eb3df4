import { describe, expect, it } from 'vitest';
import { purposeOf, type WorkflowEvent } from '../../src/config/event-mode.ts';
import type { Inputs } from '../../src/config/settings.ts';
import { Refusal } from '../../src/rollout/verdict.ts';

const SHA = 'a'.repeat(40);
const HEAD = 'b'.repeat(40);
const pullRequest = (repo: string) => ({
  pull_request: { number: 7, head: { sha: HEAD, repo: { full_name: repo } } },
});
const workflowRun = (change: object = {}) => ({
  workflow_run: {
    event: 'push',
    head_sha: HEAD,
    conclusion: 'success',
    head_repository: { full_name: 'Acme/Shop' },
    ...change,
  },
});

function event(name: string, payload: unknown = {}): WorkflowEvent {
  return { name, payload, sha: SHA, ref: 'refs/heads/main', repository: 'acme/shop', actor: 'mona' };
}

describe('event → mode, source commit, pull requests', () => {
  it.each<[string, unknown, Inputs['mode'], object]>([
    ['push', {}, 'auto', { mode: 'release', sourceSha: SHA, commits: [SHA] }],
    ['push', { commits: [{ id: HEAD }, { id: SHA }] }, 'auto', { commits: [SHA, HEAD] }],
    ['push', {}, 'plan', { mode: 'plan' }],
    ['push', {}, 'sweep', { mode: 'sweep' }],
    ['workflow_dispatch', {}, 'auto', { mode: 'release', sourceSha: SHA }],
    ['repository_dispatch', {}, 'auto', { mode: 'release' }],
    ['release', {}, 'auto', { mode: 'release', sourceSha: SHA }],
    ['schedule', {}, 'auto', { mode: 'sweep' }],
    ['schedule', {}, 'release', { mode: 'release' }],
    ['pull_request', pullRequest('acme/shop'), 'auto', { mode: 'plan', sourceSha: HEAD, pullRequests: [7] }],
    [
      'pull_request',
      pullRequest('fork/shop'),
      'auto',
      { mode: 'plan', sourceSha: HEAD, withoutSecrets: true },
    ],
    ['workflow_run', workflowRun(), 'auto', { mode: 'release', sourceSha: HEAD, commits: [HEAD] }],
  ])('%s %o %s', (name, payload, mode, expected) => {
    expect(purposeOf(event(name, payload), mode)).toMatchObject(expected);
  });

  it.each<[string, unknown, Inputs['mode'], string]>([
    ['push', { deleted: true }, 'auto', 'event-not-allowed'],
    ['pull_request', pullRequest('acme/shop'), 'release', 'event-not-allowed'],
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
    ['workflow_run', workflowRun({ conclusion: 'failure' }), 'auto', 'event-not-allowed'],
  ])('refuses %s %o %s', (name, payload, mode, reason) => {
    let thrown: unknown;
    try {
      purposeOf(event(name, payload), mode);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(Refusal);
    expect(thrown).toMatchObject({ reason });
  });
});
