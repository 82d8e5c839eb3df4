import { describe, type ExpectStatic, it } from 'vitest';
import { valueAt } from '../../sandbox/cluster/kube-object.ts';
import { imageUpdateAutomation } from '../../sandbox/image-automation.ts';
import { deployment, KUSTOMIZATION } from '../../sandbox/podinfo.ts';
import { FLEET, ROLLOUT, type Sandbox, type SandboxOptions } from '../../sandbox/sandbox.ts';
import type { RunningAction } from '../../sandbox/runner/run-action.ts';
import { hidePushes, personalToken } from './forged-commits.ts';
import { withSandbox } from './with-sandbox.ts';

const MARKER = '{"$imagepolicy": "flux-system:podinfo"}';
const MARKED = deployment().replace('# the version', `# ${MARKER}`);
/** The version stands in the kustomization, as most fleets have it. */
const TAG = `images:\n- name: ghcr.io/stefanprodan/podinfo\n  newTag: 6.14.0 # {"$imagepolicy": "flux-system:podinfo:tag"}\n`;
const IN_KUSTOMIZATION = `${KUSTOMIZATION}${TAG}`;

async function withAutomation(
  mode: 'suspend' | 'follow',
  scenario: (sandbox: Sandbox) => Promise<void>,
  options: SandboxOptions = {},
): Promise<void> {
  const rollout = `${ROLLOUT}image-automation: ${mode}\n`;
  const files = { 'apps/deployment.yaml': MARKED };
  await withSandbox({ files, rollout, ...options }, async sandbox => {
    sandbox.cluster.apply(imageUpdateAutomation());
    await scenario(sandbox);
  });
}

function automation(sandbox: Sandbox, name = 'podinfo') {
  const object = sandbox.cluster.get('ImageUpdateAutomation', 'flux-system', name);
  const annotations = object?.metadata.annotations ?? {};
  return {
    suspended: valueAt(object, 'spec', 'suspend') === true,
    heldFor: annotations['gated-rollout/suspended-for'],
    keptFor: annotations['gated-rollout/kept-suspended-for'],
  };
}

const AT_WORK = { suspended: false, heldFor: undefined, keptFor: undefined };
const RESUME = 'flux resume image update podinfo -n flux-system';

/** In the middle of its analysis; Flagger goes no further until `goOn` is called. */
async function analysing(sandbox: Sandbox, running: RunningAction): Promise<() => void> {
  await sandbox.waitForPhase('Progressing');
  sandbox.cluster.faults.pauseFlagger(true);
  while (!running.log.text.includes('% of traffic')) await new Promise(resolve => setTimeout(resolve, 50));
  return () => sandbox.cluster.faults.pauseFlagger(false);
}

async function isBack(sandbox: Sandbox, expect: ExpectStatic): Promise<void> {
  expect(sandbox.template('podinfo').tag).toBe('6.14.0');
  expect(sandbox.template('podinfo-primary').tag).toBe('6.14.0');
  expect(sandbox.phase()).not.toBe('Progressing');
}

