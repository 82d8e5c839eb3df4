import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'vitest';
import { FLEET, type Sandbox, SOURCE } from '../../sandbox/sandbox.ts';
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
      expect(comment(sandbox)).toContain('| ✅ success | 99.5');
      expect(comment(sandbox)).toContain('```mermaid\nxychart-beta');
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
      expect(comment(sandbox)).toContain('| ⚪ success | – |');
      const said = good.log.lines.filter(({ text }) => text.includes('get services/proxy'));
      expect(said).toHaveLength(1);
      sandbox.cluster.setMetric('prod/podinfo', 'success', 90);
      const bad = await sandbox.release('6.14.2', { inputs: { kubeconfig } });
      expect(bad.outputs).toMatchObject({ verdict: 'rolled-back' });
      expect(bad.outputs['result']).toContain('metric success was 90.00, and must be at least 99');
      expect(comment(sandbox)).toContain('| ❌ success | 90');
      expect(comment(sandbox)).toMatch(/First failed check after .+reverted by .+proven back after/);
    });
  });

  it('an HTML report that needs nothing else', async ({ expect }) => {
    const folder = await mkdtemp(join(tmpdir(), 'report-'));
    try {
      await withSandbox({}, async sandbox => {
        const file = join(folder, 'reports', 'rollout.html');
        await sandbox.release('6.14.1', { inputs: { 'report-file': file } });
        const page = await readFile(file, 'utf8');
        expect(page).toContain('<h1>✅ podinfo: promoted</h1>');
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
        expect(log.text).toContain('The check run does not show how this ended: podinfo: rolled back');
        expect(sandbox.template('podinfo').tag).toBe('6.14.0');
      });
    },
  );

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

  it('no two writes of reports within a second, however much happens', async ({ expect }) => {
    await withSandbox({ rate: 10 }, async sandbox => {
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
      // The sandbox's clock runs ten times faster, and so does the way of a request: some of it may be lost on it.
      expect(Math.min(...gaps)).toBeGreaterThan(700);
    });
  });
});
