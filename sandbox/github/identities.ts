import { randomBytes } from 'node:crypto';

export type Access = 'read' | 'write' | 'admin';
export type Permissions = Readonly<Record<string, Access>>;

interface IdentityBase {
  readonly login: string;
  /** Absent: everything that the kind may hold. */
  readonly permissions?: Permissions;
  /** Full names. Absent: every repository of this server. */
  readonly repositories?: readonly string[];
  /** Epoch ms. */
  readonly expiresAt?: number;
}

/** A workflow's GITHUB_TOKEN: the `github-actions` App, in its own repository only. */
export interface ActionsIdentity extends IdentityBase {
  readonly kind: 'actions';
  readonly appId: number;
  readonly repositories: readonly string[];
}

/** An installation token of an App. */
export interface AppIdentity extends IdentityBase {
  readonly kind: 'app';
  readonly appId: number;
  readonly installationId: number;
}

/** A person's token. */
export interface UserIdentity extends IdentityBase {
  readonly kind: 'user';
  readonly name?: string;
}

/** An App itself, by its JWT; it may only ask about itself and make tokens. */
export interface AppJwtIdentity extends IdentityBase {
  readonly kind: 'app-jwt';
  readonly appId: number;
}

export type Identity = ActionsIdentity | AppIdentity | UserIdentity | AppJwtIdentity;

export const actionsAppId = 15368;
export const actionsLogin = 'github-actions[bot]';

/** What a workflow's token may do when the workflow asks for nothing less. */
export const actionsPermissions: Permissions = {
  actions: 'write',
  checks: 'write',
  contents: 'write',
  deployments: 'write',
  issues: 'write',
  metadata: 'read',
  pull_requests: 'write',
  statuses: 'write',
};

const ranks: Readonly<Record<Access, number>> = { read: 1, write: 2, admin: 3 };

/** The app that acts, for check runs and verified commits; undefined for people. */
export function actingApp(identity: Identity | undefined): number | undefined {
  return identity === undefined || identity.kind === 'user' ? undefined : identity.appId;
}

/** Whether the identity holds the permission at this level or above. `metadata: read` comes with any token. */
export function holds(identity: Identity, name: string, access: Access): boolean {
  if (identity.permissions === undefined || (name === 'metadata' && access === 'read')) return true;
  const held = identity.permissions[name];
  return held !== undefined && ranks[held] >= ranks[access];
}

export function reaches(identity: Identity, fullName: string): boolean {
  return identity.repositories === undefined || identity.repositories.includes(fullName.toLowerCase());
}

/** Tokens and who stands behind them. */
export class Tokens {
  private readonly identities = new Map<string, Identity>();

  /** Registers an identity under a token (a new one unless given) and returns the token. */
  add(identity: Identity, token = newToken(identity.kind)): string {
    const repositories = identity.repositories?.map(name => name.toLowerCase());
    const known = repositories === undefined ? identity : { ...identity, repositories };
    this.identities.set(token, known);
    return token;
  }

  /** Undefined for a token that is unknown, revoked or expired. */
  find(token: string, now: number): Identity | undefined {
    const identity = this.identities.get(token);
    if (identity?.expiresAt !== undefined && identity.expiresAt <= now) return undefined;
    return identity;
  }

  revoke(token: string): boolean {
    return this.identities.delete(token);
  }

  /** Ends a token's life now, as when its hour is over. */
  expire(token: string, now: number): void {
    const identity = this.identities.get(token);
    if (identity !== undefined) this.identities.set(token, { ...identity, expiresAt: now });
  }
}

function newToken(kind: Identity['kind']): string {
  const prefix = kind === 'user' ? 'ghp' : 'ghs';
  return `${prefix}_${randomBytes(18).toString('hex')}`;
}

/** The token of an Authorization header: `token X`, `Bearer X`, or the password of Basic (git). */
export function tokenOf(header: string | undefined): string | undefined {
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
