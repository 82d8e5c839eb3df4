import { describe, expect, it } from 'vitest';
import { gitopsAccess } from '../../src/github/tokens/gitops-tokens.ts';
import type { Inputs } from '../../src/config/settings.ts';
import { systemClock } from '../../src/runtime/clock.ts';

const OWN = 'https://api.github.com';
const OTHER = 'https://ghe.example/api/v3';

function access(inputs: Pick<Inputs, 'gitops' | 'gitopsApiUrl' | 'token'>) {
  return gitopsAccess({
    inputs,
    ownApiUrl: OWN,
    repository: { owner: 'acme', repo: 'fleet' },
    mode: 'release',
    fetch: () => Promise.reject(new Error('nothing is asked')),
    clock: systemClock,
    mask: () => {},
    keep: () => {},
    sealed: undefined,
    warn: () => {},
  });
}

describe('the way to the GitOps repository', () => {
  it('takes the token of the job to its own GitHub, whatever API is named', async () => {
    const { apiUrl, tokens } = access({ gitops: { kind: 'job' }, gitopsApiUrl: OTHER, token: 'ghs_job' });
    expect([apiUrl, await tokens.token()]).toEqual([OWN, 'ghs_job']);
  });

  it('takes a token that was given for it to the API that was named', async () => {
    const gitops = { kind: 'token', token: 'ghs_other' } as const;
    const { apiUrl, tokens } = access({ gitops, gitopsApiUrl: OTHER, token: 'ghs_job' });
    expect([apiUrl, await tokens.token()]).toEqual([OTHER, 'ghs_other']);
  });
});
