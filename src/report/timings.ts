import type { RolloutView } from './view.ts';
import { elapsed } from './durations.ts';
import { linkWords } from './words.ts';

/** How long each link of the chain took, and what it cost; for the job summary. */
export function timingsSection(view: RolloutView, used: { readonly requests: number | undefined }): string {
  const proven = view.proof.flatMap(link => (link.at === undefined ? [] : [{ link, at: link.at }]));
  const steps = proven.toSorted((one, other) => one.at - other.at);
  const rows = steps.map(({ link, at }, index) => {
    const before = steps[index - 1]?.at ?? view.startedAt;
    return `| ${linkWords(link).name} | ${elapsed(at - view.startedAt)} | ${elapsed(at - before)} |`;
  });
  const requests = used.requests === undefined ? '' : `${used.requests} requests to GitHub`;
  if (rows.length === 0) return requests;
  const table = `| Stage | proven after | took |\n|---|---|---|\n${rows.join('\n')}`;
  return [table, requests].filter(part => part !== '').join('\n\n');
}
