import type { KeyObject } from 'node:crypto';
import { createAppAuth } from '@octokit/auth-app';
import type { Octokit } from '@octokit/rest';
import { z } from 'zod';
import type { RepositoryName } from '../../config/settings.ts';
import { type AppPermissions, isOptional } from '../../rights/github-permissions.ts';
import type { Clock } from '../../rollout/ports.ts';
import { appNotAccepted, appNotInstalled, appPermissionMissing } from './app-refusals.ts';
import { httpFailure } from '../http-errors.ts';
import { type RetryPolicy, retrying } from '../retry.ts';
import type { TokenPermissions, TokenSource } from './token-source.ts';

/** A token with less than this left is not used for new work: a commit and its revert must not meet its end. */
const RENEW_BEFORE_MS = 10 * 60_000;
/** For taking one token back; the end of a cancelled step has seconds. */
const REVOKE_TIMEOUT_MS = 3_000;

const installationSchema = z.object({
  id: z.number(),
  app_slug: z.string().optional(),
  html_url: z.string().optional(),
  permissions: z.record(z.string(), z.string()).optional(),
});

type Installation = z.infer<typeof installationSchema>;

export interface AppTokenOptions {
  readonly clientId: string;
  readonly privateKey: KeyObject;
  /** The one repository that tokens are narrowed to. */
  readonly repository: RepositoryName;
  /** What tokens are narrowed to; those that a run goes without are asked for only where the App has them. */
  readonly permissions: AppPermissions;
  /** Without authentication, and used by nobody else. */
  readonly octokit: Octokit;
  readonly clock: Clock;
  readonly random: () => number;
  /** Called with each token before anything else is done with it. */
  readonly mask: (secret: string) => void;
  /** Called with the tokens that GitHub may still take, whenever they change: so that another process can revoke them. */
  readonly keep: (tokens: readonly string[]) => void;
  /** What a person should know, and what costs nothing now. */
  readonly warn: (message: string) => void;
}

interface Minted {
  readonly token: string;
  /** By our clock, ms. */
  readonly expiresAt: number;
  readonly permissions: TokenPermissions;
}

/**
 * Tokens of an App's installation on one repository, minted when needed and revoked at the end. Failures are those of
 * the calls to GitHub, or Refusals where the App itself is the fault.
 */
export class AppTokenSource implements TokenSource {
  readonly kind = 'app';
  private readonly options: AppTokenOptions;
  private readonly policy: RetryPolicy;
  private auth: ReturnType<typeof createAppAuth>;
  private current: Minted | undefined;
  /** All that were minted: whether one has ended is GitHub's to say. */
  private live: readonly string[] = [];
  private minting: Promise<Minted> | undefined;
  private installation: Promise<Installation> | undefined;
  /** GitHub's clock minus ours, s; learned when a JWT is refused for its times. */
  private skew = 0;
  /** Of GitHub's last answer. */
  private date = Number.NaN;

