import { describe, it } from 'vitest';
import { deployment } from '../../sandbox/podinfo.ts';
import { SOURCE } from '../../sandbox/sandbox.ts';
import { withSandbox } from './with-sandbox.ts';

const FILES = {
  'apps/podinfo.env': 'MESSAGE=old\nOTHER=x\n',
  'apps/deployment.yaml': deployment().replace(
    '        ports:\n',
    '        envFrom: [{configMapRef: {name: settings}}]\n        ports:\n',
  ),
  'apps/kustomization.yaml':
    'namespace: prod\nresources: [deployment.yaml, canary.yaml]\nconfigMapGenerator: [{name: settings, envs: [podinfo.env]}]\n',
};
const ROLLOUT =
  'gitops: {repository: acme/fleet}\ntarget: [prod/podinfo]\nchange: [{at: {file: apps/podinfo.env, path: MESSAGE}, name: message}]\n';

describe.concurrent('a value that a generator takes over', () => {
  it('is planned, released and proven by the ConfigMap that the target refers to', async ({ expect }) => {
    await withSandbox({ files: FILES, rollout: ROLLOUT }, async sandbox => {
      const set = { set: 'message=new' };
      const planned = await sandbox.release('', { inputs: { ...set, mode: 'plan' } });
      expect(planned.outputs).toMatchObject({ reason: 'planned' });
      expect(planned.summary).toContain('**Chain** what the tree says at');
      const { outputs } = await sandbox.release('', { inputs: set });
      expect(outputs).toMatchObject({ verdict: 'promoted' });
      expect(await sandbox.file('apps/podinfo.env')).toBe('MESSAGE=new\nOTHER=x\n');
      const again = await sandbox.release('', { inputs: set });
      expect(again.outputs).toMatchObject({ verdict: 'unchanged' });
    });
  });

  it('is taken back with the release', async ({ expect }) => {
    await withSandbox({ files: FILES, rollout: ROLLOUT }, async sandbox => {
      sandbox.cluster.setMetric('prod/podinfo', 'success', 90);
      const { outputs } = await sandbox.release('', { inputs: { set: 'message=bad' } });
      expect(outputs).toMatchObject({ verdict: 'rolled-back' });
      expect(await sandbox.file('apps/podinfo.env')).toBe(FILES['apps/podinfo.env']);
      expect(sandbox.github.checkRuns(SOURCE).at(-1)?.conclusion).toBe('failure');
    });
  });
});
