import type { KeyObject } from 'node:crypto';
import type { GitOpsCredentials, Inputs, Mode, RepositoryName } from '../../config/settings.ts';
import { appPermissions } from '../../rights/github-permissions.ts';
import type { Clock } from '../../rollout/ports.ts';
import { AppTokenSource, revokeTokens } from './app-token.ts';
import { USER_AGENT } from '../client.ts';
import { createOctokit } from '../octokit.ts';
import { readPrivateKey } from './private-key.ts';
import { sealTokens, unsealTokens } from './sealed-tokens.ts';
import { givenToken, type TokenSource } from './token-source.ts';
import type { GitHubFetch } from '../transport.ts';

export interface GitOpsAccess {
  /** The only host that the tokens are sent to. */
  readonly apiUrl: string;
  readonly tokens: TokenSource;
  /** Takes back what was minted, here and by the process that sealed its tokens. Never throws. */
  revoke(): Promise<void>;
}

export interface GitOpsAccessOptions {
  readonly inputs: Pick<Inputs, 'gitops' | 'gitopsApiUrl' | 'token'>;
  /** Of the GitHub that runs this workflow. */
  readonly ownApiUrl: string;
  readonly repository: RepositoryName;
  readonly mode: Mode;
  readonly fetch: GitHubFetch;
  readonly clock: Clock;
  readonly mask: (secret: string) => void;
  /** Keeps sealed tokens for the post step. */
  readonly keep: (sealed: string) => void;
  /** What main has kept, when this is the post step. */
  readonly sealed: string | undefined;
  readonly warn: (message: string) => void;
}

/**
 * The way to the GitOps repository. The token of the job goes to its own GitHub and nowhere else.
 * @throws Refusal `bad-config` when the App's key cannot be read.
 */
export function gitopsAccess(on: GitOpsAccessOptions): GitOpsAccess {
  const { gitops, gitopsApiUrl, token } = on.inputs;
  if (gitops.kind === 'job') return given(on.ownApiUrl, token);
  const apiUrl = gitopsApiUrl ?? on.ownApiUrl;
  return gitops.kind === 'token' ? given(apiUrl, gitops.token) : ofApp(on, apiUrl, gitops);
}

function given(apiUrl: string, token: string): GitOpsAccess {
  const tokens = givenToken(token);
  return { apiUrl, tokens, revoke: () => tokens.revoke() };
}

function ofApp(
  on: GitOpsAccessOptions,
  apiUrl: string,
  app: Extract<GitOpsCredentials, { kind: 'app' }>,
): GitOpsAccess {
  const privateKey = readPrivateKey(app.privateKey);
  const plainOctokit = () =>
    createOctokit({ apiUrl, userAgent: USER_AGENT, fetch: on.fetch, warn: () => {} });
  const tokens = new AppTokenSource({
    clientId: app.clientId,
    privateKey,
    repository: on.repository,
    permissions: appPermissions(on.mode),
    octokit: plainOctokit(),
    clock: on.clock,
    random: Math.random,
    mask: on.mask,
    keep: live => on.keep(sealTokens(live, privateKey)),
    warn: on.warn,
  });
  return {
    apiUrl,
    tokens,
    revoke: async () => {
      const left = leftTokens(on, privateKey);
      await Promise.all([tokens.revoke(), revokeTokens(plainOctokit(), left)]);
    },
  };
}

function leftTokens({ sealed, mask }: GitOpsAccessOptions, key: KeyObject): readonly string[] {
  const tokens = sealed === undefined ? [] : unsealTokens(sealed, key);
  for (const token of tokens) mask(token);
  return tokens;
}
