import { assemble, type Assembled } from './assemble.ts';
import { begin, refuseEarly } from './begin.ts';
import type { Change } from './config/settings.ts';
import type { RolloutView } from './report/view.ts';
import { VERDICTS } from './rollout/verdict.ts';
import { endOwnCommit } from './run/own-commit.ts';
import { runStep } from './run/run-step.ts';
import { watchTakeover } from './takeover.ts';
import { clockFor } from './runtime/clock.ts';
import { createLog } from './runtime/log.ts';
import { writeOutputs } from './runtime/outputs.ts';
import { markMain } from './runtime/saved-state.ts';
import { cancelOnSignals } from './runtime/signals.ts';

/** The step itself. Returns the exit code. */
export async function main(env: NodeJS.ProcessEnv): Promise<number> {
  markMain();
  const log = createLog();
  const cancel = cancelOnSignals();
  const clock = clockFor(env);
  let beginning: ReturnType<typeof begin>;
  try {
    beginning = begin(env);
  } catch (error) {
    return await refuseEarly(error, { env, log });
  }
  const { inputs, run, purpose } = beginning;
  log.group('What this step was asked for', askedFor(beginning));
  const takeover = watchTakeover({ clock, temp: run.temp });
  const { remember, mayWrite } = takeover;
  let assembled: Assembled;
  try {
    assembled = assemble({ ...beginning, env, clock, cancel, log, remember, mayWrite, resumed: false });
  } catch (error) {
    return await refuseEarly(error, { env, log });
  }
  const { parts } = assembled;
  try {
    const own = await endOwnCommit(parts, { originOfSource: assembled.originOfSource, mode: purpose.mode });
    const view = own ?? (await Promise.race([runStep(parts, purpose.mode), takeover.happens]));
    if (view === 'taken-over') {
      log.info('The post step has taken this rollout over and tells how it ends.');
      return 1;
    }
    await writeOutputs(view, {
      ids: assembled.ids(),
      resultFile: inputs.resultFile,
      workspace: run.workspace,
    });
    log.debug(`${assembled.requests()} requests to GitHub`);
    return announce(view, log);
  } finally {
    takeover.stop();
    await assembled.close();
  }
}

function askedFor({ purpose, rollout, run, inputs }: ReturnType<typeof begin>): readonly string[] {
  return [
    `${purpose.mode} of ${rollout.name}, from ${run.event} of ${run.repository.owner}/${run.repository.repo}@${purpose.sourceSha.slice(0, 7)}`,
    ...rollout.changes.map(
      change => `${change.kind} ${change.name} → ${valueAsked(change)} in ${change.in.join(', ')}`,
    ),
    `${inputs.config}; on cancel: ${inputs.onCancel}`,
  ];
}

/** Whether a generator's input becomes a Secret is known only when the repository was read. */
function valueAsked(change: Change): string {
  if ('version' in change) return change.version;
  const mayBeSecret = change.kind === 'input' || (change.kind === 'field' && change.object.kind === 'Secret');
  return mayBeSecret ? 'a value' : change.value;
}

/** The last words of the log; an annotation only where a person has to act. */
export function announce(view: RolloutView, log: ReturnType<typeof createLog>): number {
  const { outcome } = view;
  if (!outcome) return 1;
  const { exitCode } = VERDICTS[outcome.verdict];
  if (view.proof.length > 0) {
    log.group(
      'The chain of proof',
      view.proof.map(({ link, state, detail }) => `${state.padEnd(8)} ${link}: ${detail}`),
    );
  }
  const words = `${view.name}: ${outcome.verdict} (${outcome.reason}). ${outcome.detail}`;
  if (exitCode === 0) log.info(words);
  else log.error(outcome.remedy === undefined ? words : `${words}\nWhat to do: ${outcome.remedy}`);
  return exitCode;
}
