import { describe, type ExpectStatic, it } from 'vitest';
import { canary, deployment, KUSTOMIZATION } from '../../sandbox/podinfo.ts';
import { FLEET, ROLLOUT, type Sandbox, SOURCE } from '../../sandbox/sandbox.ts';
import { midAnalysis, until, withSandbox } from './with-sandbox.ts';

const BEFORE = { 'apps/deployment.yaml': deployment() };

/** What holds after every release that was taken back. */
async function isBack(sandbox: Sandbox, expect: ExpectStatic): Promise<void> {
  expect(await sandbox.file('apps/deployment.yaml')).toBe(BEFORE['apps/deployment.yaml']);
  expect(sandbox.template('podinfo').tag).toBe('6.14.0');
  expect(sandbox.template('podinfo-primary').tag).toBe('6.14.0');
  expect(sandbox.cluster.get('Canary', 'prod', 'podinfo')).toBeDefined();
}

function conclusion(sandbox: Sandbox): string | null | undefined {
  return sandbox.github.checkRuns(SOURCE).at(-1)?.conclusion;
}

/** What the newest pull request's comment of ours says. */
function verdictInComment(sandbox: Sandbox): string | undefined {
  const pull = sandbox.github.pullRequests(SOURCE).at(-1)?.number ?? 0;
  const comments = sandbox.github.comments(SOURCE, pull);
  return comments.length === 1 ? /verdict `([a-z-]+)`/.exec(comments[0]?.body ?? '')?.[1] : undefined;
}

