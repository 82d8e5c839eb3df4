import { afterAll, beforeAll, describe, test } from 'vitest';
import { startTestbed } from '../../testbed/start.js';
import { ClusterScenario, FLEET, SOURCE } from './scenario.js';
let testbed;
beforeAll(async () => {
  testbed = await startTestbed({ log: line => process.stderr.write(`${line}\n`) });
});
afterAll(async () => {
  await testbed?.stop();
});
describe.concurrent('the built action on real Flux and Flagger', () => {
  test('promotes a good release, then finds nothing to do', async ({ expect }) => {
    const scenario = await ClusterScenario.start({ testbed, namespace: 'good' });
    const good = await scenario.release('6.14.1');
    process.stderr.write(`${good.log.text}\n`);
    expect(good.outputs).toMatchObject({ verdict: 'promoted', reason: 'analysed' });
    expect(good.exitCode).toBe(0);
    expect(await scenario.template('podinfo-primary')).toMatchObject({ image: '6.14.1' });
    const [check] = scenario.github.checkRuns(SOURCE);
    expect(check).toMatchObject({ status: 'completed', conclusion: 'success' });
    const again = await scenario.release('6.14.1');
    expect(again.outputs).toMatchObject({ verdict: 'unchanged', reason: 'already-running' });
    expect(await scenario.titles()).toHaveLength(2);
    await scenario.end();
  });
  test('reverts a release whose metric is below its range', async ({ expect }) => {
    const scenario = await ClusterScenario.start({ testbed, namespace: 'bad' });
    const before = (await scenario.github.tree(FLEET)).get('apps/deployment.yaml')?.content;
    testbed.metrics.set('success_rate', { namespace: 'bad' }, 90);
    await testbed.metrics.settled();
    const bad = await scenario.release('6.14.2');
    process.stderr.write(`${bad.log.text}\n`);
    expect(bad.outputs).toMatchObject({ verdict: 'rolled-back', reason: 'metric-out-of-range' });
    expect(bad.exitCode).toBe(1);
    expect((await scenario.github.tree(FLEET)).get('apps/deployment.yaml')?.content).toBe(before);
    expect(await scenario.template('podinfo')).toMatchObject({ image: '6.14.0' });
    expect(await scenario.template('podinfo-primary')).toMatchObject({ image: '6.14.0' });
    await scenario.end();
  });
  test('ends an analysis when the job is cancelled', async ({ expect }) => {
    const scenario = await ClusterScenario.start({ testbed, namespace: 'cancelled' });
    const running = await scenario.start({ inputs: { set: 'image=6.14.3' } });
    await scenario.waitForPhase('Progressing');
    running.cancel();
    const main = await running.done;
    const post = await running.post();
    process.stderr.write(`${main.log.text}\n--- post\n${post.log.text}\n`);
    expect(main.signal).toBeNull();
    expect(main.outputs).toMatchObject({ verdict: 'revert-unverified', reason: 'job-cancelled' });
    expect(post.log.text).toContain('cancelled (job-cancelled)');
    const [check] = scenario.github.checkRuns(SOURCE);
    expect(check).toMatchObject({ status: 'completed', conclusion: 'cancelled' });
    expect((await scenario.titles())[0]).toContain('Revert');
    expect(await scenario.template('podinfo')).toMatchObject({ image: '6.14.0' });
    await scenario.end();
  });
});
