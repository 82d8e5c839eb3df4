import { describe, it } from 'vitest';
import { canary, deployment, KUSTOMIZATION } from '../../sandbox/podinfo.ts';
import { FLEET, ROLLOUT, type SandboxOptions } from '../../sandbox/sandbox.ts';
import { withSandbox } from './with-sandbox.ts';

const API = `${deployment({ name: 'api' })}---\n${canary({ name: 'api', analysis: '    stepWeight: 10\n    maxWeight: 50\n' })}`;
const TWO: SandboxOptions = {
  files: { 'apps/api.yaml': API, 'apps/kustomization.yaml': `${KUSTOMIZATION}- api.yaml\n` },
  rollout: `${ROLLOUT.replace('[prod/podinfo]', '[prod/podinfo, prod/api]')}barrier: true\n`,
};
/** The Canary of podinfo is edited by the same commit. */
const WITH_EDIT: SandboxOptions = {
  ...TWO,
  rollout: `${TWO.rollout}canary: {prod/podinfo: {analysis: {threshold: 3}}}\n`,
};

describe.concurrent('canaries behind a barrier', () => {
  it('are promoted together; what else the commit changed in a Canary stays', async ({ expect }) => {
    await withSandbox(WITH_EDIT, async sandbox => {
      const running = await sandbox.start({ inputs: { set: 'image=6.14.1' } });
      await sandbox.waitForPhase('WaitingPromotion');
      expect(sandbox.phase('api')).toBe('Progressing');
      expect(await sandbox.file('apps/canary.yaml')).toContain('gated-rollout-barrier');
      const { outputs } = await running.done;
      expect(outputs).toMatchObject({ verdict: 'promoted', reason: 'analysed' });
      for (const name of ['podinfo', 'api']) expect(sandbox.template(`${name}-primary`).tag).toBe('6.14.1');
      expect(await sandbox.file('apps/canary.yaml')).toBe(canary().replace('threshold: 2', 'threshold: 3'));
      expect((await sandbox.titles()).slice(0, 2)).toEqual([
        'Promote podinfo: all canaries passed',
        'Release podinfo: image ghcr.io/stefanprodan/podinfo 6.14.1',
      ]);
    });
  });

  it('are taken up by the next run when the machine is lost while they wait', async ({ expect }) => {
    await withSandbox(TWO, async sandbox => {
      const lost = await sandbox.start({ inputs: { set: 'image=6.14.1' } });
      await sandbox.waitForPhase('WaitingPromotion');
      lost.kill();
      await lost.done;
      const sweep = await sandbox.start({ inputs: { mode: 'sweep' } });
      expect((await sweep.done).outputs).toMatchObject({ verdict: 'promoted' });
      for (const name of ['podinfo', 'api']) expect(sandbox.template(`${name}-primary`).tag).toBe('6.14.1');
      expect(await sandbox.file('apps/api.yaml')).not.toContain('gated-rollout-barrier');
    });
  });

  it('are reverted whole when a promotion fails after the barrier was opened', async ({ expect }) => {
    const slow = deployment().replace(
      'spec:\n  selector',
      'spec:\n  progressDeadlineSeconds: 30\n  selector',
    );
    const files = { ...WITH_EDIT.files, 'apps/deployment.yaml': slow };
    await withSandbox({ ...WITH_EDIT, files }, async sandbox => {
      sandbox.cluster.neverReady('ghcr.io/stefanprodan/podinfo:6.14.1', 'podinfo-primary');
      const { outputs } = await sandbox.release('6.14.1');
      expect(outputs).toMatchObject({ verdict: 'promotion-failed', reason: 'primary-not-ready' });
      expect(await sandbox.file('apps/canary.yaml')).toBe(canary());
      expect(await sandbox.file('apps/deployment.yaml')).toBe(slow);
      expect((await sandbox.titles()).map(title => title.split(' ')[0])).toEqual([
        'Revert',
        'Promote',
        'Release',
        'Initial',
      ]);
    });
  });

  it('are promoted although someone changed another line of a Canary meanwhile', async ({ expect }) => {
    await withSandbox(TWO, async sandbox => {
      const running = await sandbox.start({ inputs: { set: 'image=6.14.1' } });
      await sandbox.waitForPhase('WaitingPromotion');
      const ours = (await sandbox.file('apps/canary.yaml')) ?? '';
      await sandbox.github.push(FLEET, {
        files: { 'apps/canary.yaml': `# a remark\n${ours}` },
        message: 'Remark',
      });
      const { outputs } = await running.done;
      expect(outputs).toMatchObject({ verdict: 'promoted' });
      expect(await sandbox.file('apps/canary.yaml')).toBe(`# a remark\n${canary()}`);
    });
  });

  it('ask a person when someone changed a gate meanwhile, so that the barrier cannot be taken out', async ({
    expect,
  }) => {
    await withSandbox(TWO, async sandbox => {
      const running = await sandbox.start({ inputs: { set: 'image=6.14.1' } });
      await sandbox.waitForPhase('WaitingPromotion');
      const ours = (await sandbox.file('apps/canary.yaml')) ?? '';
      await sandbox.github.push(FLEET, {
        files: { 'apps/canary.yaml': ours.replace(/(type: confirm-promotion)$/m, '$1 # a remark') },
        message: 'Remark',
      });
      const { outputs } = await running.done;
      expect(outputs).toMatchObject({ verdict: 'revert-blocked', reason: 'changed-since' });
      expect(outputs['result']).toContain('barrier could not be taken out of Git');
      expect(sandbox.github.pullRequests(FLEET)).toHaveLength(1);
    });
  });

  it('need several targets', async ({ expect }) => {
    await withSandbox({ rollout: `${ROLLOUT}barrier: true\n` }, async sandbox => {
      const { outputs, log } = await sandbox.release('6.14.1');
      expect(outputs).toMatchObject({ verdict: 'refused', reason: 'bad-config' });
      expect(log.text).toContain('rollout.yaml:4:10: barrier: A barrier lets several canaries wait');
      expect(await sandbox.titles()).toEqual(['Initial commit']);
    });
  });
});
