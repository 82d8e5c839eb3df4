import { code, link, plain } from './markdown-text.ts';
import type { SectionOptions } from './section-options.ts';
import type { GateView, RolloutView } from './view.ts';

/** While it runs: what is waited for, what happens next, and what a person can do. */
export function nextSection(view: RolloutView, options: SectionOptions): string {
  if (view.outcome) return '';
  const waiting = view.canaries.flatMap(({ target, waitingFor, gates }) => [
    ...(waitingFor === undefined ? [] : [`⏸ ${code(target)} waits: ${plain(waitingFor)}`]),
    ...gates.map(gateWords),
  ]);
  const words = options.live ? view.next : lastingWords(view);
  const next = words === undefined ? [] : [`**Next:** ${plain(words, 600)}`];
  return [...waiting, ...next, ...youCan(view, options)].join('\n\n');
}

function youCan(view: RolloutView, { live, checkUrl }: SectionOptions): readonly string[] {
  const run = link('cancel the job', view.source.runUrl);
  const stop = {
    revert: `To stop it, ${run}: the commit is reverted.`,
    'hand-over': `To end the job without stopping the release, ${run}: it goes on, and a later run or a sweep ends it.`,
  };
  const parts = [
    ...(live || checkUrl === undefined ? [] : [`Figures as they move: ${link('check run', checkUrl)}.`]),
    ...(view.onCancel === undefined ? [] : [stop[view.onCancel]]),
  ];
  return parts.length === 0 ? [] : [parts.join(' ')];
}

/** What stays true until the stage changes. */
function lastingWords(view: RolloutView): string | undefined {
  if (view.stage !== 'analysing') return view.next;
  const left = view.canaries.map(({ leftMs }) => leftMs).filter(ms => ms !== undefined);
  const end = new Date(view.updatedAt + Math.max(0, ...left)).toISOString().slice(11, 16);
  const when = left.length === view.canaries.length && left.length > 0 ? ` at about ${end} UTC` : '';
  const [canary, ...others] = view.canaries;
  const limit =
    canary && others.length === 0 && canary.threshold > 0
      ? `When ${canary.threshold === 1 ? 'one check has' : `${canary.threshold} checks have`} failed`
      : 'When too many checks fail';
  return `Flagger tries the new version step by step and checks the metrics at each; meanwhile the old version serves the others. It is promoted${when} if every check passes. ${limit}, the commit is reverted.`;
}

/** How a gate is opened, by whoever can reach it. */
function gateWords({ name, type, url, opening }: GateView): string {
  const gate = `Gate **${plain(name)}** (${type})`;
  switch (opening.kind) {
    case 'command':
      return `${gate} is opened, from where its address is reached (most often inside the cluster), with ${code(opening.command)}`;
    case 'never':
      return `${gate} refuses always: ${code(url)}. It opens only when the Canary names another address.`;
    case 'elsewhere':
      return `${gate} is decided by ${code(url)}; any answer up to 202 opens it.`;
  }
}
