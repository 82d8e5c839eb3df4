import type { RepositoryName } from '../config/settings.ts';

/**
 * Whether a Git URL of Flux names a repository: https, ssh and scp forms, with or without .git, user, port and case.
 * The host counts too, because a mirror elsewhere never sees our commit.
 */
export function sameRepository(
  url: string,
  on: { readonly repository: RepositoryName; readonly host: string },
): boolean {
  const parsed = parseGitUrl(url);
  if (!parsed) return false;
  const path = `${on.repository.owner}/${on.repository.repo}`.toLowerCase();
  // ssh.github.com and altssh hosts serve the same repositories on port 443.
  const host = parsed.host.replace(/^(?:ssh|altssh)\./, '');
  return host === on.host.toLowerCase() && parsed.path === path;
}

function parseGitUrl(url: string): { readonly host: string; readonly path: string } | undefined {
  const scp = /^(?:[^@/]+@)?([^:/]+):(?!\/)(.+)$/.exec(url);
  if (scp && !url.includes('://')) return { host: (scp[1] ?? '').toLowerCase(), path: plain(scp[2] ?? '') };
  if (!URL.canParse(url)) return undefined;
  const { hostname, pathname } = new URL(url);
  return { host: hostname.toLowerCase(), path: plain(pathname) };
}

function plain(path: string): string {
  return path
    .replace(/^\/+|\/+$/g, '')
    .replace(/\.git$/i, '')
    .toLowerCase();
}
