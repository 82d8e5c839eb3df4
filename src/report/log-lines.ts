import type { CanaryProgressView, RolloutView } from './view.ts';
import { elapsed, headline, linkWords, shareWords, stageWords } from './words.ts';

/**
 * What is new since the last look, as lines for the log: each link of the proof once, each step of traffic once, each
 * word of Flagger once.
 */
export function newLines(view: RolloutView, said: Set<string>): readonly string[] {
  const at = elapsed(view.updatedAt - view.startedAt).padStart(9);
  const lines = allLines(view).filter(line => !said.has(line));
  for (const line of lines) said.add(line);
  return lines.map(line => `${at}  ${line}`);
}

function allLines(view: RolloutView): readonly string[] {
  return [
    ...view.notes.map(note => `note: ${note}`),
    ...(view.outcome || view.canaries.length > 0 ? [] : [stageWords(view.stage)]),
    ...view.proof
      .filter(({ state }) => state === 'proven' || state === 'failed')
      .map(each => `${linkWords(each).mark} ${linkWords(each).name}: ${each.detail}`),
    ...view.canaries.flatMap(canaryLines),
    ...(view.stage === 'reverting' || view.stage === 'verifyingRevert' ? [stageWords(view.stage)] : []),
    ...(view.outcome ? [headline(view)] : []),
  ];
}

function canaryLines(canary: CanaryProgressView): readonly string[] {
  const { target } = canary;
  const events = canary.events.map(
    ({ type, message }) => `${target}  Flagger: ${type === 'Warning' ? 'warning: ' : ''}${message}`,
  );
  const waiting = canary.waitingFor === undefined ? [] : [`${target}  waits: ${canary.waitingFor}`];
  const checks =
    canary.failedChecks > 0 ? `, ${canary.failedChecks} of ${canary.threshold} checks failed` : '';
  const progress =
    canary.stage === 'analysing'
      ? [`${target}  ${shareWords(canary)}${checks}`]
      : [`${target}  ${stageWords(canary.stage)}`];
  return [...events, ...waiting, ...progress];
}
