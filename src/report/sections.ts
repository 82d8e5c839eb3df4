import { VERDICTS } from '../rollout/verdict.ts';
import { chartsSection, eventsSection } from './details.ts';
import { code, link, plain } from './markdown-text.ts';
import type { SectionOptions } from './section-options.ts';
import { planSections } from './plan-sections.ts';
import { isWithin, lastWords, rangeWords, sparkline } from './sparkline.ts';
import type { GateView, RolloutView } from './view.ts';
import { bar, elapsed, linkWords, shareWords, stageWords } from './words.ts';

/** The parts that comment, check run and job summary are made of, most important first. */
export function sectionsOf(view: RolloutView, options: SectionOptions): readonly string[] {
  const figures = options.live || view.outcome !== undefined;
  return [
    outcomeSection(view),
    valuesSection(view),
    ...(view.plan ? planSections(view.plan) : []),
    nextSection(view, options),
    figures ? canariesSection(view) : '',
    figures ? metricsSection(view) : '',
    proofSection(view),
    linksSection(view),
    notesSection(view),
    ...(figures
      ? [chartsSection(view, options), ...view.canaries.map(canary => eventsSection(canary, options))]
      : []),
    changesSection(view, options),
  ].filter(section => section !== '');
}

/** What happened, since when, what was done about it, and what a person should do. */
function outcomeSection(view: RolloutView): string {
  const { outcome } = view;
  if (!outcome) return '';
  const facts = [
    `verdict ${code(outcome.verdict)}`,
    `reason ${code(outcome.reason)}`,
    `after ${elapsed(view.updatedAt - view.startedAt)}`,
  ];
  const todo = outcome.remedy === undefined ? '' : `\n\n**What to do:** ${plain(outcome.remedy, 1_000)}`;
  const meaning = VERDICTS[outcome.verdict].meaning;
  return `${plain(outcome.detail, 2_000)}${aftermath(view)}${todo}\n\n<sub>${facts.join(' · ')} · ${plain(meaning)}</sub>`;
}

/** Of a release that failed: since when, what took it back, and whether the cluster is back. */
function aftermath(view: RolloutView): string {
  const since = view.canaries.flatMap(({ failingSince }) => failingSince ?? []);
  const back = view.proof.find(({ link: name }) => name === 'back');
  const at = (ms: number): string => elapsed(ms - view.startedAt);
  const facts = [
    ...(since.length > 0 ? [`First failed check after ${at(Math.min(...since))}`] : []),
    ...(view.revert ? [`reverted by ${link(code(view.revert.sha.slice(0, 7)), view.revert.url)}`] : []),
    ...(view.pullRequest
      ? [`${link(`pull request ${view.pullRequest.number}`, view.pullRequest.url)} waits for a person`]
      : []),
    ...(back?.state === 'proven' && back.at !== undefined ? [`proven back after ${at(back.at)}`] : []),
    ...(back && back.state !== 'proven' ? ['**not proven back**'] : []),
  ];
  return facts.length === 0 ? '' : `\n\n${facts.join(' · ')}`;
}

/** What is released, in a line. */
function valuesSection({ changes }: RolloutView): string {
  const seen = new Map(changes.map(change => [`${change.what}\0${change.from}\0${change.to}`, change]));
  const lines = [...seen.values()].slice(0, 5).map(({ what, from, to }) => {
    const values = from === to ? `${code(to)} (again)` : `${code(from)} → ${code(to)}`;
    return `**${plain(what)}** ${values}`;
  });
  const more = seen.size > 5 ? [`… and ${seen.size - 5} more`] : [];
  return [...lines, ...more].join('<br>');
}

function nextSection(view: RolloutView, { live }: SectionOptions): string {
  if (view.outcome) return '';
  const waiting = view.canaries.flatMap(({ target, waitingFor, gates }) => [
    ...(waitingFor === undefined ? [] : [`⏸ ${code(target)} waits: ${plain(waitingFor)}`]),
    ...gates.map(gateWords),
  ]);
  const words = live ? view.next : lastingWords(view);
  const next = words === undefined ? [] : [`**Next:** ${plain(words, 600)}`];
  return [...waiting, ...next].join('\n\n');
}

