import { describe, it } from 'vitest';
import { secondaryRateLimit } from '../../sandbox/github/faults.ts';
import { canary, deployment, KUSTOMIZATION } from '../../sandbox/podinfo.ts';
import { FLEET, ROLLOUT, SOURCE } from '../../sandbox/sandbox.ts';
import { midAnalysis, revertPushed, until, withSandbox } from './with-sandbox.ts';

const NEVER_GREEN = ['promoted', 'unchanged', 'initialized', 'pending'];

describe.concurrent('what interrupts a rollout', () => {
  it('a main that never hears the cancel: post reverts, and main writes nothing more', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      const running = await sandbox.start({ inputs: { set: 'image=6.14.1' }, deaf: true });
      const goOn = await midAnalysis(sandbox);
      running.cancel();
      const posting = running.post();
      await revertPushed(sandbox);
      goOn();
      const post = await posting;
      expect(post.log.text).toContain('cancelled (job-cancelled)');
      const main = await running.done;
      expect(main.log.text).toContain('The post step has taken this rollout over');
      expect((await sandbox.titles()).filter(title => title.startsWith('Revert'))).toHaveLength(1);
      expect(sandbox.template('podinfo').tag).toBe('6.14.0');
      expect(sandbox.github.checkRuns(SOURCE)).toMatchObject([{ conclusion: 'cancelled' }]);
    });
  });

  it('a main that is killed: post reverts and proves the cluster back', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      const running = await sandbox.start({ inputs: { set: 'image=6.14.1' } });
      const goOn = await midAnalysis(sandbox);
      running.kill();
      expect((await running.done).signal).toBe('SIGKILL');
      const posting = running.post();
      await revertPushed(sandbox);
      goOn();
      const post = await posting;
      expect(post.log.text).toContain('cancelled (job-cancelled)');
      expect(sandbox.template('podinfo').tag).toBe('6.14.0');
      expect(sandbox.template('podinfo-primary').tag).toBe('6.14.0');
    });
  });

  it('a main that is killed after Flagger promoted: post accepts that and reverts nothing', async ({
    expect,
  }) => {
    await withSandbox({}, async sandbox => {
      const running = await sandbox.start({ inputs: { set: 'image=6.14.1' } });
      const goOn = await midAnalysis(sandbox);
      running.kill();
      await running.done;
      goOn();
      await sandbox.waitForPhase('Succeeded');
      const post = await running.post();
      expect(post.log.text).toContain('promoted (analysed)');
      expect(await sandbox.titles()).toHaveLength(2);
      expect(sandbox.github.checkRuns(SOURCE)).toMatchObject([{ conclusion: 'success' }]);
    });
  });

  it('a lost machine: the next run ends the rollout first, then releases its own', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      sandbox.cluster.setMetric('prod/podinfo', 'success', 90);
      const lost = await sandbox.start({ inputs: { set: 'image=6.14.1' } });
      const goOn = await midAnalysis(sandbox);
      lost.kill();
      await lost.done;
      goOn();
      await sandbox.waitForPhase('Failed');
      sandbox.cluster.setMetric('prod/podinfo', 'success', 100);
      const next = await sandbox.release('6.14.2');
      expect(next.outputs).toMatchObject({ verdict: 'promoted' });
      expect((await sandbox.titles()).map(title => title.split(' ')[0])).toEqual([
        'Release',
        'Revert',
        'Release',
        'Initial',
      ]);
      expect(sandbox.github.checkRuns(SOURCE).map(({ conclusion }) => conclusion)).toEqual([
        'failure',
        'success',
      ]);
      expect(sandbox.template('podinfo-primary').tag).toBe('6.14.2');
    });
  });

  it('a cancel before the commit: nothing is written', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      sandbox.github.fault({ path: /\/git\/trees/, method: 'GET', effect: { kind: 'delay', ms: 1_500 } });
      const running = await sandbox.start({ inputs: { set: 'image=6.14.1' }, rate: 1 });
      while (!sandbox.github.requests.some(({ path }) => path.includes('/git/trees'))) {
        await new Promise(resolve => setTimeout(resolve, 20));
      }
      running.cancel();
      const main = await running.done;
      expect(main.outputs).toMatchObject({ verdict: 'cancelled', reason: 'job-cancelled' });
      expect(await sandbox.titles()).toEqual(['Initial commit']);
    });
  });
});

