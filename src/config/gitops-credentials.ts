import { sameOrigin } from './secure-url.ts';
import type { ConfigProblem, GitOpsCredentials } from './settings.ts';

interface CredentialInputs {
  text(name: 'token' | 'gitops-token' | 'app-client-id' | 'app-private-key' | 'gitops-api-url'): string;
  problem(name: string, problem: Omit<ConfigProblem, 'field' | 'position'>): void;
}

/** GitHub gives an empty text for what is not there, and says nothing of it. */
export const EMPTY_SECRET =
  'A secret that does not exist, or that belongs to an environment the job does not name, reads as empty.';

/**
 * How the GitOps repository is reached, from the inputs. `ownApiUrl`: of the GitHub that runs this workflow, the only
 * one that may see the token of the job.
 */
export function gitopsCredentials(read: CredentialInputs, ownApiUrl: string | undefined): GitOpsCredentials {
  const token = read.text('gitops-token');
  const clientId = read.text('app-client-id');
  const privateKey = read.text('app-private-key');
  if (token !== '' && (clientId !== '' || privateKey !== '')) {
    read.problem('gitops-token', {
      found: 'a token and an App',
      allowed: 'either gitops-token, or app-client-id with app-private-key',
      message: 'There are two ways to the GitOps repository, and it is not clear which one is meant.',
    });
  }
  if (clientId !== '' && privateKey !== '') return { kind: 'app', clientId, privateKey };
  if (clientId !== '' || privateKey !== '') {
    const missing = clientId === '' ? 'app-client-id' : 'app-private-key';
    read.problem(missing, {
      found: 'nothing',
      allowed: 'app-client-id and app-private-key together',
      message: `The App is given by half: ${missing} is empty. ${EMPTY_SECRET}`,
    });
  }
  if (token !== '') return { kind: 'token', token };
  const otherApi = read.text('gitops-api-url');
  if (otherApi !== '' && !sameOrigin(otherApi, ownApiUrl ?? '')) {
    read.problem('gitops-token', {
      found: 'nothing',
      allowed: 'gitops-token, or app-client-id with app-private-key',
      message: `gitops-api-url names another host, and there are no credentials for it; the token of the job is not sent there. ${EMPTY_SECRET}`,
    });
  } else if (read.text('token') === '') {
    read.problem('token', {
      found: 'nothing',
      allowed: 'a token; by default that of the job',
      message: 'There is no token for GitHub.',
    });
  }
  return { kind: 'job' };
}
