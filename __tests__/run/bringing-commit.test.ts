import { describe, expect, it } from 'vitest';
import type { FoundValue, ReleasePlan } from '../../src/plan/plan.ts';
import { findBringingCommit } from '../../src/run/bringing-commit.ts';
import type { RunGitOps } from '../../src/run/parts.ts';
import { Refusal } from '../../src/rollout/verdict.ts';

/** A branch, oldest first: what each of its files says. */
type History = readonly Readonly<Record<string, string>>[];

const sha = (index: number): string => `c${index}`;
const WANTED = '2';

function planOf(tree: Readonly<Record<string, string>>): ReleasePlan {
  const found = Object.entries(tree)
    .filter(([path]) => path !== 'other')
    .map(
      ([path, current]): FoundValue => ({
        change: 'image shop',
        target: path,
        path,
        line: 1,
        current,
        requested: WANTED,
        currentExpectation: { kind: 'image', target: path, repository: 'shop', version: current },
      }),
    );
  const files = found
    .filter(({ current }) => current !== WANTED)
    .map(({ path, current }) => ({ path, before: null, text: current }));
  return {
    head: '',
    files,
    placements: [],
    expectations: [],
    found,
    unchanged: files.length === 0,
    build: { kind: 'proven', by: '', objects: [], compared: 0 },
    automated: [],
    follows: true,
    schedule: [],
    warnings: [],
    adoption: [],
    adopted: [],
    rendered: [],
  };
}

async function search(history: History, concerned?: string) {
  const changed = (index: number, path: string): boolean =>
    history[index]?.[path] !== history[index - 1]?.[path];
  const unused = () => Promise.reject(new Error('unused'));
  const gitops: RunGitOps = {
    commit: unused,
    revert: unused,
    revisionFacts: unused,
    openRevertPullRequest: unused,
    head: unused,
    filesAt: unused,
    newestRollout: unused,
    hasBeenAt: unused,
    commitOfId: unused,
    isIdNamed: unused,
    rolloutAt: unused,
    holds: unused,
    commitsTouching: paths =>
      Promise.resolve(
        history
          .map((_, index) => index)
          .filter(index => paths.some(path => changed(index, path)))
          .map(sha)
          .toReversed(),
      ),
    parentOf: commit => Promise.resolve(commit === sha(0) ? undefined : sha(Number(commit.slice(1)) - 1)),
    followed: ({ sha: commit }) =>
      Promise.resolve({ sha: commit, parent: '', tree: '', files: [], verified: false, url: '' }),
  };
  return await findBringingCommit({
    gitops,
    plan: planOf(history.at(-1) ?? {}),
    isConcerned: ({ target }) => concerned === undefined || target === concerned,
    planAt: commit => Promise.resolve(planOf(history[Number(commit.slice(1))] ?? {})),
  });
}

describe('the commit that brought what is asked for', () => {
  it('is found behind commits that have nothing to do with it', async () => {
    const { followed, before } = await search([
      { a: '1' },
      { a: '1', other: 'x' },
      { a: '2', other: 'x' },
      { a: '2', other: 'y' },
    ]);
    expect(followed).toEqual({ sha: 'c2', files: [{ path: 'a', before: 'c1' }] });
    expect(before.map(({ current }) => current)).toEqual(['1']);
  });

  it('is the newest of several, and each path is remembered as it was before its own', async () => {
    const { followed, before } = await search([
      { a: '0', b: '0' },
      { a: '2', b: '0' },
      { a: '2', b: '1' },
      { a: '2', b: '2' },
    ]);
    expect(followed).toEqual({
      sha: 'c3',
      files: [
        { path: 'b', before: 'c2' },
        { path: 'a', before: 'c0' },
      ],
    });
    expect(before.map(({ path, current }) => [path, current])).toEqual([
      ['a', '0'],
      ['b', '1'],
    ]);
  });

  it('is the last one that brought it, when it came and went before', async () => {
    const { followed } = await search([{ a: '2' }, { a: '1' }, { a: '2' }]);
    expect(followed).toEqual({ sha: 'c2', files: [{ path: 'a', before: 'c1' }] });
  });

  it('has nothing to do with targets that run it already', async () => {
    const { followed } = await search(
      [
        { a: '2', b: '1' },
        { a: '2', b: '2' },
      ],
      'b',
    );
    expect(followed).toEqual({ sha: 'c1', files: [{ path: 'b', before: 'c0' }] });
  });

  it('is not there where the value always was', async () => {
    await expect(
      search([
        { a: '2', other: 'x' },
        { a: '2', other: 'y' },
      ]),
    ).rejects.toThrow(Refusal);
  });
});
