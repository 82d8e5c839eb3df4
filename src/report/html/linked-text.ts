import type { RolloutView } from '../view.ts';
import { type Html, html, webAddress } from './escape.ts';

/** Text in which our own commits and pull request are links. */
export function linkedText(text: string, view: RolloutView): Html {
  const known = new Map<string, string>();
  for (const commit of [view.commit, view.adoption, view.revert]) {
    if (commit) known.set(commit.sha.slice(0, 7), commit.url);
  }
  if (view.pullRequest) known.set(view.pullRequest.url, view.pullRequest.url);
  if (known.size === 0) return html`${text}`;
  const words = [...known.keys()].map(word => word.replace(/[^\w]/g, '\\$&'));
  const parts = text.split(new RegExp(`(?<![\\w/])(${words.join('|')})(?!\\w)`));
  return html`${parts.map(part => {
    const url = known.get(part);
    return url === undefined ? html`${part}` : anchor(url, part);
  })}`;
}

export function anchor(url: string, words: string | Html): Html {
  const address = webAddress(url);
  return address === undefined ? html`${words}` : html`<a href="${address}">${words}</a>`;
}
