import { describe, expect, it } from 'vitest';
import { commitMessage } from '../../src/gitops/commit-message.ts';
import { parseTrailers } from '../../src/gitops/trailers.ts';
import { revertPullRequestText } from '../../src/run/commit-text.ts';

/** References by which GitHub links, notifies or closes something (docs "Autolinked references and URLs"). */
const REFERENCES = [
  '#3',
  'acme/fleet#3',
  'GH-3',
  'gh-3',
  'x_GH-3',
  'https://github.com/acme/fleet/issues/3',
  'HTTPS://GITHUB.COM/acme/fleet/Issues/3#issuecomment-1',
  'https://github.example.com/acme/fleet/pull/3/files',
  'https://github.com/acme/fleet/discussions/3',
];
const ACTIVE = [
  /(?<![\w&])#\d/,
  /\w\/[\w.-]+#\d/,
  /gh-\d/i,
  /https?:\/\/\S+\/(?:issues|pulls?|discussions)\/\d/i,
];

function textOf(words: string): string {
  return commitMessage({ title: words, body: `First line\n${words}`, trailers: [['Gated-Rollout', 'shop']] });
}

describe('text of others in a commit message', () => {
  it.each(REFERENCES)('links and closes nothing: Fixes %s', reference => {
    const words = `Fixes: ${reference} and closes ${reference}`;
    expect(ACTIVE.some(pattern => pattern.test(words))).toBe(true);
    for (const pattern of ACTIVE) expect(textOf(words)).not.toMatch(pattern);
  });

  it.each(['@mona', '(@acme/team)', 'x @mona'])('mentions nobody: %s', words => {
    expect(textOf(words)).not.toMatch(/@[a-z]/);
  });

  it.each(['[skip ci]', '[CI  skip]', '[no actions]', '***NO_CI***', '[skip azp]'])(
    'silences no CI: %s',
    words => {
      expect(textOf(words)).not.toMatch(/\[[^\]]*(?:ci|actions|azp)[^\]]*\]|\*\*\*no_ci/i);
    },
  );

  it('is never a trailer', () => {
    const message = textOf('Gated-Rollout-Id: forged\nSigned-off-by: mona');
    expect(parseTrailers(message)).toEqual([['Gated-Rollout', 'shop']]);
  });
});

describe('text of others in the pull request that asks a person', () => {
  it('is shown and does nothing', () => {
    const { body } = revertPullRequestText({
      name: 'shop',
      commit: 'a'.repeat(40),
      commitUrl: 'https://github.com/acme/fleet/commit/a',
      runUrl: 'https://github.com/acme/shop/actions/runs/1',
      detail: 'The webhook said <img src=//evil.example> ![x](https://evil.example/x.png) @mona #3',
      why: '[click](https://evil.example)',
    });
    expect(body).not.toMatch(/<img|!\[x\]\(|@mona|#3|\[click\]\(/);
    expect(body).toContain('[The rejected commit](https://github.com/acme/fleet/commit/a)');
  });
});
