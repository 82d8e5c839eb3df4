import { describe, it } from 'vitest';
import { deployment } from '../../sandbox/podinfo.ts';
import { midAnalysis, withSandbox } from './with-sandbox.ts';

const KUSTOMIZATION = 'namespace: prod\nresources:\n- ../base\n- canary.yaml\n';
const FILES = {
  'apps/deployment.yaml': null,
  'apps/kustomization.yaml': KUSTOMIZATION,
  'base/deployment.yaml': deployment(),
  'base/kustomization.yaml': 'resources: [deployment.yaml]\n',
};
const ROLLOUT =
  'gitops: {repository: acme/fleet}\ntarget: [prod/podinfo]\nwrite: overlay\nchange: [{env: ERROR_FRACTION}]\n';

describe.concurrent('write: overlay', () => {
  it('a variable is released by a patch of this environment', async ({ expect }) => {
    await withSandbox({ files: FILES, rollout: ROLLOUT }, async sandbox => {
      const { outputs } = await sandbox.release('', { inputs: { set: 'ERROR_FRACTION=1' } });
      expect(outputs).toMatchObject({ verdict: 'promoted' });
      expect(await sandbox.file('base/deployment.yaml')).toBe(FILES['base/deployment.yaml']);
      expect(await sandbox.file('apps/podinfo-env-error-fraction.yaml')).toContain('value: "1"');
    });
  });

  it('a cancel ends the analysis by an id that stays in its patch; the value goes', async ({ expect }) => {
    await withSandbox({ files: FILES, rollout: ROLLOUT }, async sandbox => {
      const running = await sandbox.start({ inputs: { set: 'ERROR_FRACTION=1' }, rate: 1 });
      const goOn = await midAnalysis(sandbox);
      running.cancel();
      await running.done;
      goOn();
      const post = await running.post();
      expect(post?.log.text).toContain('cancelled (job-cancelled)');
      const kustomization = await sandbox.file('apps/kustomization.yaml');
      expect(kustomization).toBe(`${KUSTOMIZATION}patches:\n- path: podinfo-rollout.yaml\n`);
      expect(await sandbox.file('apps/podinfo-env-error-fraction.yaml')).toBeUndefined();
      // Flagger saw another revision, and what serves is what served.
      const { id } = sandbox.template('podinfo');
      expect(await sandbox.file('apps/podinfo-rollout.yaml')).toContain(id);
      await sandbox.waitForPhase('Succeeded');
    });
  });
});
