import { createGitHubClient } from '../github/client.ts';
import { renamedRepository } from '../github/renamed-repository.ts';
import { givenToken } from '../github/tokens/token-source.ts';
import { type OurRepository, sameRepository } from '../gitops/same-repository.ts';
import { systemClock } from '../runtime/clock.ts';

/**
 * Whether a Git URL is a repository's. GitHub is asked about former names where there is a token for it (GH_TOKEN or
 * GITHUB_TOKEN, as gh takes them); else the words decide.
 */
export function isOursOf(
  ours: OurRepository,
  env: Readonly<Record<string, string | undefined>>,
): (url: string) => Promise<boolean> {
  const token = env['GH_TOKEN'] || env['GITHUB_TOKEN'];
  if (!token) return url => sameRepository(url, ours);
  const client = createGitHubClient({
    apiUrl: env['GITHUB_API_URL'] ?? apiUrlOf(ours.host),
    tokens: givenToken(token),
    clock: systemClock,
    random: Math.random,
    env,
  });
  const isRenamed = renamedRepository(client, ours.repository);
  // Somebody's old token in the environment is no reason to know less than without one.
  return url => sameRepository(url, { ...ours, isRenamed: other => isRenamed(other).catch(() => false) });
}

function apiUrlOf(host: string): string {
  return host === 'github.com' ? 'https://api.github.com' : `https://${host}/api/v3`;
}

/** As people know it. */
export function wordsOf({ repository, host }: OurRepository): string {
  return `${repository.owner}/${repository.repo} on ${host}`;
}
