import { Octokit } from '@octokit/rest';
import type { GitHubFetch } from './transport.ts';

/** Pinned: a version that GitHub does not know is answered with 400 (docs "API versions"). */
export const API_VERSION = '2022-11-28';

/** An Octokit without authentication, retries or throttling: those are decided call by call. */
export function createOctokit(options: {
  readonly apiUrl: string;
  readonly userAgent: string;
  readonly fetch: GitHubFetch;
  readonly warn: (message: string) => void;
}): Octokit {
  const octokit = new Octokit({
    baseUrl: options.apiUrl.replace(/\/+$/, ''),
    userAgent: options.userAgent,
    request: { fetch: options.fetch },
    log: { debug: () => {}, info: () => {}, warn: options.warn, error: () => {} },
  });
  octokit.hook.before('request', request => {
    request.headers['x-github-api-version'] ??= API_VERSION;
  });
  return octokit;
}