describe.concurrent('image-automation: suspend', () => {
  it('suspends image automation for the rollout, and resumes it when promoted', async ({ expect }) => {
    await withAutomation('suspend', async sandbox => {
      const running = await sandbox.start({ inputs: { set: 'image=6.14.1' } });
      await sandbox.waitForPhase('Progressing');
      const during = automation(sandbox);
      expect(during).toMatchObject({ suspended: true, keptFor: undefined });
      expect(during.heldFor).toMatch(/^podinfo-/);
      const { outputs } = await running.done;
      expect(outputs).toMatchObject({ verdict: 'promoted' });
      expect(automation(sandbox)).toEqual(AT_WORK);
      expect(outputs['result']).toContain('ImageUpdateAutomation flux-system/podinfo goes on again');
    });
  });

  it('keeps it suspended when the release is taken back, and says how to resume it', async ({ expect }) => {
    await withAutomation('suspend', async sandbox => {
      sandbox.cluster.setMetric('prod/podinfo', 'success', 90);
      const running = await sandbox.start({ inputs: { set: 'image=6.14.2' } });
      await sandbox.waitForPhase('Progressing');
      // It would write the bad version again at once.
      sandbox.imageAutomation.finds('6.14.2');
      const { outputs } = await running.done;
      expect(outputs).toMatchObject({ verdict: 'rolled-back', reason: 'metric-out-of-range' });
      expect(outputs['result']).toContain(RESUME);
      expect(automation(sandbox)).toMatchObject({ suspended: true, heldFor: undefined });
      expect(automation(sandbox).keptFor).toMatch(/^podinfo-/);
      await sandbox.imageAutomation.reconcile();
      expect(await sandbox.file('apps/deployment.yaml')).toBe(MARKED);
      await isBack(sandbox, expect);
      // The next release goes well, and image automation is still a person's to resume.
      sandbox.cluster.setMetric('prod/podinfo', 'success', 100);
      const next = await sandbox.release('6.14.3');
      expect(next.outputs).toMatchObject({ verdict: 'promoted' });
      expect(next.outputs['result']).toContain(RESUME);
      expect(automation(sandbox)).toMatchObject({ suspended: true, heldFor: undefined });
    });
  });

  it('leaves alone what a person has suspended', async ({ expect }) => {
    await withAutomation('suspend', async sandbox => {
      const name = { kind: 'ImageUpdateAutomation', namespace: 'flux-system', name: 'podinfo' };
      sandbox.cluster.patch(name, { spec: { suspend: true } });
      const { outputs } = await sandbox.release('6.14.1');
      expect(outputs).toMatchObject({ verdict: 'promoted' });
      expect(outputs['result']).toContain('is suspended already, and not by us');
      expect(automation(sandbox)).toEqual({ ...AT_WORK, suspended: true });
    });
  });

  it('suspends only what writes to the branch and the file', async ({ expect }) => {
    await withAutomation('suspend', async sandbox => {
      sandbox.cluster.apply(imageUpdateAutomation({ name: 'elsewhere', path: './infrastructure' }));
      sandbox.cluster.apply(imageUpdateAutomation({ name: 'proposes', push: 'image-updates' }));
      const running = await sandbox.start({ inputs: { set: 'image=6.14.1' } });
      await sandbox.waitForPhase('Progressing');
      expect(automation(sandbox).suspended).toBe(true);
      expect(automation(sandbox, 'elsewhere')).toEqual(AT_WORK);
      expect(automation(sandbox, 'proposes')).toEqual(AT_WORK);
      expect((await running.done).outputs).toMatchObject({ verdict: 'promoted' });
    });
  });

  it('refuses without the right to suspend it, before anything is written', async ({ expect }) => {
    await withAutomation('suspend', async sandbox => {
      const kubeconfig = sandbox.cluster.addUser({
        name: 'reader',
        forbidden: ['patch imageupdateautomations'],
      });
      const { outputs } = await sandbox.release('6.14.1', { inputs: { kubeconfig } });
      expect(outputs).toMatchObject({ verdict: 'refused', reason: 'cluster-forbidden' });
      expect(outputs['result']).toContain('get, list and patch on imageupdateautomations');
      expect(await sandbox.titles()).toEqual(['Initial commit']);
      expect(automation(sandbox)).toEqual(AT_WORK);
    });
  });

  it('refuses where the cluster has no image automation', async ({ expect }) => {
    await withAutomation('suspend', async sandbox => {
      sandbox.cluster.faults.unserve('imageupdateautomations');
      const { outputs } = await sandbox.release('6.14.1');
      expect(outputs).toMatchObject({ verdict: 'refused', reason: 'image-automation' });
      expect(await sandbox.titles()).toEqual(['Initial commit']);
    });
  });

  it('resumes it when nothing was committed', async ({ expect }) => {
    await withAutomation('suspend', async sandbox => {
      sandbox.github.setRulesets(FLEET, [
        { id: 1, name: 'main', branches: ['main'], rules: [{ type: 'pull_request' }] },
      ]);
      sandbox.github.fault({ path: /rules\/branches/, effect: { kind: 'respond', status: 404 } });
      const { outputs } = await sandbox.release('6.14.1');
      expect(outputs).toMatchObject({ verdict: 'refused', reason: 'branch-protected' });
      expect(automation(sandbox)).toEqual(AT_WORK);
    });
  });

  it('a post step that takes the release back resumes nothing', async ({ expect }) => {
    await withAutomation('suspend', async sandbox => {
      const running = await sandbox.start({ inputs: { set: 'image=6.14.1' } });
      const goOn = await analysing(sandbox, running);
      running.kill();
      await running.done;
      const post = running.post();
      await sandbox.cluster.waitUntil('it is taken back', () => sandbox.template('podinfo').tag === '6.14.0');
      goOn();
      expect((await post).log.text).toContain('cancelled (job-cancelled)');
      expect(automation(sandbox)).toMatchObject({ suspended: true, heldFor: undefined });
      expect((await post).log.text).toContain(RESUME);
      expect(sandbox.template('podinfo').tag).toBe('6.14.0');
      expect(sandbox.template('podinfo-primary').tag).toBe('6.14.0');
    });
  });

  it('a main that is killed before its commit: post resumes it', async ({ expect }) => {
    await withAutomation('suspend', async sandbox => {
      const running = await sandbox.start({ inputs: { set: 'image=6.14.1' } });
      sandbox.github.onRequest(({ method, path }) => {
        if (method === 'POST' && path.endsWith('/git/trees')) running.kill();
      });
      await running.done;
      expect(automation(sandbox).suspended).toBe(true);
      const post = await running.post();
      expect(post.log.text).toContain('goes on again');
      expect(automation(sandbox)).toEqual(AT_WORK);
      expect(await sandbox.titles()).toEqual(['Initial commit']);
    });
  });

  it('a lost machine: a sweep ends the rollout and resumes image automation', async ({ expect }) => {
    await withAutomation('suspend', async sandbox => {
      const lost = await sandbox.start({ inputs: { set: 'image=6.14.1' } });
      const goOn = await analysing(sandbox, lost);
      lost.kill();
      await lost.done;
      const sweep = await sandbox.start({ inputs: { mode: 'sweep' } });
      while (!sweep.log.text.includes('left unfinished'))
        await new Promise(resolve => setTimeout(resolve, 50));
      goOn();
      expect((await sweep.done).outputs).toMatchObject({ verdict: 'promoted' });
      expect(automation(sandbox)).toEqual(AT_WORK);
    });
  });

  it('a lost machine whose commit nothing proves to be ours: it stays suspended, and that is said', async ({
    expect,
  }) => {
    await withAutomation('suspend', async sandbox => {
      sandbox.cluster.setMetric('prod/podinfo', 'success', 90);
      const { inputs } = personalToken(sandbox);
      const lost = await sandbox.start({ inputs: { ...inputs, set: 'image=6.14.1' } });
      const goOn = await analysing(sandbox, lost);
      lost.kill();
      await lost.done;
      goOn();
      await sandbox.waitForPhase('Failed');
      hidePushes(sandbox);
      const event = { name: 'schedule', payload: {} };
      const swept = await sandbox.start({ inputs: { ...inputs, mode: 'sweep' }, event });
      const { outputs } = await swept.done;
      // The target carries a release that nobody ended, and that is nobody's: no sweep is green over it.
      expect(outputs).toMatchObject({ verdict: 'unknown', reason: 'left-unseen' });
      expect(outputs['result']).toContain(RESUME);
      expect(automation(sandbox).suspended).toBe(true);
    });
  });

  it('a lost machine before the commit: the next run resumes it', async ({ expect }) => {
    await withAutomation('suspend', async sandbox => {
      const lost = 'podinfo-0123abc-1.1-zzzz';
      const name = { kind: 'ImageUpdateAutomation', namespace: 'flux-system', name: 'podinfo' };
      sandbox.cluster.patch(name, {
        metadata: { annotations: { 'gated-rollout/suspended-for': `${lost} other-0123abc-1.1-zzzz` } },
        spec: { suspend: true },
      });
      const sweep = await sandbox.start({ inputs: { mode: 'sweep' } });
      expect((await sweep.done).outputs).toMatchObject({ verdict: 'unchanged', reason: 'nothing-to-sweep' });
      expect(automation(sandbox)).toMatchObject({ suspended: true, heldFor: 'other-0123abc-1.1-zzzz' });
    });
  });
});

