import { randomBytes } from 'node:crypto';
export const actionsAppId = 15368;
export const actionsLogin = 'github-actions[bot]';
/** What a workflow's token may do when the workflow asks for nothing less. */
export const actionsPermissions = {
  actions: 'write',
  checks: 'write',
  contents: 'write',
  deployments: 'write',
  issues: 'write',
  metadata: 'read',
  pull_requests: 'write',
  statuses: 'write',
};
const ranks = { read: 1, write: 2, admin: 3 };
/** The app that acts, for check runs and verified commits; undefined for people. */
export function actingApp(identity) {
  return identity === undefined || identity.kind === 'user' ? undefined : identity.appId;
}
/** Whether the identity holds the permission at this level or above. `metadata: read` comes with any token. */
export function holds(identity, name, access) {
  if (identity.permissions === undefined || (name === 'metadata' && access === 'read')) return true;
  const held = identity.permissions[name];
  return held !== undefined && ranks[held] >= ranks[access];
}
export function reaches(identity, fullName) {
  return identity.repositories === undefined || identity.repositories.includes(fullName.toLowerCase());
}
/** Tokens and who stands behind them. */
export class Tokens {
  identities = new Map();
  /** Registers an identity under a token (a new one unless given) and returns the token. */
  add(identity, token = newToken(identity.kind)) {
    const repositories = identity.repositories?.map(name => name.toLowerCase());
    const known = repositories === undefined ? identity : { ...identity, repositories };
    this.identities.set(token, known);
    return token;
  }
  /** Undefined for a token that is unknown, revoked or expired. */
  find(token, now) {
    const identity = this.identities.get(token);
    if (identity?.expiresAt !== undefined && identity.expiresAt <= now) return undefined;
    return identity;
  }
  revoke(token) {
    return this.identities.delete(token);
  }
  /** Ends a token's life now, as when its hour is over. */
  expire(token, now) {
    const identity = this.identities.get(token);
    if (identity !== undefined) this.identities.set(token, { ...identity, expiresAt: now });
  }
}
function newToken(kind) {
  const prefix = kind === 'user' ? 'ghp' : 'ghs';
  return `${prefix}_${randomBytes(18).toString('hex')}`;
}
/** The token of an Authorization header: `token X`, `Bearer X`, or the password of Basic (git). */
export function tokenOf(header) {
  const [scheme = '', value = ''] = (header ?? '').split(/ +/, 2);
  switch (scheme.toLowerCase()) {
    case 'token':
    case 'bearer':
      return value;
    case 'basic': {
      const [user = '', password = ''] = Buffer.from(value, 'base64').toString().split(':', 2);
      return password === '' || password === 'x-oauth-basic' ? user : password;
    }
    default:
      return undefined;
  }
}