describe.concurrent('every verdict, by the built action on the sandbox', () => {
  it('promoted: every link proven, shown on the pull request', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      const pull = await sandbox.github.proposeChange(SOURCE, {
        branch: 'feature',
        files: { VERSION: '2' },
        title: 'Add a feature',
      });
      const sha = await sandbox.github.mergePullRequest(SOURCE, pull);
      const { exitCode, outputs, summary, log } = await sandbox.release('6.14.1', { sha });
      expect(outputs).toMatchObject({ verdict: 'promoted', reason: 'analysed', 'revert-sha': '' });
      expect(exitCode).toBe(0);
      expect(outputs['commit-sha']).toBe(await sandbox.github.head(FLEET));
      expect(sandbox.template('podinfo-primary').tag).toBe('6.14.1');
      const [commit, ...older] = await sandbox.github.log(FLEET);
      expect(older).toHaveLength(1);
      expect(commit).toMatchObject({ verified: true, parents: [older[0]?.sha] });
      expect(commit?.message).toContain('Gated-Rollout-Id: podinfo-');
      const [check] = sandbox.github.checkRuns(SOURCE, sha);
      expect(check).toMatchObject({ name: 'rollout / podinfo', status: 'completed', conclusion: 'success' });
      expect(outputs['check-run-id']).toBe(String(check?.id));
      const comments = sandbox.github.comments(SOURCE, pull);
      expect(comments).toHaveLength(1);
      expect(comments[0]?.body).toContain('podinfo 6.14.1: promoted');
      expect(outputs['comment-id']).toBe(String(comments[0]?.id));
      expect(summary).toContain('podinfo 6.14.1: promoted');
      const result: unknown = JSON.parse(outputs['result'] ?? '');
      expect(result).toMatchObject({ version: 1, verdict: 'promoted' });
      expect(log.masks.some(mask => mask.startsWith('ghs_'))).toBe(true);
      for (const mask of log.masks) expect(`${log.text}${summary}${outputs['result']}`).not.toContain(mask);
      expect(log.lines.filter(({ kind }) => kind === 'group').map(({ text }) => text)).toEqual([
        'What this step was asked for',
        'The chain of proof',
      ]);
      expect(sandbox.github.shortcomings).toEqual([]);
    });
  });

  it('unchanged: nothing to commit, and the cluster is proven to run it', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      const { exitCode, outputs } = await sandbox.release('6.14.0');
      expect(outputs).toMatchObject({ verdict: 'unchanged', reason: 'already-running', 'commit-sha': '' });
      expect(exitCode).toBe(0);
      expect(await sandbox.titles()).toEqual(['Initial commit']);
      expect(conclusion(sandbox)).toBe('success');
      expect(verdictInComment(sandbox)).toBe('unchanged');
    });
  });

  it('initialized: a Canary is adopted by a commit of its own', async ({ expect }) => {
    const rollout = `${ROLLOUT}canary:\n  prod/podinfo:\n    provider: nginx\n    ingressRef: {name: podinfo}\n    analysis: {interval: 10s, stepWeight: 50, maxWeight: 50}\n`;
    const files = {
      'apps/canary.yaml': null,
      'apps/kustomization.yaml': KUSTOMIZATION.replace('- canary.yaml\n', ''),
    };
    await withSandbox({ files, rollout, initialized: false }, async sandbox => {
      await sandbox.cluster.waitUntil('podinfo runs', () => sandbox.template('podinfo').tag === '6.14.0');
      const adopted = await sandbox.release('6.14.0');
      expect(adopted.outputs).toMatchObject({ verdict: 'initialized', reason: 'adopted' });
      expect(adopted.exitCode).toBe(0);
      expect(await sandbox.file('apps/podinfo-canary.yaml')).toContain('kind: Canary');
      expect(await sandbox.file('apps/kustomization.yaml')).toContain('- podinfo-canary.yaml');
      expect(await sandbox.file('apps/deployment.yaml')).toBe(deployment());
      expect(sandbox.phase()).toBe('Initialized');
      const released = await sandbox.release('6.14.1');
      expect(released.outputs).toMatchObject({ verdict: 'promoted' });
      expect(await sandbox.titles()).toHaveLength(3);
    });
  });

  it('rolled-back: a metric left its range; reverted and proven back', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      sandbox.cluster.setMetric('prod/podinfo', 'success', 90);
      const { exitCode, outputs } = await sandbox.release('6.14.2');
      expect(outputs).toMatchObject({ verdict: 'rolled-back', reason: 'metric-out-of-range' });
      expect(exitCode).toBe(1);
      expect(outputs['revert-sha']).toBe(await sandbox.github.head(FLEET));
      await isBack(sandbox, expect);
      expect(conclusion(sandbox)).toBe('failure');
      expect(verdictInComment(sandbox)).toBe('rolled-back');
    });
  });

  it('rolled-back, errored: no telling, because the metrics provider is down', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      sandbox.cluster.setMetric('prod/podinfo', 'success', 'unavailable');
      const { outputs } = await sandbox.release('6.14.2');
      expect(outputs).toMatchObject({ verdict: 'rolled-back', reason: 'metrics-unavailable' });
      expect(outputs['result']).toContain('could not be told');
      await isBack(sandbox, expect);
    });
  });

  it('revert-blocked: someone changed the same line; a pull request asks', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      sandbox.cluster.setMetric('prod/podinfo', 'success', 90);
      const running = await sandbox.start({ inputs: { set: 'image=6.14.2' } });
      await sandbox.waitForPhase('Progressing');
      const ours = (await sandbox.file('apps/deployment.yaml')) ?? '';
      await sandbox.github.push(FLEET, {
        files: { 'apps/deployment.yaml': ours.replace(/(image: .*)$/m, "$1 # a colleague's remark") },
        message: 'Remark',
      });
      const { exitCode, outputs } = await running.done;
      expect(outputs).toMatchObject({ verdict: 'revert-blocked', reason: 'changed-since' });
      expect(exitCode).toBe(2);
      const [pull] = sandbox.github.pullRequests(FLEET);
      expect(pull).toMatchObject({ state: 'open' });
      expect(outputs['result']).toContain('pull');
      expect((await sandbox.titles())[0]).toBe('Remark');
      expect(conclusion(sandbox)).toBe('action_required');
      expect(verdictInComment(sandbox)).toBe('revert-blocked');
    });
  });

  it('revert-unverified: reverted, but Flux does not apply it any more', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      sandbox.cluster.setMetric('prod/podinfo', 'success', 90);
      const running = await sandbox.start({ inputs: { set: 'image=6.14.2', 'back-timeout': '1m' } });
      await sandbox.waitForPhase('Progressing');
      const apps = { kind: 'Kustomization', namespace: 'flux-system', name: 'apps' };
      sandbox.cluster.patch(apps, { spec: { suspend: true } });
      const { exitCode, outputs } = await running.done;
      expect(outputs).toMatchObject({ verdict: 'revert-unverified' });
      expect(exitCode).toBe(2);
      expect(await sandbox.file('apps/deployment.yaml')).toBe(deployment());
      expect(conclusion(sandbox)).toBe('failure');
      expect(verdictInComment(sandbox)).toBe('revert-unverified');
    });
  });

  it('not-applied: the folder does not build any more; Git restored, target untouched', async ({
    expect,
  }) => {
    await withSandbox({}, async sandbox => {
      let broken = false;
      sandbox.github.onRequest(async ({ method, path }) => {
        if (broken || method !== 'POST' || !path.endsWith('/git/trees')) return;
        broken = true;
        await sandbox.github.push(FLEET, {
          files: { 'apps/kustomization.yaml': `${KUSTOMIZATION}- missing.yaml\n` },
          message: 'Break the build',
        });
      });
      const { exitCode, outputs } = await sandbox.release('6.14.1');
      expect(outputs).toMatchObject({ verdict: 'not-applied', reason: 'build-failed' });
      expect(exitCode).toBe(1);
      expect(outputs['result']).toContain('missing.yaml');
      expect(await sandbox.file('apps/deployment.yaml')).toBe(deployment());
      expect(await sandbox.titles()).toEqual([
        'Revert release of podinfo: Flux could not build the folder',
        'Release podinfo: image ghcr.io/stefanprodan/podinfo 6.14.1',
        'Break the build',
        'Initial commit',
      ]);
      expect(sandbox.template('podinfo').tag).toBe('6.14.0');
      expect(conclusion(sandbox)).toBe('failure');
      expect(verdictInComment(sandbox)).toBe('not-applied');
    });
  });

  it('not-started: Flagger begins nothing in time', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      sandbox.cluster.faults.pauseFlagger(true);
      const { exitCode, outputs } = await sandbox.release('6.14.1');
      expect(outputs).toMatchObject({ verdict: 'not-started', reason: 'no-new-revision' });
      expect(exitCode).toBe(1);
      expect(sandbox.template('podinfo').tag).toBe('6.14.0');
      expect(conclusion(sandbox)).toBe('failure');
      expect(verdictInComment(sandbox)).toBe('not-started');
    });
  });

  it('promotion-failed: the primary cannot start with the release', async ({ expect }) => {
    const slow = deployment().replace(
      'spec:\n  selector',
      'spec:\n  progressDeadlineSeconds: 30\n  selector',
    );
    await withSandbox({ files: { 'apps/deployment.yaml': slow } }, async sandbox => {
      sandbox.cluster.neverReady('ghcr.io/stefanprodan/podinfo:6.14.3', 'podinfo-primary');
      const { exitCode, outputs } = await sandbox.release('6.14.3');
      expect(outputs).toMatchObject({ verdict: 'promotion-failed', reason: 'primary-not-ready' });
      expect(exitCode).toBe(2);
      expect(await sandbox.file('apps/deployment.yaml')).toBe(slow);
      expect(conclusion(sandbox)).toBe('failure');
      expect(verdictInComment(sandbox)).toBe('promotion-failed');
    });
  });

  it('superseded: a newer commit replaced ours; nothing of it is reverted', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      const running = await sandbox.start({ inputs: { set: 'image=6.14.1' } });
      const goOn = await midAnalysis(sandbox);
      await sandbox.github.push(FLEET, {
        files: { 'apps/deployment.yaml': deployment({ tag: '6.14.9' }) },
        message: 'By hand',
      });
      await until(() => sandbox.template('podinfo').tag === '6.14.9');
      goOn();
      const { exitCode, outputs } = await running.done;
      expect(outputs).toMatchObject({ verdict: 'superseded', reason: 'newer-release' });
      expect(exitCode).toBe(5);
      expect((await sandbox.titles())[0]).toBe('By hand');
      expect(conclusion(sandbox)).toBe('cancelled');
      expect(verdictInComment(sandbox)).toBe('superseded');
    });
  });

  it('cancelled: main pushes the revert on SIGINT, the post step proves the cluster back', async ({
    expect,
  }) => {
    await withSandbox({}, async sandbox => {
      const running = await sandbox.start({ inputs: { set: 'image=6.14.1' }, rate: 1 });
      const goOn = await midAnalysis(sandbox);
      running.cancel();
      const main = await running.done;
      goOn();
      expect(main.signal).toBeNull();
      expect(main.outputs).toMatchObject({ verdict: 'revert-unverified', reason: 'job-cancelled' });
      expect((await sandbox.titles())[0]).toContain('Revert release of podinfo');
      const post = await running.post();
      expect(post.log.text).toContain('cancelled (job-cancelled)');
      expect(await sandbox.titles()).toHaveLength(3);
      expect(sandbox.template('podinfo').tag).toBe('6.14.0');
      expect(sandbox.template('podinfo-primary').tag).toBe('6.14.0');
      expect(conclusion(sandbox)).toBe('cancelled');
      expect(verdictInComment(sandbox)).toBe('cancelled');
      expect(sandbox.github.checkRuns(SOURCE)).toHaveLength(1);
    });
  });

  it('timed-out: an approval gate stays closed for too long', async ({ expect }) => {
    const files = { 'apps/canary.yaml': null, 'apps/kustomization.yaml': null };
    await withSandbox({ files, initialized: false }, async sandbox => {
      const gate = sandbox.cluster.gate('confirm');
      const webhooks = `    webhooks:\n    - {name: confirm, type: confirm-promotion, url: "${gate.url}"}\n`;
      await sandbox.github.push(FLEET, {
        files: { 'apps/canary.yaml': `${canary()}${webhooks}` },
        message: 'Add the Canary',
      });
      await sandbox.initialized();
      const { exitCode, outputs } = await sandbox.release('6.14.1', {
        inputs: { 'approval-timeout': '30s' },
      });
      expect(outputs).toMatchObject({ verdict: 'timed-out', reason: 'approval-timeout' });
      expect(exitCode).toBe(6);
      expect(sandbox.template('podinfo').tag).toBe('6.14.0');
      expect(conclusion(sandbox)).toBe('timed_out');
      expect(verdictInComment(sandbox)).toBe('timed-out');
    });
  });

  it('unknown: the Canary was replaced; nothing more is written', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      const running = await sandbox.start({ inputs: { set: 'image=6.14.1' } });
      await sandbox.waitForPhase('Progressing');
      sandbox.cluster.delete('Canary', 'prod', 'podinfo');
      const { exitCode, outputs } = await running.done;
      expect(outputs).toMatchObject({ verdict: 'unknown', reason: 'canary-replaced' });
      expect(exitCode).toBe(2);
      expect(await sandbox.titles()).toHaveLength(2);
      expect(outputs['result']).toContain('git revert');
    });
  });

  it('pending: a cancelled job hands over, and the next run takes the rollout up', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      const running = await sandbox.start({
        inputs: { set: 'image=6.14.1', 'on-cancel': 'hand-over' },
        rate: 1,
      });
      const goOn = await midAnalysis(sandbox);
      running.cancel();
      const main = await running.done;
      expect(main.outputs).toMatchObject({ verdict: 'pending', reason: 'handed-over' });
      expect(main.exitCode).toBe(0);
      expect(conclusion(sandbox)).toBe('neutral');
      expect(verdictInComment(sandbox)).toBe('pending');
      const sweep = await sandbox.start({ inputs: { mode: 'sweep', set: 'image=6.14.1' } });
      await until(() => sweep.log.text.includes('% of traffic'));
      goOn();
      const swept = await sweep.done;
      expect(swept.outputs).toMatchObject({ verdict: 'promoted' });
      expect(sandbox.github.checkRuns(SOURCE)[0]).toMatchObject({ conclusion: 'success' });
      expect(await sandbox.titles()).toHaveLength(2);
    });
  });

  it('refused: a suspended Kustomization; nothing is written', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      const apps = { kind: 'Kustomization', namespace: 'flux-system', name: 'apps' };
      sandbox.cluster.patch(apps, { spec: { suspend: true } });
      const { exitCode, outputs } = await sandbox.release('6.14.1');
      expect(outputs).toMatchObject({ verdict: 'refused', reason: 'kustomization-suspended' });
      expect(exitCode).toBe(3);
      expect(outputs['result']).toContain('flux resume kustomization apps');
      expect(await sandbox.titles()).toEqual(['Initial commit']);
      expect(conclusion(sandbox)).toBe('failure');
      expect(verdictInComment(sandbox)).toBe('refused');
    });
  });
});
