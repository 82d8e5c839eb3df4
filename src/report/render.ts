import { VERDICTS } from '../rollout/verdict.ts';
import { plain } from './markdown-text.ts';
import { glossarySection } from './details.ts';
import { fitSections } from './fit.ts';
import { sectionsOf } from './sections.ts';
import { timingsSection } from './timings.ts';
import type { RolloutView } from './view.ts';
import { headline, mark, stageHeadline } from './words.ts';

/** GitHub's limit for comments and for the fields of a check's output, bytes. */
const MAX_BYTES = 65_535;
/** Of a step's summary, bytes (docs "Adding a job summary"). */
const MAX_SUMMARY_BYTES = 1_000_000;
const CUT = '… cut to what fits here; the rest is in the job summary.';

/** By this line our comment is found again; together with our own login, because anyone can write it. */
export function commentMarker(name: string): string {
  return `<!-- gated-rollout: ${encodeURIComponent(name)} -->`;
}

/** @param on.checkUrl where the figures are, which a comment leaves out while they move */
export function renderComment(
  view: RolloutView,
  on: { readonly checkUrl: string | undefined } = { checkUrl: undefined },
): string {
  const marker = commentMarker(view.name);
  const sections = sectionsOf(view, { mermaid: true, open: false, live: false, ...on });
  const parts = [`${marker}\n${title(view, stageHeadline(view))}`, ...sections, glossarySection(view)];
  return fitSections(parts, MAX_BYTES, CUT);
}

/** @param used what the run has cost; undefined = not known */
export function renderSummary(
  view: RolloutView,
  used: { readonly requests: number | undefined } = { requests: undefined },
): string {
  const sections = [
    ...sectionsOf(view, { mermaid: true, open: true, live: true }),
    timingsSection(view, used),
    glossarySection(view),
  ];
  return fitSections([title(view), ...sections], MAX_SUMMARY_BYTES, '… cut to what fits into a summary.');
}

function title(view: RolloutView, words = headline(view)): string {
  return `### ${mark(view)} ${plain(words)}`;
}

/** A check run's fields, in GitHub's words. */
export interface CheckRunContent {
  readonly status: 'in_progress' | 'completed';
  readonly conclusion?: 'success' | 'failure' | 'neutral' | 'cancelled' | 'timed_out' | 'action_required';
  readonly output: { readonly title: string; readonly summary: string };
}

export function renderCheckRun(view: RolloutView): CheckRunContent {
  const sections = [...sectionsOf(view, { mermaid: false, open: false, live: true }), glossarySection(view)];
  const output = { title: headline(view), summary: fitSections(sections, MAX_BYTES, CUT) };
  if (!view.outcome) return { status: 'in_progress', output };
  return { status: 'completed', conclusion: VERDICTS[view.outcome.verdict].conclusion, output };
}
