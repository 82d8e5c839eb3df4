import type { ConfigProblem } from './settings.ts';

/**
 * Whether a credential may be sent there: https, or http to this machine itself (127.0.0.0/8, ::1, localhost), where
 * nobody listens in between.
 */
export function isSecureUrl(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  if (protocol === 'https:') return true;
  return protocol === 'http:' && /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(hostname);
}

/** Scheme, host and port: what a credential is for. */
export function sameOrigin(one: string, other: string): boolean {
  return URL.canParse(one) && URL.canParse(other) && new URL(one).origin === new URL(other).origin;
}

/** What keeps a URL from being one that credentials may be sent to. */
export function urlFault(text: string): Pick<ConfigProblem, 'found' | 'message'> | undefined {
  if (!/^https?:\/\/\S+$/i.test(text) || !URL.canParse(text))
    return { found: 'something else', message: 'is no URL.' };
  const { username, password, search, hash, origin } = new URL(text);
  if (username !== '' || password !== '') {
    return {
      found: `${origin} with a user or password`,
      message: 'holds credentials; they belong into gitops-token or app-private-key.',
    };
  }
  if (search !== '' || hash !== '')
    return { found: `${origin} with a query`, message: 'goes on after its path.' };
  if (isSecureUrl(text)) return undefined;
  return { found: origin, message: 'is not encrypted; http is taken for this machine itself only.' };
}
