import type { Trailer } from './trailers.ts';

const MAX_TITLE = 120;
/** GitHub has no documented limit; a message is for reading. */
const MAX_BODY = 10_000;

/**
 * Text from elsewhere (the title of a source commit) made harmless in a commit message:
 * - `[skip ci]` and its variants would silence the CI of the GitOps repository;
 * - `@name` would notify people; `#12`, `owner/repo#12`, `GH-12` and the address of an issue or pull request would link
 *   to it, and behind `Fixes` close it, in whatever repository (docs "Using keywords in issues and pull requests");
 * - control characters and bidirectional marks would show another text than there is.
 */
export function harmless(text: string): string {
  return (
    text
      .replace(/[\p{Cc}\u200E\u200F\u202A-\u202E\u2066-\u2069]/gu, ' ')
      .replace(/\[\s*((?:skip|no)[ -]+(?:ci|actions)|(?:ci|actions)[ -]+skip)\s*\]/gi, '($1)')
      // GitLab's, Azure's and AppVeyor's spellings: the GitOps repository may be mirrored.
      .replace(/\*\*\*\s*(no_ci)\s*\*\*\*|\[\s*(skip appveyor|azp skip|skip azp)\s*\]/gi, '($1$2)')
      .replace(/(^|[^\w`])@(?=[A-Za-z0-9])/g, '$1@ ')
      .replace(/#(?=\d)/g, '# ')
      .replace(/GH-(?=\d)/gi, 'GH ')
      .replace(/\/(issues|pulls?|discussions)\/(?=\d)/gi, '/$1/ ')
  );
}

/** A title: one harmless line of at most 120 characters, never empty. */
export function harmlessTitle(title: string): string {
  const line = harmless(title).replace(/\s+/g, ' ').trim();
  const characters = [...line];
  if (characters.length <= MAX_TITLE) return line === '' ? 'Update' : line;
  return `${characters.slice(0, MAX_TITLE - 1).join('')}…`;
}

/** A body: harmless lines, none of which can be read as a trailer that machines act on. */
function harmlessBody(body: string): string {
  const lines = body.replaceAll('\r\n', '\n').split('\n').map(harmless);
  const safe = lines.map(line =>
    /^\s*(gated-rollout[\w-]*|skip-checks|request-checks|co-authored-by|signed-off-by)\s*:/i.test(line)
      ? `> ${line.trimStart()}`
      : line.trimEnd(),
  );
  return safe.join('\n').trim().slice(0, MAX_BODY);
}

/**
 * A commit message with our trailers as its last paragraph. Title and body are made harmless here, so that no caller
 * can forget it; trailer values lose line breaks only, because ids and URLs must stay what they are.
 */
export function commitMessage(parts: {
  readonly title: string;
  readonly body: string;
  readonly trailers: readonly Trailer[];
}): string {
  const body = harmlessBody(parts.body);
  const trailers = parts.trailers.map(([name, value]) => `${name}: ${value.replace(/\s+/g, ' ').trim()}`);
  return [harmlessTitle(parts.title), body, trailers.join('\n')].filter(part => part !== '').join('\n\n');
}
