import { createHash } from 'node:crypto';
import { VERDICTS } from '../../rollout/verdict.ts';
import { GLOSSARY } from '../details.ts';
import { commitUrl, proofDetail } from '../sections.ts';
import { standing } from '../standing.ts';
import type { CommitView, ProofLink, RolloutView } from '../view.ts';
import { clockTime, elapsed } from '../durations.ts';
import { headline, linkWords, mark } from '../words.ts';
import { canarySection } from './canary-section.ts';
import { type Html, html } from './escape.ts';
import { anchor, linkedText } from './linked-text.ts';
import { STYLE } from './style.ts';

/** Nothing is loaded, run, sent or framed; the one style is known by its hash. */
const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE.markup).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

/** The whole of a rollout as one page that needs nothing else: for artifacts, and as evidence that is kept. */
export function renderHtml(
  view: RolloutView,
  used: { readonly requests: number | undefined } = { requests: undefined },
): string {
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="referrer" content="no-referrer">
<title>${headline(view)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<header class="${tone(view)}">
<h1>${mark(view)} ${headline(view)}</h1>
${summary(view)}
</header>
${view.changes.length > 0 ? changes(view) : undefined}
${view.canaries.map(canary => canarySection(canary, view))}
${view.proof.length > 0 ? chain(view) : undefined}
${view.notes.length > 0 ? html`<h2>Notes</h2>\n<ul>${view.notes.map(note => html`<li>${note}</li>\n`)}</ul>` : undefined}
${origin(view, used)}
${glossary()}
</main>
</body>
</html>
`;
  return page.markup;
}

function tone({ outcome }: RolloutView): 'good' | 'bad' | 'quiet' {
  if (!outcome) return 'quiet';
  const { conclusion } = VERDICTS[outcome.verdict];
  if (conclusion === 'success') return 'good';
  return conclusion === 'neutral' || conclusion === 'cancelled' ? 'quiet' : 'bad';
}

function summary(view: RolloutView): Html {
  const { outcome, next, cause } = view;
  const serving = view.serving.map(words => html`<p><strong>Now:</strong> ${words}</p>\n`);
  if (!outcome) {
    return html`${serving}${cause === undefined ? undefined : html`<p>${linkedText(cause, view)}</p>\n`}<p class="lead">${next}</p>`;
  }
  const stands = standing(view);
  return html`${stands ? html`<p class="lead">${stands.words}</p>\n` : undefined}${serving}<p>${linkedText(outcome.detail, view)}</p>
${outcome.remedy === undefined ? undefined : html`<p class="todo"><strong>What to do:</strong> ${linkedText(outcome.remedy, view)}</p>\n`}<p class="facts">${
    stands ? `${stands.facts.join(' · ')} · ` : ''
  }verdict <code>${outcome.verdict}</code>, reason <code>${outcome.reason}</code></p>`;
}

function changes(view: RolloutView): Html {
  return html`<h2>The release</h2>
<div class="scroll"><table>
<tr><th>Target</th><th>Change</th><th>Value</th><th>Where</th></tr>
${view.changes.map(
  ({ what, target, from, to, path, line }) => html`<tr><td><code>${target}</code></td><td>${what}</td><td>${
    from === to ? html`<code>${to}</code> (again)` : html`<code>${from}</code> → <code>${to}</code>`
  }</td><td><code>${path}:${line}</code></td></tr>
`,
)}</table></div>`;
}

function chain(view: RolloutView): Html {
  const row = (link: ProofLink): Html => {
    const { mark: sign, name } = linkWords(link);
    const { at } = link;
    const time = at === undefined ? '' : `${clockTime(at)} (+${elapsed(at - view.startedAt)})`;
    return html`<tr><td class="number">${sign} ${name}</td><td>${linkedText(proofDetail(link, view), view)}</td><td class="number">${time}</td></tr>\n`;
  };
  return html`<h2>Proof</h2>
<div class="scroll"><table>
<tr><th>Link</th><th>What was seen</th><th>At (UTC)</th></tr>
${view.proof.map(row)}</table></div>`;
}

function origin(view: RolloutView, { requests }: { readonly requests: number | undefined }): Html {
  const { source, gitops, pullRequest } = view;
  return html`<h2>Where it comes from</h2>
<dl>
<dt>Rollout</dt><dd><code>${view.id}</code></dd>
<dt>Source</dt><dd>${anchor(commitUrl(source), html`<code>${source.repository}@${source.sha}</code>`)}</dd>
<dt>Run</dt><dd>${anchor(source.runUrl, source.runUrl)}</dd>
<dt>GitOps repository</dt><dd><code>${gitops.repository}</code> at <code>${gitops.branch}</code></dd>
${commitRow('Commit', view.commit)}${commitRow('Adoption', view.adoption)}${commitRow('Revert', view.revert)}${
  pullRequest ? html`<dt>Pull request</dt><dd>${anchor(pullRequest.url, pullRequest.url)}</dd>\n` : undefined
}<dt>Began</dt><dd>${new Date(view.startedAt).toISOString()}</dd>
<dt>${view.outcome ? 'Ended' : 'As of'}</dt><dd>${new Date(view.updatedAt).toISOString()}, after ${elapsed(view.updatedAt - view.startedAt)}</dd>
${requests === undefined ? undefined : html`<dt>Requests to GitHub</dt><dd>${requests}</dd>`}
</dl>`;
}

function commitRow(name: string, commit: CommitView | undefined): Html | undefined {
  if (!commit) return undefined;
  return html`<dt>${name}</dt><dd>${anchor(commit.url, html`<code>${commit.sha}</code>`)}${commit.verified ? ', signed by GitHub' : ''}</dd>\n`;
}

function glossary(): Html {
  return html`<details><summary>What these words mean</summary>
<dl>${GLOSSARY.map(([word, meaning]) => html`<dt>${word}</dt><dd>${meaning}</dd>\n`)}</dl>
</details>`;
}