describe.concurrent('what goes wrong on the way does not change the verdict', () => {
  it('the answer to the push is lost: the commit is there once, and is followed', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      sandbox.github.fault({
        path: /\/git\/refs\//,
        method: 'PATCH',
        times: 1,
        effect: { kind: 'lost-answer', answer: 502 },
      });
      const { outputs } = await sandbox.release('6.14.1');
      expect(outputs).toMatchObject({ verdict: 'promoted' });
      expect(await sandbox.titles()).toHaveLength(2);
    });
  });

  it('a secondary limit, a slow body and a reset connection are waited out', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      sandbox.github.fault({ path: /\/git\/commits$/, method: 'POST', effect: secondaryRateLimit(1) });
      sandbox.github.fault({ path: /\/git\/trees/, method: 'GET', effect: { kind: 'slow-body', ms: 200 } });
      sandbox.github.fault({ path: /\/git\/ref\//, method: 'GET', effect: { kind: 'reset' } });
      const { outputs } = await sandbox.release('6.14.1');
      expect(outputs).toMatchObject({ verdict: 'promoted' });
    });
  });

  it('another push wins the race: ours is built anew on it', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      let raced = false;
      sandbox.github.onRequest(async ({ method, path }) => {
        if (raced || method !== 'PATCH' || !path.includes('/git/refs/')) return;
        raced = true;
        await sandbox.github.push(FLEET, { files: { 'README.md': 'other' }, message: 'Other' });
      });
      const { outputs } = await sandbox.release('6.14.1');
      expect(outputs).toMatchObject({ verdict: 'promoted' });
      expect((await sandbox.titles()).slice(1)).toEqual(['Other', 'Initial commit']);
    });
  });

  it('the branch is protected: refused, named, nothing left behind', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      sandbox.github.setRulesets(FLEET, [
        { id: 1, name: 'main', branches: ['main'], rules: [{ type: 'pull_request' }] },
      ]);
      const { outputs } = await sandbox.release('6.14.1');
      expect(outputs).toMatchObject({ verdict: 'refused', reason: 'branch-protected' });
      expect(await sandbox.titles()).toEqual(['Initial commit']);
    });
  });

  it('the API server goes away for a while, watches break, and 401, 410 and 500 are answered', async ({
    expect,
  }) => {
    await withSandbox({}, async sandbox => {
      const running = await sandbox.start({ inputs: { set: 'image=6.14.1' } });
      await sandbox.waitForPhase('Progressing');
      sandbox.cluster.faults.dropWatches();
      sandbox.cluster.faults.answerNext(500, 401, 410, 503);
      await sandbox.cluster.faults.down(15_000);
      const { outputs } = await running.done;
      expect(outputs).toMatchObject({ verdict: 'promoted' });
    });
  });

  it('no right to watch or to ask Flux to reconcile: only slower', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      const kubeconfig = sandbox.cluster.addUser({
        name: 'reader',
        forbidden: ['watch *', 'patch gitrepositories', 'list events', 'list replicasets'],
      });
      const { outputs } = await sandbox.release('6.14.1', { inputs: { kubeconfig } });
      expect(outputs).toMatchObject({ verdict: 'promoted' });
    });
  });

  it('rights that no rollout goes without: refused, and all of them named, as the lines to add', async ({
    expect,
  }) => {
    await withSandbox({}, async sandbox => {
      const forbidden = ['list canaries', 'get kustomizations', 'watch *', 'patch *'];
      const kubeconfig = sandbox.cluster.addUser({ name: 'nobody', forbidden });
      const { outputs, log } = await sandbox.release('6.14.1', { inputs: { kubeconfig } });
      expect(outputs).toMatchObject({ verdict: 'refused', reason: 'cluster-forbidden' });
      expect(outputs['result']).toContain(
        'lack 2 rights: list canaries.flagger.app in prod; get kustomizations.kustomize.toolkit.fluxcd.io in flux-system.',
      );
      expect(log.text).toContain(
        'rules of a Role in flux-system:\n- {apiGroups: [kustomize.toolkit.fluxcd.io], resources: [kustomizations], verbs: [get]}',
      );
    });
  });

  it.for([403, 502])(
    'every report is answered with %i: same verdict, same revert',
    async (status, { expect }) => {
      await withSandbox({}, async sandbox => {
        sandbox.github.fault({
          path: /check-runs|\/comments|\/pulls/,
          times: 1_000,
          effect: { kind: 'respond', status },
        });
        sandbox.cluster.setMetric('prod/podinfo', 'success', 90);
        const { outputs, log } = await sandbox.release('6.14.1');
        expect(outputs).toMatchObject({ verdict: 'rolled-back' });
        expect(await sandbox.file('apps/deployment.yaml')).toBe(deployment());
        expect(log.text).toContain('The check run');
      });
    },
  );
});

