import { z } from 'zod';
import type { RepositoryName } from '../config/settings.ts';
import { Cadence } from '../report/cadence.ts';
import { commentMarker, renderComment } from '../report/render.ts';
import { ComeBackLater, type ReportSink, type Writing } from '../report/reporter.ts';
import type { RolloutView } from '../report/view.ts';
import { SILENT_REASONS } from './check-run.ts';
import type { GitHubClient } from './client.ts';
import { createOnce } from './create-once.ts';
import { statusOf } from './http-errors.ts';
import { reportFailure } from './report-failure.ts';

const commentSchema = z.object({
  id: z.number(),
  body: z.string().nullish(),
  user: z.object({ login: z.string() }).nullish(),
});

export interface CommentOptions {
  readonly client: GitHubClient;
  readonly repository: RepositoryName;
  /** Asked once, when there is something to say. */
  readonly pullRequests: () => Promise<readonly number[]>;
  /** Under which login our comments appear; undefined = not known, and no earlier comment is believed to be ours. */
  readonly ownLogin: () => Promise<string | undefined>;
  /** Where the check run is looked at, once there is one. */
  readonly checkUrl: () => string | undefined;
  readonly onId: (id: number) => void;
}

const PAGE = 100;
const MAX_PAGES = 30;
const BUDGET_MS = 15_000;

/** One comment on each pull request of the source commit, updated in place. */
export class PullRequestCommentSink implements ReportSink {
  readonly name = 'The pull request comment';
  private readonly options: CommentOptions;
  private readonly cadence: Cadence;
  private readonly ids = new Map<number, number>();
  private pulls: readonly number[] | undefined;
  private forbidden = false;
  /** Pull requests that take no comment of ours: locked conversations. */
  private readonly refused = new Set<number>();

  constructor(options: CommentOptions) {
    this.options = options;
    this.cadence = new Cadence(now => options.client.rateLimit.current(now));
  }

  wants(view: RolloutView, now: number): boolean {
    if ((this.forbidden && !view.outcome) || this.pulls?.length === 0) return false;
    if (SILENT_REASONS.includes(view.outcome?.reason ?? '')) return false;
    // Before anything is committed there is nothing that could not wait for the end of the preflight.
    if (!view.outcome && (view.stage === 'preparing' || view.stage === 'settling')) return false;
    return this.cadence.isDue(view, { now, progress: false });
  }

  async write(view: RolloutView, { turn }: Writing): Promise<void> {
    const now = this.options.client.clock.now();
    this.cadence.wrote(view, now);
    try {
      this.pulls ??= await this.options.pullRequests();
      await this.writeToAll(this.pulls, { view, turn });
    } catch (caught) {
      const { error, forbidden } = reportFailure(caught, { now, needed: 'pull_requests' });
      if (error instanceof ComeBackLater) this.cadence.forget();
      this.forbidden ||= forbidden && (this.pulls ?? []).every(pull => this.refused.has(pull));
      throw error;
    }
  }

  /** One that is locked, or gone, takes nothing from the others. */
  private async writeToAll(
    pulls: readonly number[],
    on: Pick<Writing, 'turn'> & { readonly view: RolloutView },
  ): Promise<void> {
    const failures: unknown[] = [];
    for (const pull of pulls) {
      if (this.refused.has(pull) && !on.view.outcome) continue;
      try {
        await this.writeTo(pull, on);
      } catch (caught) {
        const { error, forbidden } = reportFailure(caught, {
          now: this.options.client.clock.now(),
          needed: 'pull_requests',
        });
        if (error instanceof ComeBackLater) throw caught;
        if (forbidden) this.refused.add(pull);
        failures.push(caught);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  private async writeTo(
    pull: number,
    { view, turn }: Pick<Writing, 'turn'> & { readonly view: RolloutView },
  ): Promise<void> {
    const body = this.render(view);
    const known = this.ids.get(pull) ?? (await this.oldestOfOurs(pull, view.name));
    if (known !== undefined && (await this.update(known, body, turn))) {
      this.remember(pull, known);
      return;
    }
    const { how, made } = await createOnce(this.options.client, {
      create: () => this.create(pull, body, turn),
      find: () => this.oldestOfOurs(pull, view.name),
      budgetMs: BUDGET_MS,
    });
    this.remember(pull, made);
    if (how === 'found') await this.update(made, body, turn);
    else await this.giveWay(pull, { created: made, view, turn });
  }

  /** Two runs that start at once both find nothing and create; the younger comment goes. */
  private async giveWay(
    pull: number,
    on: Pick<Writing, 'turn'> & { readonly created: number; readonly view: RolloutView },
  ): Promise<void> {
    const oldest = await this.oldestOfOurs(pull, on.view.name);
    if (oldest === undefined || oldest === on.created) return;
    await on.turn();
    await this.delete(on.created);
    await this.update(oldest, this.render(on.view), on.turn);
    this.remember(pull, oldest);
  }

  private render(view: RolloutView): string {
    return renderComment(view, { checkUrl: this.options.checkUrl() });
  }

  private remember(pull: number, id: number): void {
    this.ids.set(pull, id);
    this.options.onId(id);
  }

  private async oldestOfOurs(pull: number, name: string): Promise<number | undefined> {
    const login = (await this.options.ownLogin())?.toLowerCase();
    if (login === undefined) return undefined;
    const { client, repository } = this.options;
    const marker = commentMarker(name);
    for (let page = 1; page <= MAX_PAGES; page += 1) {
      const comments = await client.call({
        method: 'GET',
        route: '/repos/{owner}/{repo}/issues/{issue_number}/comments',
        parameters: { ...repository, issue_number: pull, per_page: PAGE, page },
        schema: z.array(commentSchema),
        resend: 'repeat',
        budgetMs: BUDGET_MS,
      });
      const ours = comments.find(
        ({ body, user }) => user?.login.toLowerCase() === login && body?.startsWith(marker) === true,
      );
      if (ours) return ours.id;
      if (comments.length < PAGE) return undefined;
    }
    return undefined;
  }

  private async create(pull: number, body: string, turn: Writing['turn']): Promise<number> {
    const { client, repository } = this.options;
    const { id } = await client.call({
      method: 'POST',
      route: '/repos/{owner}/{repo}/issues/{issue_number}/comments',
      parameters: { ...repository, issue_number: pull, body },
      schema: commentSchema,
      resend: 'once',
      turn,
    });
    return id;
  }

  /** False when the comment is gone. */
  private async update(id: number, body: string, turn: Writing['turn']): Promise<boolean> {
    const { client, repository } = this.options;
    try {
      await client.call({
        method: 'PATCH',
        route: '/repos/{owner}/{repo}/issues/comments/{comment_id}',
        parameters: { ...repository, comment_id: id, body },
        schema: commentSchema,
        resend: 'repeat',
        budgetMs: BUDGET_MS,
        turn,
      });
      return true;
    } catch (error) {
      if (statusOf(error) === 404) return false;
      throw error;
    }
  }

  private async delete(id: number): Promise<void> {
    const { client, repository } = this.options;
    await client.octokit.request('DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}', {
      ...repository,
      comment_id: id,
    });
  }
}
