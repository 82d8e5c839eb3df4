import { describe, expect, it } from 'vitest';
import { landings, lineOf } from '../../src/gitops/branch-line.ts';
import type { ListedCommit } from '../../src/gitops/listed-commit.ts';

function commit(sha: string, ...parents: readonly string[]): ListedCommit {
  return {
    sha,
    parents,
    tree: '',
    message: '',
    verified: false,
    author: undefined,
    committer: undefined,
    url: '',
  };
}

/**
 * main:    a ── b ─────── m ── n
 *           \            /
 * feature:   f1 ── f2 ──     with dates in the future, so that listings have them first
 */
const HISTORY = [
  commit('f2', 'f1'),
  commit('n', 'm'),
  commit('f1', 'a'),
  commit('m', 'b', 'f2'),
  commit('a'),
  commit('b', 'a'),
];

describe('what a branch has been at', () => {
  const line = lineOf('n', HISTORY);

  it('is the line of first parents, in whatever order commits are listed', () => {
    expect(line.map(({ sha }) => sha)).toEqual(['n', 'm', 'b', 'a']);
  });

  it('ends where the listing does', () => {
    expect(lineOf('n', HISTORY.slice(0, 4)).map(({ sha }) => sha)).toEqual(['n', 'm']);
    expect(lineOf('elsewhere', HISTORY)).toEqual([]);
  });

  it.each([
    [['f1'], ['m']],
    [
      ['f1', 'f2', 'n'],
      ['n', 'm'],
    ],
    [
      ['b', 'a'],
      ['b', 'a'],
    ],
    [['elsewhere'], []],
  ])('%j came onto it by %j', (shas, by) => {
    expect(landings({ commits: HISTORY, line }, new Set(shas))).toEqual(by);
  });
});
