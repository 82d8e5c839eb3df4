import type { RepositoryName } from '../../config/settings.ts';
import { Refusal } from '../../rollout/verdict.ts';

/** GitHub knows the App, or its key, not. */
export function appNotAccepted(on: {
  readonly clientId: string;
  readonly words: string;
  readonly cause: unknown;
}): Refusal {
  const words = on.words.replace(/ - https?:\S+$/, '');
  return new Refusal(
    'bad-credentials',
    `GitHub did not accept the App ${on.clientId} with its private key: ${words}`,
    {
      remedy:
        'Look whether app-client-id is the client id of the App that app-private-key was made for, and whether the key was deleted there since (Settings of the App, Private keys).',
      cause: on.cause,
    },
  );
}

export function appNotInstalled({ owner, repo }: RepositoryName, cause: unknown): Refusal {
  return new Refusal(
    'repository-not-found',
    `The App is not installed on ${owner}/${repo}, or there is no such repository.`,
    {
      remedy: `Check gitops.repository in rollout.yaml, and install the App on ${owner}/${repo} (Settings of the App, Install App).`,
      cause,
    },
  );
}

export function appPermissionMissing(on: {
  readonly repository: RepositoryName;
  readonly missing: readonly (readonly [name: string, access: string])[];
  readonly settingsUrl: string | undefined;
}): Refusal {
  const { owner, repo } = on.repository;
  const rights = on.missing.map(([name, access]) => `${name}: ${access}`).join(' and ');
  const where = on.settingsUrl === undefined ? '' : ` (${on.settingsUrl})`;
  return new Refusal(
    'missing-permission',
    `The installation of the App on ${owner}/${repo} lacks the permission ${rights}.`,
    {
      remedy: `Add ${rights} to the App (Settings of the App, Permissions), then accept it where the App is installed${where}.`,
    },
  );
}
