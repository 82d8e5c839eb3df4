import { code, link, plain } from './markdown-text.ts';
import type { RolloutView } from './view.ts';

/** Commands that a text asks a person to type: as code, so that they can be taken as they are. */
const COMMANDS = /git revert [0-9a-f]{40}|kubectl -n [a-z0-9.-]+ rollout undo [a-z]+\/[a-z0-9.-]*[a-z0-9]/g;

/** Plain text in which our own commits and pull request are links, and commands are code. */
export function linkedText(text: string, view: RolloutView, longest: number): string {
  const known = [view.commit, view.adoption, view.revert].filter(commit => commit !== undefined);
  let shown = plain(text, longest).replace(COMMANDS, command => code(command));
  for (const { sha, url } of known) {
    const short = sha.slice(0, 7);
    shown = shown.replace(new RegExp(`\\b${short}\\b`, 'g'), link(code(short), url));
  }
  const { pullRequest } = view;
  if (!pullRequest) return shown;
  return shown.replaceAll(plain(pullRequest.url), () =>
    link(`pull request ${pullRequest.number}`, pullRequest.url),
  );
}
