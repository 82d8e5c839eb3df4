import type { RepositoryName } from '../config/settings.ts';

/** Whether a repository of the same host is ours under another name. */
export type IsRenamed = (other: RepositoryName) => Promise<boolean>;

export interface OurRepository {
  readonly repository: RepositoryName;
  /** The host that Git URLs name it by. */
  readonly host: string;
}

/**
 * Whether a Git URL of Flux names a repository: https, ssh and scp forms, with or without .git, user, port and case.
 * The host counts too, because a mirror elsewhere never sees our commit. A renamed repository has two names: where the
 * words differ, `isRenamed` is asked.
 */
export async function sameRepository(
  url: string,
  on: OurRepository & { readonly isRenamed?: IsRenamed | undefined },
): Promise<boolean> {
  const parsed = parseGitUrl(url);
  // ssh.github.com and altssh hosts serve the same repositories on port 443.
  if (parsed?.host.replace(/^(?:ssh|altssh)\./, '') !== on.host.toLowerCase()) return false;
  if (parsed.path === `${on.repository.owner}/${on.repository.repo}`.toLowerCase()) return true;
  const [owner, repo, ...more] = parsed.path.split('/');
  if (owner === undefined || repo === undefined || more.length > 0) return false;
  return (await on.isRenamed?.({ owner, repo })) ?? false;
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
