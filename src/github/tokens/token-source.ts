/** `App` permissions by name: contents, pull_requests, checks, metadata, … */
export type TokenPermissions = Readonly<Record<string, string>>;

/** Where tokens come from. A token is asked for before each request, and never kept by the caller. */
export interface TokenSource {
  /** `given`: passed in as an input and not renewable. `app`: minted for one repository, and again when it ends. */
  readonly kind: 'given' | 'app';
  token(): Promise<string>;
  /** When the current token ends, ms by our clock; undefined when that is not known. */
  expiresAt(): number | undefined;
  /** What the token was minted with; undefined when that is not known. */
  permissions(): TokenPermissions | undefined;
  /** GitHub did not accept the token: the next one must be a new one. False when there can be none. */
  renew(): boolean;
  /** Nothing more will be asked with these tokens: those that were made for us are taken back. Never throws. */
  revoke(): Promise<void>;
  /** Who commits and comments with these tokens, if the source knows (`my-app[bot]`). */
  login(): Promise<string | undefined>;
}

/** A token as it was given to us. Tokens are opaque: nothing is read out of it. */
export function givenToken(token: string): TokenSource {
  return {
    kind: 'given',
    token: () => Promise.resolve(token),
    expiresAt: () => undefined,
    permissions: () => undefined,
    renew: () => false,
    // It belongs to whoever gave it.
    revoke: () => Promise.resolve(),
    login: () => Promise.resolve(undefined),
  };
}

/**
 * Whether a token looks like an installation's (GITHUB_TOKEN and App tokens; they end after an hour or with their
 * job). A hint only, for a warning: the form of tokens is GitHub's to change.
 */
export function looksLikeInstallationToken(token: string): boolean {
  return token.startsWith('ghs_');
}
