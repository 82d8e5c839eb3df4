import { z } from 'zod';
import type { RepositoryName } from '../config/settings.ts';
import { Cadence } from '../report/cadence.ts';
import { renderCheckRun } from '../report/render.ts';
import { ComeBackLater, type ReportSink, type Writing } from '../report/reporter.ts';
import type { RolloutView } from '../report/view.ts';
import type { GitHubClient } from './client.ts';
import { createOnce } from './create-once.ts';
import { statusOf } from './http-errors.ts';
import { reportFailure } from './report-failure.ts';

const checkRunSchema = z.object({
  id: z.number(),
  external_id: z.string().nullish(),
  html_url: z.string().nullish(),
});
const listSchema = z.object({ check_runs: z.array(checkRunSchema) });

export interface CheckRunOptions {
  readonly client: GitHubClient;
  /** Where the source commit is. */
  readonly repository: RepositoryName;
  readonly sha: string;
  readonly name: string;
  /** The rollout's id: by it a later run finds the check again. */
  readonly externalId: string;
  /** The rollout was begun by another run or process: its check exists already. */
  readonly resumed: boolean;
  /** @param url where people look at it */
  readonly onId: (id: number, url: string | undefined) => void;
}

type CheckRun = z.infer<typeof checkRunSchema>;
type Turn = Pick<Writing, 'turn'> & { readonly budgetMs: number };

const ROUTE = '/repos/{owner}/{repo}/check-runs';
const BUDGET_MS = 15_000;
const LAST_BUDGET_MS = 50_000;

/** Outcomes that nobody waits for: no commit was released, and none was going to be. */
export const SILENT_REASONS: readonly string[] = ['own-commit', 'nothing-to-sweep'];

/** The check run on the source commit. */
export class CheckRunSink implements ReportSink {
  readonly name = 'The check run';
  private readonly options: CheckRunOptions;
  private readonly cadence: Cadence;
  private id: number | undefined;
  private looked: boolean;
  /** A right is missing: asking again would only cost requests. */
  private forbidden = false;

  constructor(options: CheckRunOptions) {
    this.options = options;
    this.looked = !options.resumed;
    this.cadence = new Cadence(now => options.client.rateLimit.current(now));
  }

  wants(view: RolloutView, now: number): boolean {
    // The end is tried once more, so that whoever looks for it in the log is told when it is not shown.
    if ((this.forbidden && !view.outcome) || SILENT_REASONS.includes(view.outcome?.reason ?? ''))
      return false;
    return this.cadence.isDue(view, { now, progress: true });
  }

  async write(view: RolloutView, { last, turn }: Writing): Promise<void> {
    // Marked first, so that a failing write waits for the next change and is not tried each second.
    const now = this.options.client.clock.now();
    this.cadence.wrote(view, now);
    try {
      await this.writeOnce(view, { turn, budgetMs: last ? LAST_BUDGET_MS : BUDGET_MS });
    } catch (caught) {
      const { error, forbidden } = reportFailure(caught, { now, needed: 'checks' });
      if (error instanceof ComeBackLater) this.cadence.forget();
      this.forbidden ||= forbidden;
      throw error;
    }
  }

  private async writeOnce(view: RolloutView, on: Turn): Promise<void> {
    if (!this.looked) this.rememberFound(await this.find());
    if (this.id === undefined) {
      await this.create(view, on);
      return;
    }
    try {
      await this.update(this.id, view, on);
    } catch (error) {
      const status = statusOf(error);
      const { error: later } = reportFailure(error, {
        now: this.options.client.clock.now(),
        needed: 'checks',
      });
      if (later instanceof ComeBackLater || (status !== 403 && status !== 404)) throw error;
      // A replica that does not know it yet; or it was deleted, or is another App's, and a new one takes its place.
      this.id = undefined;
      this.rememberFound(await this.find());
      if (this.id === undefined) await this.create(view, on);
      else await this.update(this.id, view, on);
    }
  }

  private rememberFound(found: CheckRun | undefined): void {
    if (found) this.remember(found);
  }

  private async create(view: RolloutView, on: Turn): Promise<void> {
    const { how, made } = await createOnce(this.options.client, {
      create: () => this.post(view, on),
      find: () => this.find(),
      budgetMs: on.budgetMs,
    });
    this.remember(made);
    if (how === 'found') await this.update(made.id, view, on);
  }

  private async post(view: RolloutView, { turn }: Turn): Promise<CheckRun> {
    const { client, repository, sha, name, externalId } = this.options;
    return await client.call({
      method: 'POST',
      route: ROUTE,
      parameters: {
        ...repository,
        name,
        head_sha: sha,
        external_id: externalId,
        details_url: view.source.runUrl,
        started_at: new Date(view.startedAt).toISOString(),
        ...renderCheckRun(view),
      },
      schema: checkRunSchema,
      resend: 'once',
      turn,
    });
  }

  private async update(id: number, view: RolloutView, { turn, budgetMs }: Turn): Promise<void> {
    const { client, repository } = this.options;
    await client.call({
      method: 'PATCH',
      route: `${ROUTE}/{check_run_id}`,
      parameters: {
        ...repository,
        check_run_id: id,
        details_url: view.source.runUrl,
        ...renderCheckRun(view),
      },
      schema: checkRunSchema,
      resend: 'repeat',
      budgetMs,
      turn,
    });
  }

  /** The check run of this rollout on the commit, whoever of us made it. */
  private async find(): Promise<CheckRun | undefined> {
    const { client, repository, sha, name, externalId } = this.options;
    const { check_runs: runs } = await client.call({
      method: 'GET',
      route: '/repos/{owner}/{repo}/commits/{ref}/check-runs',
      parameters: { ...repository, ref: sha, check_name: name, filter: 'all', per_page: 100 },
      schema: listSchema,
      resend: 'repeat',
      budgetMs: BUDGET_MS,
    });
    this.looked = true;
    return runs.find(run => run.external_id === externalId);
  }

  private remember({ id, html_url: url }: CheckRun): void {
    this.id = id;
    this.options.onId(id, url ?? undefined);
  }
}
