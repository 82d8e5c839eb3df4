import { describe, expect, it } from 'vitest';
import { parseGitRepository } from '../../src/flux/parse-flux.ts';

/** By source-controller's order: commit, name, semver, tag, branch (api/v1 gitrepository_types.go). */
describe('what a GitRepository follows', () => {
  it.each([
    [undefined, 'master', undefined],
    [null, 'master', undefined],
    [{}, 'master', undefined],
    [{ branch: '' }, 'master', undefined],
    [{ branch: 'main' }, 'main', undefined],
    [{ branch: 'main', tag: '' }, 'main', undefined],
    [{ name: 'refs/heads/main' }, 'main', undefined],
    [{ name: 'refs/heads/team/a' }, 'team/a', undefined],
    [{ name: 'refs/heads/main', tag: 'v1', semver: '*', branch: 'old' }, 'main', undefined],
    [{ name: 'refs/tags/v1' }, undefined, 'refs/tags/v1'],
    [{ name: 'refs/pull/7/head' }, undefined, 'refs/pull/7/head'],
    [{ name: 'refs/pull/7/head', branch: 'main' }, undefined, 'refs/pull/7/head'],
    [{ tag: 'v1' }, undefined, 'the tag v1'],
    [{ branch: 'main', tag: 'v1' }, undefined, 'the tag v1'],
    [{ semver: '>=1.0.0' }, undefined, 'the tags >=1.0.0'],
    [{ semver: '>=1.0.0', tag: 'v1' }, undefined, 'the tags >=1.0.0'],
    [{ branch: 'main', commit: 'c'.repeat(40) }, undefined, `the commit ${'c'.repeat(40)}`],
    [{ name: 'refs/heads/main', commit: 'c'.repeat(40) }, undefined, `the commit ${'c'.repeat(40)}`],
  ])('%j: branch %s, or only %s', (ref, branch, pinned) => {
    const view = parseGitRepository({
      metadata: { name: 'fleet', namespace: 'flux-system' },
      spec: { url: 'https://github.com/acme/fleet', interval: '1m', ref },
    });
    expect([view.branch, view.pinned]).toEqual([branch, pinned]);
  });
});