  constructor(options: AppTokenOptions) {
    this.options = options;
    const { clock, random, octokit } = options;
    this.policy = { clock, random, budgetMs: 60_000, maxDelayMs: 10_000 };
    octokit.hook.after('request', ({ headers }) => {
      this.date = Date.parse(headers.date ?? '');
    });
    this.auth = this.signIn();
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

  async revoke(): Promise<void> {
    const tokens = this.live;
    this.current = undefined;
    this.live = [];
    if (await revokeTokens(this.options.octokit, tokens)) this.options.keep([]);
  }

  private minted(): Promise<Minted> {
    this.minting ??= this.mint().finally(() => {
      this.minting = undefined;
    });
    return this.minting;
  }

  private async mint(): Promise<Minted> {
    const { clock, mask, keep, repository } = this.options;
    const installation = await this.findInstallation();
    const permissions = this.grantedOf(installation);
    const { token, expiresAt } = await this.asApp(() =>
      this.auth({
        type: 'installation',
        installationId: installation.id,
        repositoryNames: [repository.repo],
        permissions,
        // Its own cache would hand out tokens with a minute left.
        refresh: true,
      }),
    );
    mask(token);
    // The end is by GitHub's clock; how long the token lives is what both clocks agree on.
    const theirNow = Number.isNaN(this.date) ? clock.now() : this.date;
    this.live = [...this.live, token];
    keep(this.live);
    const minted = { token, permissions, expiresAt: clock.now() + Date.parse(expiresAt) - theirNow };
    this.current = minted;
    return minted;
  }

  /** @throws Refusal `missing-permission` when the installation has not what every run needs. */
  private grantedOf(installation: Installation): TokenPermissions {
    const { permissions: wanted, repository, warn } = this.options;
    const { permissions: has } = installation;
    if (has === undefined) return wanted;
    const missing = Object.entries(wanted).filter(([name, access]) => !covers(has[name], access));
    if (missing.some(([name]) => !isOptional(name))) {
      throw appPermissionMissing({ repository, missing, settingsUrl: installation.html_url });
    }
    for (const [name, access] of missing) {
      warn(
        `The App has no permission ${name.replaceAll('_', ' ')}: ${access} on ${repository.owner}/${repository.repo}; what needs it will be left to a person.`,
      );
    }
    const without = new Set(missing.map(([name]) => name));
    return Object.fromEntries(Object.entries(wanted).filter(([name]) => !without.has(name)));
  }

  private findInstallation(): Promise<Installation> {
    const { octokit, repository, clientId } = this.options;
    this.installation ??= this.asApp(async () => {
      const { token } = await this.auth({ type: 'app' });
      const { data } = await octokit.request('GET /repos/{owner}/{repo}/installation', {
        ...repository,
        headers: { authorization: `Bearer ${token}` },
      });
      const answer: unknown = data;
      return installationSchema.parse(answer);
    }).catch((error: unknown) => {
      this.installation = undefined;
      const failure = httpFailure(error);
      if (failure?.kind !== 'answer') throw error;
      if (failure.status === 401 || /integration not found/i.test(failure.message)) {
        throw appNotAccepted({ clientId, words: failure.message, cause: error });
      }
      throw failure.status === 404 ? appNotInstalled(repository, error) : error;
    });
    return this.installation;
  }

  /** A call as the App itself. Minting is repeated freely: a token that nobody received harms nobody. */
  private asApp<T>(call: () => Promise<T>): Promise<T> {
    return retrying(async () => {
      try {
        return await call();
      } catch (error) {
        if (!this.learnSkew(error)) throw error;
        return await call();
      }
    }, this.policy);
  }

  /** Whether a refusal may come from our clock being wrong; takes GitHub's clock over then. */
  private learnSkew(error: unknown): boolean {
    const failure = httpFailure(error);
    if (failure?.kind !== 'answer' || failure.status !== 401) return false;
    // The library signs by the machine's own clock.
    const skew = Math.round((Date.parse(failure.headers['date'] ?? '') - Date.now()) / 1000);
    if (Number.isNaN(skew) || Math.abs(skew - this.skew) < 30) return false;
    this.skew = skew;
    this.auth = this.signIn();
    return true;
  }

  private signIn(): ReturnType<typeof createAppAuth> {
    const { clientId, privateKey, octokit } = this.options;
    return createAppAuth({
      appId: clientId,
      privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      request: octokit.request,
      log: { warn: () => {} },
      ...(this.skew === 0 ? {} : { timeDifference: this.skew }),
    });
  }
}

/**
 * Takes tokens back, each asked once and shortly: what fails ends by itself within the hour.
 * @returns whether GitHub takes none of them any more.
 */
export async function revokeTokens(octokit: Octokit, tokens: readonly string[]): Promise<boolean> {
  const revoked = await Promise.all(
    tokens.map(async token => {
      try {
        await octokit.request('DELETE /installation/token', {
          headers: { authorization: `Bearer ${token}` },
          request: { signal: AbortSignal.timeout(REVOKE_TIMEOUT_MS) },
        });
        return true;
      } catch (error) {
        const failure = httpFailure(error);
        // It has ended, or somebody else has revoked it.
        return failure?.kind === 'answer' && failure.status === 401;
      }
    }),
  );
  return revoked.every(Boolean);
}

const LEVELS: readonly (string | undefined)[] = [undefined, 'read', 'write', 'admin'];

function covers(has: string | undefined, wanted: string): boolean {
  return LEVELS.indexOf(has) >= LEVELS.indexOf(wanted);
}
