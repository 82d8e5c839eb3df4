import { canariesSection, metricsSection } from './canary-sections.ts';
import { chartsSection, eventsSection } from './details.ts';
import type { Rows, Section } from './fit.ts';
import { linkedText } from './known-links.ts';
import { code, link, plain } from './markdown-text.ts';
import { nextSection } from './next-section.ts';
import { planSections } from './plan-sections.ts';
import type { SectionOptions } from './section-options.ts';
import { standing } from './standing.ts';
import type { ChangeView, ProofLink, RolloutView } from './view.ts';
import { clockTime, elapsed } from './durations.ts';
import { linkWords } from './words.ts';

/** The parts that comment, check run and job summary are made of, most important first. */
export function sectionsOf(view: RolloutView, options: SectionOptions): readonly Section[] {
  const figures = options.live || view.outcome !== undefined;
  return [
    valuesSection(view),
    outcomeSection(view),
    ...(view.plan ? planSections(view.plan) : []),
    nextSection(view, options),
    figures ? canariesSection(view) : '',
    figures ? metricsSection(view) : '',
    proofSection(view),
    notesSection(view),
    originSection(view),
    ...(figures
      ? [chartsSection(view, options), ...view.canaries.map(canary => eventsSection(canary, options))]
      : []),
    changesSection(view, options),
  ];
}

/** What happened, whether it is safe, since when, and what a person should do. */
function outcomeSection(view: RolloutView): string {
  const { outcome, cause } = view;
  const serving = view.serving.map(words => `**Now:** ${plain(words, 500)}`);
  if (!outcome)
    return [...serving, ...(cause === undefined ? [] : [linkedText(cause, view, 2_000)])].join('\n\n');
  const stands = standing(view);
  const remedy = outcome.remedy === undefined ? '' : linkedText(outcome.remedy, view, 1_000);
  const paragraphs = [
    ...(stands ? [`**${stands.words}**`] : []),
    ...serving,
    linkedText(outcome.detail, view, 2_000),
    ...(remedy === '' ? [] : [`**What to do:** ${remedy}`]),
    ...(stands ? [`<sub>${stands.facts.join(' · ')}</sub>`] : []),
  ];
  return paragraphs.join('\n\n');
}

/** What is released, in a line. */
function valuesSection({ changes }: RolloutView): string {
  const seen = new Map(changes.map(change => [`${change.what}\0${change.from}\0${change.to}`, change]));
  const lines = [...seen.values()].slice(0, 5).map(change => `${plain(change.what, 150)} ${fromTo(change)}`);
  const more = seen.size > 5 ? [`… and ${seen.size - 5} more`] : [];
  return [...lines, ...more].join('<br>');
}

function fromTo({ from, to }: ChangeView): string {
  if (from === '') return code(to, 150);
  return from === to ? `${code(to, 150)} (again)` : `${code(from, 150)} → ${code(to, 150)}`;
}

function proofSection(view: RolloutView): string {
  if (view.proof.length === 0) return '';
  const lines = view.proof.map(each => {
    const { name, mark } = linkWords(each);
    const at =
      each.at === undefined ? '' : ` · ${clockTime(each.at)} (+${elapsed(each.at - view.startedAt)})`;
    return `- ${mark} **${name}:** ${linkedText(proofDetail(each, view), view, 500)}${at}`;
  });
  return `**Proof**, times in UTC:\n\n${lines.join('\n')}`;
}

/** Why it failed is said above; once is enough. */
export function proofDetail({ state, detail }: ProofLink, { outcome }: RolloutView): string {
  return state === 'failed' && outcome?.detail.startsWith(detail.replace(/[.!?]$/, '')) === true
    ? 'no; the reason is above'
    : detail;
}

function notesSection({ notes }: RolloutView): Section {
  if (notes.length === 0) return '';
  return {
    head: '**Notes:**\n',
    rows: notes.map(note => `- ${plain(note, 500)}`),
    tail: '',
    more: count => `- … and ${count} more`,
  };
}

/** Where it comes from, and the words by which the reference is searched. */
function originSection(view: RolloutView): string {
  const { adoption, pullRequest, gitops, source, outcome } = view;
  const short = source.sha.slice(0, 7);
  const parts = [
    link('run and log', source.runUrl),
    `source ${link(code(`${source.repository}@${short}`), commitUrl(source))}`,
    gitops.repository === ''
      ? undefined
      : `GitOps repository ${code(gitops.repository)}${gitops.branch === '' ? '' : ` at ${code(gitops.branch)}`}`,
    adoption && `adoption ${link(code(adoption.sha.slice(0, 7)), adoption.url)}`,
    pullRequest && link(`pull request ${pullRequest.number}`, pullRequest.url),
    outcome && `verdict ${code(outcome.verdict)}, reason ${code(outcome.reason)}`,
  ];
  return `<sub>${parts.filter(part => part !== undefined).join(' · ')}</sub>`;
}

/** The run is in the source's repository, on the same host. */
export function commitUrl({ repository, sha, runUrl }: RolloutView['source']): string {
  return URL.canParse(runUrl) ? `${new URL(runUrl).origin}/${repository}/commit/${sha}` : '';
}

function changesSection(view: RolloutView, { open }: SectionOptions): Section {
  const { changes } = view;
  const found = changes.filter(({ path }) => path !== '');
  if (found.length === 0) return '';
  const rows = found.map(change => {
    const { what, target, path, line } = change;
    return `| ${code(target)} | ${plain(what)} | ${fromTo(change)} | ${code(`${path}:${line}`)} |`;
  });
  const table: Rows = {
    head: `<details${open ? ' open' : ''}><summary>${whereWords(view)}</summary>\n\n| Target | Change | Value | Where |\n|---|---|---|---|`,
    rows,
    tail: '\n</details>',
    more: count => `| … and ${count} more | | | |`,
  };
  return table;
}

/** Nothing was changed by a plan, nor by what was refused or runs already. */
function whereWords({ commit, outcome, plan }: RolloutView): string {
  if (commit) return 'Where it was changed';
  const stands = plan ? plan.files.length === 0 : outcome?.verdict === 'unchanged';
  return stands ? 'Where it stands' : 'Where it would be changed';
}
