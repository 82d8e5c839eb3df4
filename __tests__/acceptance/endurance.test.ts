import { describe, it } from 'vitest';
import { type FaultEffect, secondaryRateLimit } from '../../sandbox/github/faults.ts';
import { deployment, KUSTOMIZATION } from '../../sandbox/podinfo.ts';
import { FLEET, type Sandbox, SOURCE } from '../../sandbox/sandbox.ts';
import { midAnalysis, until, withSandbox } from './with-sandbox.ts';

const REF = /\/repos\/acme\/fleet\/git\/refs\/heads/;
const HEAD = /\/repos\/acme\/fleet\/git\/ref\/heads/;
const FLEET_API = /\/repos\/acme\/fleet\//;
const FILE = 'apps/deployment.yaml';

function refusal(status: number, message: string): FaultEffect {
  return { kind: 'respond', status, body: { message } };
}

async function edit(sandbox: Sandbox, how: (text: string) => string, message: string): Promise<void> {
  const text = (await sandbox.file(FILE)) ?? '';
  await sandbox.github.push(FLEET, { files: { [FILE]: how(text) }, message });
}

describe.concurrent('GitHub says no, and means later', () => {
  it.for([
    ['401', refusal(401, 'Bad credentials'), 1],
    ['403 without a reason', refusal(403, 'Forbidden'), 2],
    ['404', refusal(404, 'Not Found'), 2],
    ['422 Reference cannot be updated', refusal(422, 'Reference cannot be updated'), 3],
    ['503', refusal(503, 'Service Unavailable'), 12],
    ['a page of HTML', { kind: 'respond', status: 200, body: '<html>Maintenance</html>' }, 4],
  ] as const)('at the revert: %s; the release is taken back', async ([, effect, times], { expect }) => {
    await withSandbox({}, async sandbox => {
      sandbox.cluster.setMetric('prod/podinfo', 'success', 90);
      sandbox.github.fault({ method: 'PATCH', path: REF, after: 1, times, effect });
      const { exitCode, outputs } = await sandbox.release('6.14.2');
      expect(outputs).toMatchObject({ verdict: 'rolled-back', reason: 'metric-out-of-range' });
      expect(exitCode).toBe(1);
      expect(await sandbox.file(FILE)).toBe(deployment());
      expect(sandbox.github.pullRequests(FLEET)).toEqual([]);
    });
  });

  it('at the revert: a limit of a minute on every read and write', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      sandbox.cluster.setMetric('prod/podinfo', 'success', 90);
      const running = await sandbox.start({ inputs: { set: 'image=6.14.2' } });
      await sandbox.waitForPhase('Progressing');
      sandbox.github.fault({ method: 'GET', path: HEAD, times: 2, effect: secondaryRateLimit(60) });
      const { outputs } = await running.done;
      expect(outputs).toMatchObject({ verdict: 'rolled-back', reason: 'metric-out-of-range' });
      expect(await sandbox.file(FILE)).toBe(deployment());
    });
  });

  it.for([
    [401, 'Bad credentials'],
    [403, 'Resource not accessible by integration'],
    [404, 'Not Found'],
  ] as const)(
    'after a lost answer to the commit %i %s speaks of nothing: the release is followed',
    async ([status, message], { expect }) => {
      await withSandbox({}, async sandbox => {
        sandbox.github.fault({ method: 'PATCH', path: REF, effect: { kind: 'lost-answer', answer: 502 } });
        let pushed = false;
        sandbox.github.onRequest(({ method, path }) => {
          if (pushed || method !== 'PATCH' || !REF.test(path)) return;
          pushed = true;
          // The update itself is past; what follows it is refused for a while, reads as well.
          sandbox.github.fault({ path: FLEET_API, times: 3, effect: refusal(status, message) });
        });
        const { outputs } = await sandbox.release('6.14.1');
        expect(outputs).toMatchObject({ verdict: 'promoted' });
        expect((await sandbox.titles())[0]).toMatch(/^Release podinfo/);
      });
    },
  );
});

describe.concurrent('a read of the branch that lags behind', () => {
  it('while the folder does not build: the release is not called its own revert', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      let broken = false;
      sandbox.github.onRequest(async ({ method, path }) => {
        if (broken || method !== 'POST' || !path.endsWith('/git/trees')) return;
        broken = true;
        await sandbox.github.push(FLEET, {
          files: { 'apps/kustomization.yaml': `${KUSTOMIZATION}- missing.yaml\n` },
          message: 'Break the build',
        });
        sandbox.github.fault({
          method: 'GET',
          path: HEAD,
          after: 1,
          times: 1,
          effect: { kind: 'stale-refs' },
        });
      });
      const { outputs } = await sandbox.release('6.14.1');
      expect(outputs).toMatchObject({ verdict: 'not-applied', reason: 'build-failed' });
      expect(outputs['revert-sha']).not.toBe(outputs['commit-sha']);
      expect((await sandbox.titles())[0]).toMatch(/^Revert/);
      expect(await sandbox.file(FILE)).toBe(deployment());
    });
  });

  it('when the analysis failed: taken back, not “Git is right already”', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      sandbox.cluster.setMetric('prod/podinfo', 'success', 90);
      const running = await sandbox.start({ inputs: { set: 'image=6.14.2' } });
      await sandbox.waitForPhase('Progressing');
      sandbox.github.fault({
        method: 'GET',
        path: HEAD,
        times: 1,
        effect: { kind: 'stale-refs' },
      });
      const { outputs } = await running.done;
      expect(outputs).toMatchObject({ verdict: 'rolled-back' });
      expect(outputs['revert-sha']).not.toBe(outputs['commit-sha']);
      expect(await sandbox.file(FILE)).toBe(deployment());
    });
  });
});

