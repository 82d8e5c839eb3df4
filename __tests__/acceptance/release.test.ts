import { afterEach, describe, expect, it } from 'vitest';
import { FLEET, Sandbox, SOURCE, type SandboxOptions } from '../../sandbox/sandbox.ts';
import { deployment } from '../../sandbox/podinfo.ts';

let sandbox: Sandbox | undefined;

async function start(options: SandboxOptions = {}): Promise<Sandbox> {
  sandbox = await Sandbox.start(options);
  return sandbox;
}

afterEach(async () => {
  await sandbox?.close();
  sandbox = undefined;
});

describe('a release on the sandbox', () => {
  it('is promoted with every link proven', async () => {
    const box = await start();
    const { exitCode, outputs, log, summary } = await box.release('6.14.1');
    expect(log.text).toContain('promoted (analysed)');
    expect(outputs).toMatchObject({ verdict: 'promoted', reason: 'analysed', 'revert-sha': '' });
    expect(exitCode).toBe(0);
    expect(box.template('podinfo-primary').tag).toBe('6.14.1');
    expect(await box.titles()).toHaveLength(2);
    const [check] = box.github.checkRuns(SOURCE);
    expect(check).toMatchObject({ name: 'rollout / podinfo', status: 'completed', conclusion: 'success' });
    expect(summary).toContain('promoted');
    expect(box.github.shortcomings).toEqual([]);
  });

  it('is reverted when a metric leaves its range', async () => {
    const box = await start();
    box.cluster.setMetric('prod/podinfo', 'success', 90);
    const { exitCode, outputs } = await box.release('6.14.2');
    expect(outputs).toMatchObject({ verdict: 'rolled-back', reason: 'metric-out-of-range' });
    expect(exitCode).toBe(1);
    expect(await box.file('apps/deployment.yaml')).toBe(deployment());
    expect(box.template('podinfo').tag).toBe('6.14.0');
    expect(box.template('podinfo-primary').tag).toBe('6.14.0');
    expect((await box.github.log(FLEET))[0]).toMatchObject({
      verified: true,
      message: expect.stringContaining('Gated-Rollout-Reverts:'),
    });
  });
});