describe.concurrent('order of releases', () => {
  it('never releases a commit of our own', async ({ expect }) => {
    const rollout = ROLLOUT.replace('gitops: {repository: acme/fleet}\n', '');
    await withSandbox({}, async sandbox => {
      const token = sandbox.github.addToken({ kind: 'app', slug: 'rollout', repositories: [FLEET] });
      const inFleet = { repository: FLEET, token, workspace: { 'rollout.yaml': rollout } };
      const first = await sandbox.release('6.14.1', {
        ...inFleet,
        sha: (await sandbox.github.head(FLEET)) ?? '',
      });
      expect(first.outputs).toMatchObject({ verdict: 'promoted' });
      const second = await sandbox.release('6.14.1', {
        ...inFleet,
        sha: (await sandbox.github.head(FLEET)) ?? '',
      });
      expect(second.outputs).toMatchObject({ verdict: 'unchanged', reason: 'own-commit' });
    });
  });

  it('never overtakes a newer release, unless told to', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      const old = await sandbox.commitSource();
      const newer = await sandbox.release('6.14.2');
      expect(newer.outputs).toMatchObject({ verdict: 'promoted' });
      const late = await sandbox.release('6.14.1', { sha: old });
      expect(late.outputs).toMatchObject({ verdict: 'superseded', reason: 'source-is-older' });
      expect(await sandbox.titles()).toHaveLength(2);
      const wanted = await sandbox.release('6.14.1', { sha: old, inputs: { 'allow-downgrade': 'true' } });
      expect(wanted.outputs).toMatchObject({ verdict: 'promoted' });
    });
  });

  it('amended: a colleague edits the same template and keeps our id', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      const running = await sandbox.start({ inputs: { set: 'image=6.14.1' } });
      const goOn = await midAnalysis(sandbox);
      const ours = (await sandbox.file('apps/deployment.yaml')) ?? '';
      await sandbox.github.push(FLEET, {
        files: { 'apps/deployment.yaml': ours.replace("value: '0'", "value: '1'") },
        message: 'Amend',
      });
      await until(() =>
        JSON.stringify(sandbox.cluster.get('Deployment', 'prod', 'podinfo')).includes('"value":"1"'),
      );
      goOn();
      const { outputs } = await running.done;
      expect(outputs).toMatchObject({ verdict: 'superseded', reason: 'amended' });
      expect((await sandbox.titles())[0]).toBe('Amend');
    });
  });

  it('fixes forward on a release that failed and was never reverted, and reverts to what the primary runs', async ({
    expect,
  }) => {
    await withSandbox({}, async sandbox => {
      const good = await sandbox.release('6.14.1');
      expect(good.outputs).toMatchObject({ verdict: 'promoted' });
      sandbox.cluster.setMetric('prod/podinfo', 'success', 90);
      const current = (await sandbox.file('apps/deployment.yaml')) ?? '';
      await sandbox.github.push(FLEET, {
        files: {
          'apps/deployment.yaml': current
            .replace('6.14.1', '6.14.2')
            .replace(/gated-rollout\/id: .*/, 'gated-rollout/id: by-hand'),
        },
        message: 'By hand, and bad',
      });
      await sandbox.waitForPhase('Failed');
      const fix = await sandbox.release('6.14.3');
      expect(fix.outputs).toMatchObject({ verdict: 'rolled-back' });
      expect(await sandbox.file('apps/deployment.yaml')).toBe(current);
      expect(sandbox.template('podinfo-primary').tag).toBe('6.14.1');
    });
  });

  it('two canaries in one commit, one of them blue/green: promoted when both are', async ({ expect }) => {
    const blueGreen = canary({ name: 'api', analysis: '    iterations: 2\n' });
    const files = {
      'apps/api.yaml': `${deployment({ name: 'api' })}---\n${blueGreen}`,
      'apps/kustomization.yaml': `${KUSTOMIZATION}- api.yaml\n`,
    };
    const rollout = ROLLOUT.replace('[prod/podinfo]', '[prod/podinfo, prod/api]');
    await withSandbox({ files, rollout }, async sandbox => {
      const { outputs } = await sandbox.release('6.14.1');
      expect(outputs).toMatchObject({ verdict: 'promoted' });
      expect(await sandbox.titles()).toHaveLength(2);
      for (const name of ['podinfo', 'api']) expect(sandbox.template(`${name}-primary`).tag).toBe('6.14.1');
    });
  });

  it('two Canaries of one target: refused', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      sandbox.cluster.apply(canary().replace('  name: podinfo\n', '  name: other\n'));
      const { outputs } = await sandbox.release('6.14.1');
      expect(outputs).toMatchObject({ verdict: 'refused', reason: 'canary-ambiguous' });
      expect(await sandbox.titles()).toEqual(['Initial commit']);
    });
  });

  it('two canaries in one commit: one fails while the other is analysed; both are taken back by one revert', async ({
    expect,
  }) => {
    const files = {
      'apps/api.yaml': `${deployment({ name: 'api' })}---\n${canary({ name: 'api' })}`,
      'apps/kustomization.yaml': `${KUSTOMIZATION}- api.yaml\n`,
    };
    const rollout = ROLLOUT.replace('[prod/podinfo]', '[prod/podinfo, prod/api]');
    await withSandbox({ files, rollout }, async sandbox => {
      sandbox.cluster.setMetric('prod/api', 'success', 90);
      const { outputs } = await sandbox.release('6.14.1');
      expect(NEVER_GREEN).not.toContain(outputs['verdict']);
      expect(outputs).toMatchObject({ verdict: 'rolled-back', reason: 'metric-out-of-range' });
      expect((await sandbox.titles()).filter(title => title.startsWith('Revert'))).toHaveLength(1);
      for (const name of ['podinfo', 'api']) {
        expect(sandbox.template(name).tag).toBe('6.14.0');
        expect(sandbox.template(`${name}-primary`).tag).toBe('6.14.0');
      }
    });
  });
});

