import { statSync } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import * as core from '@actions/core';
import { context } from '@actions/github';
import { readWorkspaceFile } from './assemble.ts';
import { loadKubeconfig } from './cluster/login/kubeconfig.ts';
import { purposeOf, type RunPurpose, type WorkflowEvent } from './config/event-mode.ts';
import { readInputs } from './config/inputs.ts';
import { formatProblems } from './config/problem-text.ts';
import { parseRolloutFile } from './config/rollout-file.ts';
import type { ConfigProblem, Inputs, RolloutFile } from './config/settings.ts';
import { plain } from './report/markdown-text.ts';
import { Refusal, VERDICTS } from './rollout/verdict.ts';
import type { Log } from './runtime/log.ts';
import { readWorkflowRun, type WorkflowRun } from './runtime/workflow-run.ts';

const MAX_ANNOTATIONS = 10;

type Env = Readonly<Record<string, string | undefined>>;

export interface Beginning {
  readonly inputs: Inputs;
  readonly run: WorkflowRun;
  readonly rollout: RolloutFile;
  readonly purpose: RunPurpose;
}

/**
 * Everything that can be known without asking anybody: inputs, environment, rollout.yaml and event.
 * @throws ConfigProblems; Refusal when the event starts no rollout; WorkflowEnvironmentError.
 */
export function begin(env: Env): Beginning {
  const run = readWorkflowRun(env);
  const event = eventOf(run);
  maskKubeconfig(env['INPUT_KUBECONFIG']?.trim() ?? '');
  const read = readInputs(env, secret => core.setSecret(secret), {
    withoutSecrets: purposeOrNothing(event)?.withoutSecrets === true,
  });
  if ('problems' in read) throw new ConfigProblems(read.problems);
  const { inputs } = read;
  const text = readWorkspaceFile(run.workspace, inputs.config);
  if (text === undefined) throw new ConfigProblems([noFile(run.workspace, inputs.config)]);
  const purpose = purposeOf(event, inputs.mode);
  // A sweep releases nothing, so nothing has to have a value.
  const valuesNeeded = purpose.mode !== 'sweep';
  // As GitHub names files in a diff.
  const file = inputs.config.replace(/^(?:\.\/)+/, '');
  const parsed = parseRolloutFile(text, { file, set: inputs.set, valuesNeeded });
  if ('problems' in parsed) throw new ConfigProblems(parsed.problems);
  return { inputs, run, rollout: parsed.rollout, purpose };
}

/** Before anything else is done with it. That it cannot be used is said when the cluster is asked. */
function maskKubeconfig(kubeconfig: string): void {
  if (kubeconfig === '') return;
  try {
    loadKubeconfig({ kubeconfig, context: undefined, mask: secret => core.setSecret(secret) });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
  }
}

/** The variables that it comes from are checked with the run's (`readWorkflowRun`), its payload by `purposeOf`. */
function eventOf({ repository: { owner, repo } }: WorkflowRun): WorkflowEvent {
  const { eventName: name, payload, sha, ref, actor } = context;
  return { name, payload, sha, ref, repository: `${owner}/${repo}`, actor };
}

/** For what must be known before the inputs are; an event that starts nothing is refused later, with all problems. */
function purposeOrNothing(event: WorkflowEvent): RunPurpose | undefined {
  try {
    return purposeOf(event, 'auto');
  } catch {
    return undefined;
  }
}

/** What the user wrote cannot be used. */
export class ConfigProblems extends Error {
  override readonly name = 'ConfigProblems';
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super(formatProblems(problems));
    this.problems = problems;
  }
}

function noFile(workspace: string, path: string): ConfigProblem {
  const common = { field: 'input config', allowed: 'a file in the workspace, such as rollout.yaml' };
  if (statSync(resolve(workspace, path), { throwIfNoEntry: false })?.isDirectory() === true) {
    return {
      ...common,
      message: `${path} is a folder.`,
      example: `config: ${path.replace(/\/+$/, '')}/rollout.yaml`,
    };
  }
  const message = `There is no file ${path}. Is there an actions/checkout step before this one?`;
  return { ...common, message };
}

/** Ends a step that never began: nothing was asked of anybody, so that only the log, summary and outputs tell. */
export async function refuseEarly(
  error: unknown,
  on: { readonly env: Env; readonly log: Log },
): Promise<number> {
  const { reason, detail, remedy } = wordsOf(error);
  annotate(error, on.log, detail);
  if (remedy !== undefined) on.log.info(`What to do: ${remedy}`);
  core.setOutput('verdict', 'refused');
  core.setOutput('reason', reason);
  for (const name of ['commit-sha', 'revert-sha', 'check-run-id', 'comment-id']) core.setOutput(name, '');
  core.setOutput(
    'result',
    JSON.stringify({
      version: 1,
      verdict: 'refused',
      reason,
      detail,
      ...(remedy === undefined ? {} : { remedy }),
    }),
  );
  const summary = on.env['GITHUB_STEP_SUMMARY'];
  if (summary !== undefined) {
    const lines = detail.split('\n').map(line => `- ${plain(line, 1_000)}`);
    await appendFile(summary, `### ❌ Gated Rollout: refused, nothing was written\n\n${lines.join('\n')}\n`);
  }
  return VERDICTS.refused.exitCode;
}

function wordsOf(error: unknown) {
  if (error instanceof ConfigProblems)
    return { reason: 'bad-config', detail: error.message, remedy: undefined };
  if (error instanceof Refusal) return { reason: error.reason, detail: error.message, remedy: error.remedy };
  const detail = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return { reason: 'unexpected-error', detail, remedy: undefined };
}

function annotate(error: unknown, log: Log, detail: string): void {
  if (!(error instanceof ConfigProblems)) {
    log.error(detail);
    return;
  }
  const { problems } = error;
  // GitHub shows ten annotations of a kind for a step, and drops the rest without a word.
  const shown = problems.length > MAX_ANNOTATIONS ? problems.slice(0, MAX_ANNOTATIONS - 1) : problems;
  for (const problem of shown) log.error(formatProblems([problem]), problem.position);
  const others = problems.slice(shown.length);
  if (others.length === 0) return;
  log.error(`… and ${others.length} more problems, in the log below.`);
  for (const problem of others) log.info(formatProblems([problem]));
}
