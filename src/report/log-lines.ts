import type { FlaggerEvent } from '../rollout/observation.ts';
import type { CanaryProgressView, RolloutView } from './view.ts';
import { about, elapsed } from './durations.ts';
import { checksWords, headline, linkWords, stageWords, stepWords } from './words.ts';

/** A line is said once; what changes with every look (the time left) is no reason to say it again. */
interface Line {
  readonly text: string;
  readonly more?: string;
}

/**
 * What is new since the last look, as lines for the log: each link of the proof once, each step of traffic once, each
 * word of Flagger once.
 */
export function newLines(view: RolloutView, said: Set<string>): readonly string[] {
  const at = elapsed(view.updatedAt - view.startedAt).padStart(9);
  const lines = allLines(view).filter(({ text }) => !said.has(text));
  for (const { text } of lines) said.add(text);
  return lines.map(({ text, more = '' }) => `${at}  ${text}${more}`);
}

function allLines(view: RolloutView): readonly Line[] {
  const lines: readonly string[] = [
    ...view.notes.map(note => `note: ${note}`),
    ...(view.outcome || view.canaries.length > 0 ? [] : [stageWords(view.stage)]),
    ...view.proof
      .filter(({ state }) => state === 'proven' || state === 'failed')
      .map(each => `${linkWords(each).mark} ${linkWords(each).name}: ${each.detail}`),
  ];
  return [
    ...lines.map(text => ({ text })),
    ...view.canaries.flatMap(canary => canaryLines(canary, view)),
    ...(view.stage === 'reverting' || view.stage === 'verifyingRevert'
      ? [{ text: stageWords(view.stage) }]
      : []),
    ...(view.outcome ? [{ text: headline(view) }] : []),
  ];
}

/** Flagger scheduler.go: `Advance shop.prod canary weight 25`; our own line of progress says it as well. */
const PROGRESS = /^Advance \S+ canary (?:weight|iteration) /;

function canaryLines(canary: CanaryProgressView, { outcome }: RolloutView): readonly Line[] {
  const { target, leftMs } = canary;
  const events = canary.events
    .filter(({ message }) => !PROGRESS.test(message))
    .map(event => `${target}  Flagger: ${warningWords(event)}${event.message}`);
  const waiting = canary.waitingFor === undefined ? [] : [`${target}  waits: ${canary.waitingFor}`];
  const lines = [...events, ...waiting].map(text => ({ text }));
  if (outcome) return lines;
  if (canary.stage !== 'analysing') return [...lines, { text: `${target}  ${stageWords(canary.stage)}` }];
  const checks = canary.failedChecks > 0 ? `, ${checksWords(canary)}` : '';
  const more = leftMs === undefined ? {} : { more: `, ${about(leftMs)} left` };
  return [...lines, { text: `${target}  ${stepWords(canary)}${checks}`, ...more }];
}

function warningWords({ type }: FlaggerEvent): string {
  return type === 'Warning' ? 'warning: ' : '';
}