describe.concurrent('bad input is refused before anything is asked of anybody', () => {
  it.for([
    [
      'bad-config',
      { 'rollout.yaml': 'target: [prod/podinfo]\nchange:\n- {imag: x}\n' },
      {},
      'rollout.yaml:3:4',
    ],
    ['bad-config', {}, {}, 'There is no file rollout.yaml'],
    ['bad-config', { 'rollout.yaml': ROLLOUT }, { 'apply-timeot': '1m' }, 'Is apply-timeout meant?'],
    ['bad-config', { 'rollout.yaml': ROLLOUT }, { set: 'imagee=1' }, 'Is image meant?'],
    [
      'bad-config',
      { 'rollout.yaml': ROLLOUT },
      { set: 'image=evil.example/attacker/backdoor:1' },
      'names another repository than rollout.yaml: evil.example/attacker/backdoor.',
    ],
    ['bad-config', { 'rollout.yaml': ROLLOUT }, { set: 'image=1\nimage=2' }, 'image is set twice.'],
  ] as const)('%s: %o %o', async ([reason, workspace, inputs, words], { expect }) => {
    await withSandbox({}, async sandbox => {
      // Flux fetches over Git all the while.
      const askedOf = () => sandbox.github.requests.filter(({ kind }) => kind === 'api').length;
      const before = askedOf();
      const asked = sandbox.cluster.requests.length;
      const { exitCode, outputs, log } = await sandbox.release('6.14.1', { workspace, inputs });
      expect(outputs).toMatchObject({ verdict: 'refused', reason });
      expect(exitCode).toBe(3);
      expect(log.annotations.map(({ text }) => text).join('\n')).toContain(words);
      expect(askedOf()).toBe(before);
      expect(sandbox.cluster.requests.length).toBe(asked);
    });
  });
});