describe.concurrent('image-automation: follow', () => {
  it('promoted: the commit of image automation is waited for and followed; we write nothing', async ({
    expect,
  }) => {
    await withAutomation('follow', async sandbox => {
      const running = await sandbox.start({ inputs: { set: 'image=6.14.1' } });
      while (!running.log.text.includes('Waiting for image automation to write 6.14.1')) {
        await new Promise(resolve => setTimeout(resolve, 50));
      }
      sandbox.imageAutomation.finds('6.14.1');
      const { outputs } = await running.done;
      expect(outputs).toMatchObject({ verdict: 'promoted', reason: 'analysed' });
      expect(await sandbox.titles()).toEqual(['Update from image update automation', 'Initial commit']);
      expect(outputs['commit-sha']).toBe(await sandbox.github.head(FLEET));
      expect(sandbox.template('podinfo-primary')).toEqual({ tag: '6.14.1', id: '' });
      expect(automation(sandbox)).toEqual(AT_WORK);
    });
  });

  it('rolled-back: image automation is suspended, and only our paths of its commit are taken back', async ({
    expect,
  }) => {
    const files = {
      'apps/kustomization.yaml': IN_KUSTOMIZATION,
      'apps/other/notes.yaml': `version: 1 # {"$imagepolicy": "flux-system:podinfo:tag"}\n`,
    };
    await withAutomation(
      'follow',
      async sandbox => {
        sandbox.cluster.setMetric('prod/podinfo', 'success', 90);
        const running = await sandbox.start({ inputs: { set: 'image=6.14.2' } });
        sandbox.imageAutomation.finds('6.14.2');
        const { outputs } = await running.done;
        expect(outputs).toMatchObject({ verdict: 'rolled-back', reason: 'metric-out-of-range' });
        expect(outputs['result']).toContain(RESUME);
        expect(automation(sandbox)).toMatchObject({ suspended: true, heldFor: undefined });
        await sandbox.imageAutomation.reconcile();
        expect(await sandbox.file('apps/kustomization.yaml')).toBe(IN_KUSTOMIZATION);
        expect(await sandbox.file('apps/deployment.yaml')).toBe(deployment());
        expect(await sandbox.file('apps/other/notes.yaml')).toContain('version: 6.14.2');
        await isBack(sandbox, expect);
        expect((await sandbox.titles()).slice(1)).toEqual([
          'Update from image update automation',
          'Initial commit',
        ]);
      },
      { files },
    );
  });

  it('an analysis that was under way already is followed', async ({ expect }) => {
    await withAutomation('follow', async sandbox => {
      sandbox.cluster.setMetric('prod/podinfo', 'success', 90);
      sandbox.imageAutomation.finds('6.14.2');
      await sandbox.waitForPhase('Progressing');
      const { outputs } = await sandbox.release('6.14.2');
      expect(outputs).toMatchObject({ verdict: 'rolled-back', reason: 'metric-out-of-range' });
      expect(await sandbox.file('apps/deployment.yaml')).toBe(MARKED);
      await isBack(sandbox, expect);
    });
  });

  it('brought by a merge: taken back to what the branch said before it, and to nothing in between', async ({
    expect,
  }) => {
    await withAutomation('follow', async sandbox => {
      sandbox.cluster.setMetric('prod/podinfo', 'success', 90);
      const branch = 'bump';
      const unseen = MARKED.replace("value: '0'", "value: 'nobody reviewed this'");
      const bump = MARKED.replace('6.14.0', '6.14.2');
      await sandbox.github.push(FLEET, { branch, files: { 'apps/deployment.yaml': unseen }, message: 'Try' });
      await sandbox.github.push(FLEET, { branch, files: { 'apps/deployment.yaml': bump }, message: 'Bump' });
      const wanted = { title: 'Bump', head: branch, base: 'main', user: 'mallory' };
      const pull = await sandbox.github.openPullRequest(FLEET, wanted);
      await sandbox.github.mergePullRequest(FLEET, pull, { method: 'merge' });
      const { outputs } = await sandbox.release('6.14.2');
      expect(outputs).toMatchObject({ verdict: 'rolled-back' });
      expect(await sandbox.file('apps/deployment.yaml')).toBe(MARKED);
    });
  });

  it('what stood before was rejected itself: a pull request asks, and image automation is suspended', async ({
    expect,
  }) => {
    await withAutomation('follow', async sandbox => {
      sandbox.cluster.setMetric('prod/podinfo', 'success', 90);
      await sandbox.github.push(FLEET, {
        files: { 'apps/deployment.yaml': MARKED.replace('6.14.0', '6.14.1') },
        message: 'By hand, and bad',
      });
      await sandbox.waitForPhase('Failed');
      const running = await sandbox.start({ inputs: { set: 'image=6.14.2' } });
      sandbox.imageAutomation.finds('6.14.2');
      const { outputs } = await running.done;
      expect(outputs).toMatchObject({ verdict: 'revert-blocked', reason: 'no-restore-point' });
      expect(outputs['result']).toContain('apps/deployment.yaml said 6.14.1');
      expect(sandbox.github.pullRequests(FLEET)).toHaveLength(1);
      expect(automation(sandbox).suspended).toBe(true);
    });
  });

  it('what was promoted before we came is proven to run', async ({ expect }) => {
    await withAutomation('follow', async sandbox => {
      sandbox.imageAutomation.finds('6.14.1');
      await sandbox.waitForPhase('Succeeded');
      const { outputs } = await sandbox.release('6.14.1');
      expect(outputs).toMatchObject({ verdict: 'unchanged', reason: 'already-running' });
    });
  });

  it('image automation never comes: refused, and where to look', async ({ expect }) => {
    await withAutomation('follow', async sandbox => {
      const { outputs } = await sandbox.release('6.14.1', { inputs: { 'apply-timeout': '30s' } });
      expect(outputs).toMatchObject({ verdict: 'refused', reason: 'image-automation' });
      expect(outputs['result']).toContain('apps/deployment.yaml:16, which still says 6.14.0');
      expect(await sandbox.titles()).toEqual(['Initial commit']);
    });
  });

  it('image automation is suspended: refused at once', async ({ expect }) => {
    await withAutomation('follow', async sandbox => {
      const name = { kind: 'ImageUpdateAutomation', namespace: 'flux-system', name: 'podinfo' };
      sandbox.cluster.patch(name, { spec: { suspend: true } });
      const { outputs } = await sandbox.release('6.14.1');
      expect(outputs).toMatchObject({ verdict: 'refused', reason: 'image-automation' });
      expect(outputs['result']).toContain(RESUME);
    });
  });

  it.for([
    ['its own manifest', { 'apps/kustomization.yaml': IN_KUSTOMIZATION }, 'apps/deployment.yaml'],
    [
      'a patch of this environment',
      {
        'apps/deployment.yaml': null,
        'base/deployment.yaml': deployment(),
        'base/kustomization.yaml': 'resources: [deployment.yaml]\n',
        'apps/kustomization.yaml': IN_KUSTOMIZATION.replace('- deployment.yaml', '- ../base'),
      },
      'apps/podinfo-rollout.yaml',
    ],
  ] as const)(
    'cancelled while it is analysed: the id that ends that goes into %s',
    async ([_where, files, stamped], { expect }) => {
      await withAutomation(
        'follow',
        async sandbox => {
          const running = await sandbox.start({ inputs: { set: 'image=6.14.1' }, rate: 1 });
          sandbox.imageAutomation.finds('6.14.1');
          const goOn = await analysing(sandbox, running);
          running.cancel();
          const main = await running.done;
          expect(main.outputs).toMatchObject({ verdict: 'revert-unverified', reason: 'job-cancelled' });
          expect((await sandbox.titles())[0]).toContain('Revert release of podinfo');
          expect(automation(sandbox)).toMatchObject({ suspended: true, heldFor: undefined });
          goOn();
          const post = await running.post();
          expect(post.log.text).toContain('cancelled (job-cancelled)');
          expect(await sandbox.file('apps/kustomization.yaml')).toContain('newTag: 6.14.0');
          expect(await sandbox.file(stamped)).toMatch(/gated-rollout\/id: podinfo-.*-revert/);
          expect(sandbox.template('podinfo').tag).toBe('6.14.0');
          expect(sandbox.template('podinfo-primary').tag).toBe('6.14.0');
        },
        { files },
      );
    },
  );

  it('a main that is killed: post takes the commit of image automation back', async ({ expect }) => {
    await withAutomation('follow', async sandbox => {
      const running = await sandbox.start({ inputs: { set: 'image=6.14.1' } });
      sandbox.imageAutomation.finds('6.14.1');
      const goOn = await analysing(sandbox, running);
      running.kill();
      await running.done;
      const post = running.post();
      await sandbox.cluster.waitUntil('it is taken back', () => sandbox.template('podinfo').tag === '6.14.0');
      goOn();
      expect((await post).log.text).toContain('cancelled (job-cancelled)');
      expect(automation(sandbox)).toMatchObject({ suspended: true, heldFor: undefined });
      expect(sandbox.template('podinfo').tag).toBe('6.14.0');
      expect(sandbox.template('podinfo-primary').tag).toBe('6.14.0');
    });
  });
});