describe.concurrent('people change the same file', () => {
  it('a hotfix by hand is theirs: followed to its end, and not called overridden', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      const running = await sandbox.start({ inputs: { set: 'image=6.14.1' } });
      const goOn = await midAnalysis(sandbox);
      await edit(sandbox, text => text.replace('6.14.1', '6.14.3'), 'Hotfix');
      await until(() => sandbox.template('podinfo').tag === '6.14.3');
      goOn();
      const { outputs } = await running.done;
      expect(outputs).toMatchObject({ verdict: 'superseded', reason: 'amended' });
      expect((await sandbox.titles())[0]).toBe('Hotfix');
      expect(sandbox.github.pullRequests(FLEET)).toEqual([]);
      expect(sandbox.template('podinfo-primary').tag).toBe('6.14.3');
    });
  });

  it('a forced push that removes the commit just before the end: not promoted', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      const [initial] = await sandbox.github.log(FLEET);
      let rewritten = false;
      sandbox.github.onRequest(async ({ method, path }) => {
        if (rewritten || sandbox.phase() !== 'Succeeded' || method !== 'GET' || !HEAD.test(path)) return;
        rewritten = true;
        await sandbox.github.push(FLEET, {
          files: { 'other.yaml': 'a: 1\n' },
          message: 'Rewritten',
          onto: initial?.sha ?? '',
        });
      });
      const { exitCode, outputs } = await sandbox.release('6.14.1');
      expect(rewritten).toBe(true);
      expect(outputs).toMatchObject({ verdict: 'superseded', reason: 'branch-rewritten' });
      expect(exitCode).toBe(5);
    });
  });

  it('another line: the release is taken back by itself, and their words stay', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      sandbox.cluster.setMetric('prod/podinfo', 'success', 90);
      const running = await sandbox.start({ inputs: { set: 'image=6.14.2' } });
      await sandbox.waitForPhase('Progressing');
      await edit(sandbox, text => `# a colleague's remark\n${text}`, 'Remark');
      const { outputs } = await running.done;
      expect(outputs).toMatchObject({ verdict: 'rolled-back', reason: 'metric-out-of-range' });
      expect(await sandbox.file(FILE)).toBe(`# a colleague's remark\n${deployment()}`);
      expect(sandbox.template('podinfo-primary').tag).toBe('6.14.0');
    });
  });

  it('the very line: a pull request takes back the rest, and what it says brings the cluster back', async ({
    expect,
  }) => {
    await withSandbox({}, async sandbox => {
      sandbox.cluster.setMetric('prod/podinfo', 'success', 90);
      const running = await sandbox.start({ inputs: { set: 'image=6.14.2' } });
      await sandbox.waitForPhase('Progressing');
      await edit(sandbox, text => text.replace(/(image: .*6\.14\.2"?)/, '$1 # since Monday'), 'Remark');
      const { exitCode, outputs } = await running.done;
      expect(outputs).toMatchObject({ verdict: 'revert-blocked', reason: 'changed-since' });
      expect(exitCode).toBe(2);
      const [pull] = sandbox.github.pullRequests(FLEET);
      const [comment] = sandbox.github.comments(SOURCE, 1);
      const place = /apps\/deployment\.yaml:\d+/.exec(comment?.body ?? '')?.[0] ?? 'none';
      expect(comment?.body).toContain('git revert --no-commit');
      expect(pull?.body).toContain(place);

      // What to do, done: merge it, then decide on the line that is named.
      await sandbox.github.mergePullRequest(FLEET, pull?.number ?? 0);
      expect(await sandbox.file(FILE)).not.toContain('gated-rollout/id');
      const line = Number(place.split(':')[1]);
      await edit(
        sandbox,
        text => {
          const lines = text.split('\n');
          const at = lines.findIndex(each => each.includes('6.14.2'));
          expect(Math.abs(at + 1 - line)).toBeLessThanOrEqual(3);
          lines[at] = lines[at]?.replace('6.14.2', '6.14.0') ?? '';
          return lines.join('\n');
        },
        'Decide on the line',
      );
      await until(() => sandbox.template('podinfo').tag === '6.14.0');
      expect(sandbox.template('podinfo-primary').tag).toBe('6.14.0');
    });
  });
});
