import { VERDICTS } from '../rollout/verdict.ts';
import { block, code, link, plain } from './markdown-text.ts';
import type { CanaryProgressView, RolloutView } from './view.ts';
import { bar, elapsed, linkWords, shareWords, stageWords } from './words.ts';

/** The parts that comment, check run and job summary are made of, most important first. */
export function sectionsOf(view: RolloutView): readonly string[] {
  return [
    outcomeSection(view),
    changesSection(view),
    canariesSection(view),
    proofSection(view),
    linksSection(view),
    ...view.canaries.map(eventsSection),
    notesSection(view),
  ].filter(section => section !== '');
}

/** What happened, and what a person should do. */
function outcomeSection(view: RolloutView): string {
  const { outcome } = view;
  if (!outcome) {
    const waiting = view.canaries.flatMap(({ target, waitingFor }) =>
      waitingFor === undefined ? [] : [`⏸ ${code(target)} waits: ${plain(waitingFor)}`],
    );
    return waiting.join('\n\n');
  }
  const facts = [
    `verdict ${code(outcome.verdict)}`,
    `reason ${code(outcome.reason)}`,
    `after ${elapsed(view.updatedAt - view.startedAt)}`,
  ];
  const todo = outcome.remedy === undefined ? '' : `\n\n**What to do:** ${plain(outcome.remedy, 1_000)}`;
  const meaning = VERDICTS[outcome.verdict].meaning;
  return `${plain(outcome.detail, 2_000)}${todo}\n\n<sub>${facts.join(' · ')} · ${plain(meaning)}</sub>`;
}

function changesSection({ changes }: RolloutView): string {
  if (changes.length === 0) return '';
  const rows = changes.slice(0, 20).map(({ what, target, from, to, path, line }) => {
    const values = from === to ? `${code(to)} (again)` : `${code(from)} → ${code(to)}`;
    return `| ${code(target)} | ${plain(what)} | ${values} | ${code(`${path}:${line}`)} |`;
  });
  const more = changes.length > 20 ? `\n\n… and ${changes.length - 20} more` : '';
  return `| Target | Change | Value | Where |\n|---|---|---|---|\n${rows.join('\n')}${more}`;
}

function canariesSection({ canaries }: RolloutView): string {
  if (canaries.length === 0) return '';
  const rows = canaries.slice(0, 30).map(canary => {
    const state = canary.outcome ? plain(canary.outcome.kind) : stageWords(canary.stage);
    const share = canary.strategy === 'weighted' ? shareWords(canary) : shareWords(canary);
    const checks = `${canary.failedChecks} of ${canary.threshold}`;
    const phase = canary.phase === '' ? '–' : canary.phase;
    return `| ${code(canary.target)} | ${state} | ${bar(canary)} ${share} | ${checks} | ${phase} |`;
  });
  return `| Canary | State | Progress | Failed checks | Flagger |\n|---|---|---|---|---|\n${rows.join('\n')}`;
}

function proofSection(view: RolloutView): string {
  if (view.proof.length === 0) return '';
  const lines = view.proof.map(each => {
    const { name, mark } = linkWords(each);
    const at = each.at === undefined ? '' : ` · ${elapsed(each.at - view.startedAt)}`;
    return `- ${mark} **${name}** ${plain(each.detail, 500)}${at}`;
  });
  return lines.join('\n');
}

function linksSection(view: RolloutView): string {
  const { commit, adoption, revert, pullRequest, gitops, source } = view;
  const sha = (text: string) => code(text.slice(0, 7));
  const parts = [
    commit && `commit ${link(sha(commit.sha), commit.url)}`,
    adoption && `adoption ${link(sha(adoption.sha), adoption.url)}`,
    revert && `revert ${link(sha(revert.sha), revert.url)}`,
    pullRequest && link(`pull request ${pullRequest.number}`, pullRequest.url),
    `GitOps repository ${code(gitops.repository)}${gitops.branch === '' ? '' : ` at ${code(gitops.branch)}`}`,
    `source ${code(`${source.repository}@${source.sha.slice(0, 7)}`)}`,
    link('run', source.runUrl),
  ];
  return parts.filter(part => part !== undefined).join(' · ');
}

function eventsSection(canary: CanaryProgressView): string {
  if (canary.events.length === 0) return '';
  const newest = canary.events.slice(-15).toReversed();
  const lines = newest.map(({ type, message, count }) => {
    const mark = type === 'Warning' ? '! ' : '  ';
    return `${mark}${message.replace(/\s+/g, ' ').slice(0, 300)}${count > 1 ? ` (${count}×)` : ''}`;
  });
  return `<details><summary>What Flagger said about ${plain(canary.target)}</summary>\n\n${block(lines)}\n\n</details>`;
}

function notesSection({ notes }: RolloutView): string {
  return notes
    .slice(0, 20)
    .map(note => `> ${plain(note, 500)}`)
    .join('\n>\n');
}
