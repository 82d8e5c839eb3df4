import { createSign, type KeyObject } from 'node:crypto';
import type { Octokit } from '@octokit/rest';
import { z } from 'zod';
import type { RepositoryName } from '../config/settings.ts';
import type { Clock } from '../rollout/ports.ts';
import { httpFailure } from './http-errors.ts';
import { type RetryPolicy, retrying } from './retry.ts';
import type { TokenPermissions, TokenSource } from './token-source.ts';

/** A token with less than this left is not used for new work: a commit and its revert must not meet its end. */
const RENEW_BEFORE_MS = 10 * 60_000;

const installationSchema = z.object({ id: z.number(), app_slug: z.string().optional() });
const mintedSchema = z.object({
  token: z.string().min(1),
  expires_at: z.string(),
  permissions: z.record(z.string(), z.string()).optional(),
});

export interface AppTokenOptions {
  readonly clientId: string;
  readonly privateKey: KeyObject;
  /** The one repository that tokens are narrowed to. */
  readonly repository: RepositoryName;
  /** Without authentication. */
  readonly octokit: Octokit;
  readonly clock: Clock;
  readonly random: () => number;
  /** Called with each token before anything else is done with it. */
  readonly mask: (secret: string) => void;
}

interface Minted {
  readonly token: string;
  /** By our clock, ms. */
  readonly expiresAt: number;
  readonly permissions: TokenPermissions | undefined;
}

/**
 * A JSON web token of an App, valid for about nine minutes. Written out here because @octokit/auth-app keeps
 * installation tokens for 59 minutes, so that what it hands out may have a minute left, and does not say what a
 * token may do without another call.
 */
export function appJwt(clientId: string, privateKey: KeyObject, now: number): string {
  const seconds = Math.floor(now / 1000);
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
  // Docs "Generating a JSON Web Token": iat a minute back against clock drift, exp at most ten minutes ahead.
  const payload = { iat: seconds - 60, exp: seconds + 480, iss: clientId };
  const signed = `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode(payload)}`;
  return `${signed}.${createSign('RSA-SHA256').update(signed).sign(privateKey, 'base64url')}`;
}

/** Tokens of an App's installation on one repository, minted when needed. Failures are those of the calls to GitHub. */
export class AppTokenSource implements TokenSource {
  readonly kind = 'app';
  private readonly options: AppTokenOptions;
  private readonly policy: RetryPolicy;
  private current: Minted | undefined;
  private minting: Promise<Minted> | undefined;
  private installation: Promise<z.infer<typeof installationSchema>> | undefined;
  /** GitHub's clock minus ours, ms; learned when a JWT is refused for its times. */
  private skewMs = 0;

  constructor(options: AppTokenOptions) {
    this.options = options;
    const { clock, random } = options;
    this.policy = { clock, random, budgetMs: 60_000, maxDelayMs: 10_000 };
  }

  async token(): Promise<string> {
    const left = (this.current?.expiresAt ?? 0) - this.options.clock.now();
    if (this.current !== undefined && left >= RENEW_BEFORE_MS) return this.current.token;
    try {
      return (await this.minted()).token;
    } catch (error) {
      // GitHub is away: a token that is still valid serves better than none.
      if (this.current !== undefined && left > 0) return this.current.token;
      throw error;
    }
  }

  expiresAt(): number | undefined {
    return this.current?.expiresAt;
  }

  permissions(): TokenPermissions | undefined {
    return this.current?.permissions;
  }

  renew(): boolean {
    this.current = undefined;
    return true;
  }

  async login(): Promise<string | undefined> {
    const { app_slug: slug } = await this.findInstallation();
    return slug === undefined ? undefined : `${slug}[bot]`;
  }

  private minted(): Promise<Minted> {
    this.minting ??= this.mint().finally(() => {
      this.minting = undefined;
    });
    return this.minting;
  }

  private async mint(): Promise<Minted> {
    const { clock, mask, repository } = this.options;
    const { id } = await this.findInstallation();
    const { data, date } = await this.asApp('POST', `/app/installations/${id}/access_tokens`, {
      repositories: [repository.repo],
    });
    const answer = mintedSchema.parse(data);
    mask(answer.token);
    // The end is by GitHub's clock; how long the token lives is what both clocks agree on.
    const theirNow = Date.parse(date ?? '');
    const lifeMs = Date.parse(answer.expires_at) - (Number.isNaN(theirNow) ? clock.now() : theirNow);
    this.current = {
      token: answer.token,
      expiresAt: clock.now() + lifeMs,
      permissions: answer.permissions,
    };
    return this.current;
  }

  private findInstallation(): Promise<z.infer<typeof installationSchema>> {
    const { owner, repo } = this.options.repository;
    const path = `/repos/${encodeURIComponent(owner)}/${encodeURIComponent(repo)}/installation`;
    this.installation ??= this.asApp('GET', path)
      .then(({ data }) => installationSchema.parse(data))
      .catch((error: unknown) => {
        this.installation = undefined;
        throw error;
      });
    return this.installation;
  }

  /** A call as the App itself. Minting is repeated freely: a token that nobody received harms nobody. */
  private asApp(method: 'GET' | 'POST', url: string, body: Readonly<Record<string, unknown>> = {}) {
    const { octokit, clientId, privateKey, clock } = this.options;
    const once = async () => {
      const jwt = appJwt(clientId, privateKey, clock.now() + this.skewMs);
      const headers = { authorization: `Bearer ${jwt}` };
      const response = await octokit.request({ method, url, headers, ...body });
      const data: unknown = response.data;
      return { data, date: response.headers.date };
    };
    return retrying(async () => {
      try {
        return await once();
      } catch (error) {
        if (!this.learnSkew(error)) throw error;
        return await once();
      }
    }, this.policy);
  }

  /** Whether a refusal may come from our clock being wrong; takes GitHub's clock over then. */
  private learnSkew(error: unknown): boolean {
    const failure = httpFailure(error);
    if (failure?.kind !== 'answer' || failure.status !== 401) return false;
    const skew = Date.parse(failure.headers.date ?? '') - this.options.clock.now();
    if (Number.isNaN(skew) || Math.abs(skew - this.skewMs) < 30_000) return false;
    this.skewMs = skew;
    return true;
  }
}