/** What stays true until the stage changes. */
function lastingWords(view: RolloutView): string | undefined {
  if (view.stage !== 'analysing') return view.next;
  const left = view.canaries.map(({ leftMs }) => leftMs).filter(ms => ms !== undefined);
  const end = new Date(view.updatedAt + Math.max(0, ...left)).toISOString().slice(11, 16);
  const when = left.length === view.canaries.length && left.length > 0 ? ` at about ${end} UTC` : '';
  return `Flagger analyses it step by step, and promotes it${when} if every check passes; the check run “rollout / ${view.name}” shows where it stands. When too many checks fail, this commit is reverted.`;
}

/** How a gate is opened, by whoever can reach it. */
function gateWords({ name, type, url, opening }: GateView): string {
  const gate = `Gate **${plain(name)}** (${type})`;
  switch (opening.kind) {
    case 'command':
      return `${gate} is opened, from where its address is reached, with ${code(opening.command)}`;
    case 'never':
      return `${gate} refuses always: ${code(url)}. It opens only when the Canary names another address.`;
    case 'elsewhere':
      return `${gate} is decided by ${code(url)}; any answer up to 202 opens it.`;
  }
}

function canariesSection({ canaries }: RolloutView): string {
  if (canaries.length === 0) return '';
  const rows = canaries.slice(0, 30).map(canary => {
    const state = canary.outcome ? plain(canary.outcome.kind) : stageWords(canary.stage);
    const checks = `${canary.failedChecks} of ${canary.threshold}`;
    const phase = canary.phase === '' ? '–' : canary.phase;
    return `| ${code(canary.target)} | ${STRATEGIES[canary.strategy]} | ${state} | ${bar(canary)} ${shareWords(canary)} | ${checks} | ${phase} |`;
  });
  return `| Canary | Strategy | State | Progress | Failed checks | Flagger |\n|---|---|---|---|---|---|\n${rows.join('\n')}`;
}

const STRATEGIES = { weighted: 'weighted', ab: 'A/B', 'blue-green': 'blue/green' } as const;

/** Each metric's last value against its range. */
function metricsSection({ canaries }: RolloutView): string {
  const several = canaries.length > 1;
  const rows = canaries
    .flatMap(({ target, metrics }) => metrics.map(metric => ({ target, metric })))
    .slice(0, 40)
    .map(({ target, metric }) => {
      const last = metric.points.at(-1);
      const mark = !last ? '⚪' : last.value !== undefined && isWithin(last.value, metric) ? '✅' : '❌';
      const line = metric.points.length > 1 ? ` ${sparkline(metric.points.map(({ value }) => value))}` : '';
      const of = several ? `${code(target)} ` : '';
      return `| ${mark} ${of}${plain(metric.name)} | ${lastWords(metric.points)}${line} | ${rangeWords(metric)} | ${sourceWords(metric.source)} |`;
    });
  if (rows.length === 0) return '';
  return `| Metric | Last value | Must be | Query |\n|---|---|---|---|\n${rows.join('\n')}`;
}

function sourceWords(source: string): string {
  return source === 'builtin' ? 'Flagger’s own' : `MetricTemplate ${code(source)}`;
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

function notesSection({ notes }: RolloutView): string {
  return notes
    .slice(0, 20)
    .map(note => `> ${plain(note, 500)}`)
    .join('\n>\n');
}

function changesSection({ changes }: RolloutView, { open }: SectionOptions): string {
  if (changes.length === 0) return '';
  const rows = changes.slice(0, 20).map(({ what, target, from, to, path, line }) => {
    const values = from === to ? `${code(to)} (again)` : `${code(from)} → ${code(to)}`;
    return `| ${code(target)} | ${plain(what)} | ${values} | ${code(`${path}:${line}`)} |`;
  });
  const more = changes.length > 20 ? `\n\n… and ${changes.length - 20} more` : '';
  const table = `| Target | Change | Value | Where |\n|---|---|---|---|\n${rows.join('\n')}${more}`;
  return `<details${open ? ' open' : ''}><summary>Where it was changed</summary>\n\n${table}\n\n</details>`;
}
