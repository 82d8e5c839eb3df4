import { describe, it } from 'vitest';
import { FLEET } from '../../sandbox/sandbox.ts';
import { withClone } from './with-clone.ts';
import { withSandbox } from './with-sandbox.ts';

const SOURCE_OF_FLUX = { kind: 'GitRepository', namespace: 'flux-system', name: 'fleet' } as const;

describe.concurrent('what the GitRepository follows', () => {
  it('a branch by its whole name, as flux-operator writes it', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      sandbox.cluster.patch(SOURCE_OF_FLUX, { spec: { ref: { branch: null, name: 'refs/heads/main' } } });
      const run = await sandbox.release('6.14.1');
      expect(run.outputs).toMatchObject({ verdict: 'promoted', reason: 'analysed' });
    });
  });

  it.for([
    [{ tag: 'v1' }, 'follows the tag v1 and no branch'],
    [{ name: 'refs/pull/7/head' }, 'follows refs/pull/7/head and no branch'],
    [{ commit: 'c'.repeat(40) }, `follows the commit ${'c'.repeat(40)} and no branch`],
  ] as const)('no branch: %j', async ([ref, words], { expect }) => {
    await withSandbox({}, async sandbox => {
      sandbox.cluster.patch(SOURCE_OF_FLUX, { spec: { ref } });
      const run = await sandbox.release('6.14.1');
      expect(run.outputs).toMatchObject({ verdict: 'refused', reason: 'wrong-source' });
      expect(run.outputs['result']).toContain(words);
      expect(run.outputs['result']).toContain('spec.ref.branch');
      expect(await sandbox.titles()).toHaveLength(1);
      await withClone(sandbox, async gated => {
        for (const args of [['check'], ['init', '--target', 'prod/podinfo']]) {
          const { code, err } = await gated(...args);
          expect([code, err]).toEqual([3, expect.stringContaining(words)]);
        }
      });
    });
  });

  it('the repository under its former name', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      sandbox.github.renameRepository(FLEET, 'acme/gitops');
      const rollout = sandbox.rollout.replace(FLEET, 'acme/gitops');
      const token = sandbox.github.addToken({ kind: 'app', slug: 'rollout', repositories: ['acme/gitops'] });
      const run = await sandbox.release('6.14.1', {
        workspace: { 'rollout.yaml': rollout },
        inputs: { 'gitops-token': token, set: 'image=6.14.1' },
      });
      expect(run.outputs).toMatchObject({ verdict: 'promoted', reason: 'analysed' });
    });
  });

  it('the repository under its former name, for the command line with a token', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      sandbox.github.renameRepository(FLEET, 'acme/gitops');
      sandbox.rollout = sandbox.rollout.replace(FLEET, 'acme/gitops');
      const token = sandbox.github.addToken({ kind: 'app', slug: 'rollout', repositories: ['acme/gitops'] });
      const env = { GITHUB_API_URL: sandbox.github.apiUrl, GH_TOKEN: token };
      const clone = 'acme/gitops';
      await withClone(
        sandbox,
        async gated => expect(await gated('check')).toMatchObject({ code: 0, err: '' }),
        { env, clone },
      );
      await withClone(
        sandbox,
        async gated => {
          const { code, err } = await gated('check');
          expect([code, err]).toEqual([3, expect.stringContaining('not from acme/gitops on 127.0.0.1')]);
        },
        { clone },
      );
    });
  });

  it('another repository', async ({ expect }) => {
    await withSandbox({ repositories: { 'acme/other': { 'README.md': 'other\n' } } }, async sandbox => {
      const rollout = sandbox.rollout.replace(FLEET, 'acme/other');
      const token = sandbox.github.addToken({
        kind: 'app',
        slug: 'rollout',
        repositories: ['acme/other', FLEET],
      });
      const run = await sandbox.release('6.14.1', {
        workspace: { 'rollout.yaml': rollout },
        inputs: { 'gitops-token': token, set: 'image=6.14.1' },
      });
      expect(run.outputs).toMatchObject({ verdict: 'refused', reason: 'wrong-source' });
      expect(run.outputs['result']).toContain('not from acme/other on 127.0.0.1');
    });
  });
});
