import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'vitest';
import { secondaryRateLimit } from '../../sandbox/github/faults.ts';
import { canary, deployment } from '../../sandbox/podinfo.ts';
import { FLEET, ROLLOUT, type Sandbox, SOURCE } from '../../sandbox/sandbox.ts';
import { withSandbox } from './with-sandbox.ts';

const REPORTS = /\/(?:check-runs|comments|deployments)/;

/** The body of our comment on the newest pull request. */
function comment(sandbox: Sandbox): string {
  const pull = sandbox.github.pullRequests(SOURCE).at(-1)?.number ?? 0;
  return sandbox.github.comments(SOURCE, pull).at(-1)?.body ?? '';
}

describe.concurrent('what people look at', () => {
  it('every value that Flagger measured, from its own metrics', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      const { outputs, summary } = await sandbox.release('6.14.1');
      expect(outputs).toMatchObject({ verdict: 'promoted' });
      expect(comment(sandbox)).toContain('| ✅ success<br><sub>MetricTemplate `prod/success`</sub> | 99.5');
      expect(comment(sandbox)).toMatch(/```mermaid\n.*\nxychart-beta/);
      expect(summary).toMatch(/\| Promoted \| .+ \|/);
      expect(summary).toMatch(/\d+ requests to GitHub/);
      const check = sandbox.github.checkRuns(SOURCE).at(-1);
      expect(check?.output.summary).toContain('success    ');
      expect(check?.output.summary).not.toContain('mermaid');
    });
  });

  it('where these may not be read, what Flagger says of them, and a word about it', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      const kubeconfig = sandbox.cluster.addUser({ name: 'ci', forbidden: ['get services/proxy'] });
      const good = await sandbox.release('6.14.1', { inputs: { kubeconfig } });
      expect(good.outputs).toMatchObject({ verdict: 'promoted' });
      expect(comment(sandbox)).toContain('| ⚪ success<br><sub>MetricTemplate `prod/success`</sub> | – |');
      const said = good.log.lines.filter(({ text }) => text.includes('get services/proxy'));
      expect(said).toHaveLength(1);
      sandbox.cluster.setMetric('prod/podinfo', 'success', 90);
      const bad = await sandbox.release('6.14.2', { inputs: { kubeconfig } });
      expect(bad.outputs).toMatchObject({ verdict: 'rolled-back' });
      expect(bad.outputs['result']).toContain('metric success was 90.00, and must be at least 99');
      expect(comment(sandbox)).toContain('| ❌ success<br><sub>MetricTemplate `prod/success`</sub> | 90');
      expect(comment(sandbox)).toMatch(/first failed check \d\d:.+ reverted \d\d:.+ proven back \d\d:/);
    });
  });

  it('an HTML report that needs nothing else', async ({ expect }) => {
    const folder = await mkdtemp(join(tmpdir(), 'report-'));
    try {
      await withSandbox({}, async sandbox => {
        const file = join(folder, 'reports', 'rollout.html');
        await sandbox.release('6.14.1', { inputs: { 'report-file': file } });
        const page = await readFile(file, 'utf8');
        expect(page).toContain('<h1>✅ podinfo 6.14.1: promoted</h1>');
        expect(page.match(/<svg /g)).toHaveLength(2);
        expect(page).not.toMatch(/<script|<link|src=|@import|url\(/);
      });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('a Deployment of the environment, with the state of its rollout', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      const inputs = { environment: 'production' };
      await sandbox.release('6.14.1', { inputs });
      sandbox.cluster.setMetric('prod/podinfo', 'success', 90);
      await sandbox.release('6.14.2', { inputs });
      await sandbox.release('6.14.2', { inputs: { ...inputs, set: 'imag=6.14.2' } });
      const deployments = sandbox.github.deployments(SOURCE);
      expect(deployments.map(({ environment }) => environment)).toEqual(['production', 'production']);
      expect(deployments.map(({ statuses }) => statuses.map(({ state }) => state))).toEqual([
        ['in_progress', 'success'],
        ['in_progress', 'failure'],
      ]);
      const made = sandbox.github.requests.find(
        ({ method, path }) => method === 'POST' && path.endsWith('/deployments'),
      );
      expect(made?.body).toMatchObject({ auto_merge: false, required_contexts: [] });
      expect(sandbox.github.shortcomings).toEqual([]);
    });
  });

  it.for([
    [403, 'forbidden'],
    [502, 'a broken gateway'],
  ] as const)(
    'every report answered with %i (%s): the same verdict and revert',
    async ([status], { expect }) => {
      await withSandbox({}, async sandbox => {
        const effect = { kind: 'respond', status, body: { message: 'no' } } as const;
        sandbox.github.fault({ path: REPORTS, times: 100_000, effect });
        sandbox.cluster.setMetric('prod/podinfo', 'success', 90);
        const { outputs, log } = await sandbox.release('6.14.1', { inputs: { environment: 'production' } });
        expect(outputs).toMatchObject({ verdict: 'rolled-back', reason: 'metric-out-of-range' });
        expect(outputs['revert-sha']).toBe(await sandbox.github.head(FLEET));
        expect(log.text).toContain('The check run does not show how this ended: podinfo 6.14.1: rolled back');
        expect(sandbox.template('podinfo').tag).toBe('6.14.0');
      });
    },
  );

  it('limits on every report: the rollout goes on at its pace, and the log says what is not shown', async ({
    expect,
  }) => {
    await withSandbox({}, async sandbox => {
      sandbox.github.fault({ path: REPORTS, times: 100_000, effect: secondaryRateLimit(3_600) });
      sandbox.cluster.setMetric('prod/podinfo', 'success', 90);
      const { outputs, log } = await sandbox.release('6.14.1');
      expect(outputs).toMatchObject({ verdict: 'rolled-back', reason: 'metric-out-of-range' });
      expect(outputs['revert-sha']).toBe(await sandbox.github.head(FLEET));
      expect(log.text.match(/Reports pause for about 60 min/g)).toHaveLength(1);
      expect(log.text).toContain('The check run does not show how this ended');
      expect(log.text).toContain('The pull request comment does not show how this ended');
      const asked = sandbox.github.requests.filter(({ path }) => REPORTS.test(path));
      expect(asked.length).toBeLessThanOrEqual(4);
    });
  });

  it('a limit that passes: the end is shown all the same', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      sandbox.github.fault({ path: REPORTS, times: 1, effect: secondaryRateLimit(30) });
      const { outputs } = await sandbox.release('6.14.1');
      expect(outputs).toMatchObject({ verdict: 'promoted' });
      expect(comment(sandbox)).toContain('podinfo 6.14.1: promoted');
      expect(sandbox.github.checkRuns(SOURCE).at(-1)?.conclusion).toBe('success');
    });
  });

  it('thirty steps of three canaries with a chatty Flagger: at most 120 requests to GitHub', async ({
    expect,
  }) => {
    const names = ['podinfo', 'api', 'web'];
    const analysis = '    stepWeight: 3\n    maxWeight: 90\n';
    const setup = {
      rate: 40,
      files: {
        'apps/kustomization.yaml': null,
        'apps/canary.yaml': null,
        'apps/deployment.yaml': names.map(name => deployment({ name })).join('---\n'),
        'apps/canaries.yaml': names.map(name => canary({ name, analysis })).join('---\n'),
      },
      rollout: ROLLOUT.replace('[prod/podinfo]', `[${names.map(name => `prod/${name}`).join(', ')}]`),
    };
    await withSandbox(setup, async sandbox => {
      const pull = await sandbox.github.proposeChange(SOURCE, { branch: 'b', files: { A: '1' }, title: 'A' });
      const sha = await sandbox.github.mergePullRequest(SOURCE, pull);
      const before = sandbox.github.requests.length;
      const chatter = setInterval(() => sandbox.chatter(), 50);
      const inputs = { environment: 'production' };
      const { outputs } = await sandbox
        .release('6.14.1', { sha, inputs })
        .finally(() => clearInterval(chatter));
      expect(outputs).toMatchObject({ verdict: 'promoted' });
      const asked = sandbox.github.requests.slice(before).filter(({ kind }) => kind === 'api');
      expect(asked.length).toBeLessThanOrEqual(120);
    });
  });

  it('two runs that start at once on one pull request: one comment', async ({ expect }) => {
    await withSandbox({}, async sandbox => {
      const sha = await sandbox.commitSource();
      await Promise.all([
        sandbox.release('6.14.0', { sha }),
        sandbox.release('6.14.0', { sha }),
        sandbox.release('6.14.0', { sha }),
      ]);
      const pull = sandbox.github.pullRequests(SOURCE).at(-1)?.number ?? 0;
      expect(sandbox.github.comments(SOURCE, pull)).toHaveLength(1);
    });
  });
});

/** What is measured includes the way of a request: alone, and with time not much faster than real. */
describe('reports, one after the other', () => {
  it('no two writes of reports within a second, however much happens', async ({ expect }) => {
    await withSandbox({ rate: 4 }, async sandbox => {
      const effect = { kind: 'respond', status: 502, body: { message: 'no' } } as const;
      sandbox.github.fault({ path: REPORTS, times: 2, effect });
      const chatter = setInterval(() => sandbox.chatter(), 30);
      try {
        await sandbox.release('6.14.1', { inputs: { environment: 'production' } });
      } finally {
        clearInterval(chatter);
      }
      const times = sandbox.github.requests
        .filter(({ method, path }) => method !== 'GET' && REPORTS.test(path))
        .map(({ time }) => time);
      expect(times.length).toBeGreaterThan(6);
      const gaps = times.slice(1).map((time, index) => (time - (times[index] ?? 0)) * sandbox.rate);
      expect(Math.min(...gaps)).toBeGreaterThan(700);
    });
  });
});
