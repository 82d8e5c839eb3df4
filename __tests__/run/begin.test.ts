import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { begin, ConfigProblems, refuseEarly } from '../../src/begin.ts';
import type { FilePlace } from '../../src/runtime/log.ts';

// The event is read where @actions/github is loaded.
vi.hoisted(() => {
  Object.assign(process.env, {
    GITHUB_EVENT_NAME: 'push',
    GITHUB_REF: 'refs/heads/main',
    GITHUB_SHA: 'a'.repeat(40),
    GITHUB_REPOSITORY: 'acme/shop',
  });
});

const workspace = mkdtempSync(join(tmpdir(), 'gated-rollout-begin-'));
mkdirSync(join(workspace, 'deploy'));
writeFileSync(join(workspace, 'deploy/rollout.yaml'), 'targets: [prod/shop]\nchange: [{env: A, value: 1}]\n');
afterAll(() => rmSync(workspace, { recursive: true }));

const ENV = {
  GITHUB_REPOSITORY: 'acme/shop',
  GITHUB_SHA: 'a'.repeat(40),
  GITHUB_RUN_ID: '1',
  GITHUB_EVENT_NAME: 'push',
  GITHUB_REF: 'refs/heads/main',
  GITHUB_WORKSPACE: workspace,
  RUNNER_TEMP: workspace,
  INPUT_TOKEN: 't',
};

function problemsOf(config: string): ConfigProblems {
  vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  try {
    begin({ ...ENV, INPUT_CONFIG: config });
  } catch (error) {
    if (error instanceof ConfigProblems) return error;
    throw error;
  } finally {
    vi.restoreAllMocks();
  }
  throw new Error('It began.');
}

describe('the file that config names', () => {
  it('is no folder', () => {
    expect(problemsOf('deploy').message).toBe(
      'input config: deploy is a folder. Allowed: a file in the workspace, such as rollout.yaml. Example: config: deploy/rollout.yaml.',
    );
  });

  it('is there', () => {
    expect(problemsOf('rollouts.yaml').message).toContain(
      'Is there an actions/checkout step before this one?',
    );
  });

  it('has its mistakes annotated where they are, as GitHub names the file', async () => {
    const error = problemsOf('./deploy/rollout.yaml');
    const places: (FilePlace | undefined)[] = [];
    const log = {
      info: () => undefined,
      group: () => undefined,
      warning: () => undefined,
      debug: () => undefined,
      error: (_message: string, at?: FilePlace) => void places.push(at),
    };
    vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    await refuseEarly(error, { env: {}, log });
    vi.restoreAllMocks();
    expect(places).toEqual([{ file: 'deploy/rollout.yaml', line: 1, column: 1 }]);
  });
});
