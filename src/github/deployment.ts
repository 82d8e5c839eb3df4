import { z } from 'zod';
import type { RepositoryName } from '../config/settings.ts';
import { ComeBackLater, type ReportSink, type Writing } from '../report/reporter.ts';
import type { RolloutView } from '../report/view.ts';
import { headline } from '../report/words.ts';
import type { Verdict } from '../rollout/verdict.ts';
import type { GitHubClient } from './client.ts';
import { createOnce } from './create-once.ts';
import { reportFailure } from './report-failure.ts';

type State = 'in_progress' | 'success' | 'failure' | 'error' | 'inactive';

const deploymentSchema = z.object({ id: z.number(), payload: z.unknown() });
const payloadSchema = z.object({ rollout: z.string() });
const statusSchema = z.object({ id: z.number() });

/** What a Deployment shows when a rollout ended so; undefined: nothing was deployed, so that none is made. */
const STATES: Readonly<Record<Verdict, State | undefined>> = {
  promoted: 'success',
  initialized: 'success',
  unchanged: undefined,
  pending: 'in_progress',
  'rolled-back': 'failure',
  'not-applied': 'failure',
  'not-started': 'failure',
  'promotion-failed': 'failure',
  'revert-blocked': 'failure',
  'revert-unverified': 'error',
  unknown: 'error',
  refused: undefined,
  cancelled: 'inactive',
  superseded: 'inactive',
  'timed-out': 'failure',
};

const BUDGET_MS = 15_000;
/** Of a status' description (GitHub's REST reference). */
const MAX_DESCRIPTION = 140;

export interface DeploymentOptions {
  readonly client: GitHubClient;
  readonly repository: RepositoryName;
  readonly sha: string;
  readonly environment: string;
  /** The rollout's id: by it a later run finds the Deployment again. */
  readonly rolloutId: string;
  /** The rollout was begun by another run or process: its Deployment may exist. */
  readonly resumed: boolean;
}

/** A GitHub Deployment of the source commit with the state of its rollout. */
export class DeploymentSink implements ReportSink {
  readonly name = 'The deployment';
  private readonly options: DeploymentOptions;
  private id: number | undefined;
  private looked: boolean;
  private written: State | undefined;
  private forbidden = false;

  constructor(options: DeploymentOptions) {
    this.options = options;
    this.looked = !options.resumed;
  }

  wants(view: RolloutView): boolean {
    const state = stateOf(view);
    if (this.forbidden && !view.outcome) return false;
    return state !== undefined && state !== this.written;
  }

  async write(view: RolloutView, { turn }: Writing): Promise<void> {
    const state = stateOf(view);
    if (state === undefined) return;
    this.written = state;
    try {
      if (!this.looked) this.id ??= await this.find();
      this.id ??= await this.create(view, turn);
      await this.addStatus(this.id, { state, view, turn });
    } catch (caught) {
      const { error, forbidden } = reportFailure(caught, {
        now: this.options.client.clock.now(),
        needed: 'deployments',
      });
      if (error instanceof ComeBackLater) this.written = undefined;
      this.forbidden ||= forbidden;
      throw error;
    }
  }

  private async create(view: RolloutView, turn: Writing['turn']): Promise<number> {
    const { made } = await createOnce(this.options.client, {
      create: () => this.post(view, turn),
      find: () => this.find(),
      budgetMs: BUDGET_MS,
    });
    return made;
  }

  private async post(view: RolloutView, turn: Writing['turn']): Promise<number> {
    const { client, repository, sha, environment, rolloutId } = this.options;
    const { id } = await client.call({
      method: 'POST',
      route: '/repos/{owner}/{repo}/deployments',
      parameters: {
        ...repository,
        ref: sha,
        environment,
        description: `Rollout ${view.name}`.slice(0, MAX_DESCRIPTION),
        payload: { rollout: rolloutId },
        // Else GitHub merges the default branch first, or refuses because our own check has not ended.
        auto_merge: false,
        required_contexts: [],
      },
      schema: deploymentSchema,
      resend: 'once',
      turn,
    });
    return id;
  }

  private async addStatus(
    id: number,
    on: { readonly state: State; readonly view: RolloutView; readonly turn: Writing['turn'] },
  ): Promise<void> {
    const { state, view, turn } = on;
    const { client, repository } = this.options;
    await client.call({
      method: 'POST',
      route: '/repos/{owner}/{repo}/deployments/{deployment_id}/statuses',
      parameters: {
        ...repository,
        deployment_id: id,
        state,
        log_url: view.source.runUrl,
        description: headline(view).slice(0, MAX_DESCRIPTION),
      },
      schema: statusSchema,
      resend: 'repeat',
      budgetMs: BUDGET_MS,
      turn,
    });
  }

  private async find(): Promise<number | undefined> {
    const { client, repository, sha, environment, rolloutId } = this.options;
    const deployments = await client.call({
      method: 'GET',
      route: '/repos/{owner}/{repo}/deployments',
      parameters: { ...repository, sha, environment, per_page: 100 },
      schema: z.array(deploymentSchema),
      resend: 'repeat',
      budgetMs: BUDGET_MS,
    });
    this.looked = true;
    return deployments.find(({ payload }) => payloadSchema.safeParse(payload).data?.rollout === rolloutId)
      ?.id;
  }
}

function stateOf({ outcome, commit, adoption }: RolloutView): State | undefined {
  if (outcome) return commit || adoption ? STATES[outcome.verdict] : undefined;
  return commit || adoption ? 'in_progress' : undefined;
}
