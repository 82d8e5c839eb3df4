import { afterAll, beforeAll, describe, test } from 'vitest';
import { startTestbed, type Testbed } from '../../testbed/start.ts';
import { deployment, surroundings } from '../testbed/podinfo.ts';
import { ClusterScenario, FLEET, SOURCE } from './scenario.ts';

let testbed: Testbed;

beforeAll(async () => {
  testbed = await startTestbed({ log: line => process.stderr.write(`${line}\n`) });
});
afterAll(async () => {
  await testbed?.stop();
});

/** The Canary of the scenario with another analysis. */
function withAnalysis(namespace: string, analysis: string): string {
  const text = surroundings({ namespace, metricsServer: testbed.metrics.server(namespace) });
  const changed = text.replace(/stepWeight: 25\n +maxWeight: 50/, analysis);
  if (changed === text) throw new Error('The Canary has another analysis than expected.');
  return changed;
}

describe.concurrent('the built action on real Flux and Flagger', () => {
  test('promotes a good release, then finds nothing to do', async ({ expect }) => {
    const scenario = await ClusterScenario.start({ testbed, namespace: 'good' });
    const good = await scenario.release('6.14.1');
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
    expect(main.signal).toBeNull();
    expect(main.outputs).toMatchObject({ verdict: 'revert-unverified', reason: 'job-cancelled' });
    expect(post.log.text).toContain('cancelled (job-cancelled)');
    const [check] = scenario.github.checkRuns(SOURCE);
    expect(check).toMatchObject({ status: 'completed', conclusion: 'cancelled' });
    expect((await scenario.titles())[0]).toContain('Revert');
    expect(await scenario.template('podinfo')).toMatchObject({ image: '6.14.0' });
    await scenario.end();
  });

  test('promotes a header-based release', async ({ expect }) => {
    const namespace = 'headers';
    const files = {
      'apps/canary.yaml': withAnalysis(
        namespace,
        'iterations: 2\n    match: [{headers: {x-canary: {exact: insider}}}]',
      ),
    };
    const scenario = await ClusterScenario.start({ testbed, namespace, files });
    const { outputs } = await scenario.release('6.14.1');
    expect(outputs).toMatchObject({ verdict: 'promoted', reason: 'analysed' });
    expect(await scenario.template('podinfo-primary')).toMatchObject({ image: '6.14.1' });
    await scenario.end();
  });

  test('adopts a folder without a Canary, then releases', async ({ expect }) => {
    const namespace = 'adopted';
    const whole = surroundings({ namespace, metricsServer: testbed.metrics.server(namespace) });
    const withoutCanary = whole
      .split('---\n')
      .filter(document => !document.includes('kind: Canary'))
      .join('---\n');
    const rollout = `gitops: {repository: ${FLEET}}
target: [${namespace}/podinfo]
change: [{image: ghcr.io/stefanprodan/podinfo}]
canary:
  ${namespace}/podinfo:
    provider: nginx
    ingressRef: {name: podinfo}
    service: {port: 80, targetPort: http}
    analysis: {interval: 10s, threshold: 2, stepWeight: 50, maxWeight: 50}
    metrics: [{name: success, min: 99, interval: 10s, templateRef: {name: success}}]
`;
    const scenario = await ClusterScenario.start({
      testbed,
      namespace,
      rollout,
      files: { 'apps/canary.yaml': withoutCanary },
      initialized: false,
    });
    await scenario.waitUntil('podinfo', async () => (await scenario.template('podinfo')).image === '6.14.0');
    const { outputs } = await scenario.release('6.14.1');
    expect(outputs).toMatchObject({ verdict: 'promoted' });
    expect(await scenario.titles()).toEqual([
      'Release podinfo: image ghcr.io/stefanprodan/podinfo 6.14.1',
      'Adopt podinfo with Flagger',
      'Initial commit',
    ]);
    expect(await scenario.template('podinfo-primary')).toMatchObject({ image: '6.14.1' });
    await scenario.end();
  });

  test('a lost machine: the next run reverts what was left, then releases its own', async ({ expect }) => {
    const namespace = 'lost';
    const scenario = await ClusterScenario.start({ testbed, namespace });
    testbed.metrics.set('success_rate', { namespace }, 90);
    await testbed.metrics.settled();
    const lost = await scenario.start({ inputs: { set: 'image=6.14.1' } });
    await scenario.waitForPhase('Progressing');
    lost.kill();
    await lost.done;
    await scenario.waitForPhase('Failed');
    testbed.metrics.set('success_rate', { namespace }, 100);
    await testbed.metrics.settled();
    const { outputs } = await scenario.release('6.14.2');
    expect(outputs).toMatchObject({ verdict: 'promoted' });
    expect((await scenario.titles()).map(title => title.split(' ')[0])).toEqual([
      'Release',
      'Revert',
      'Release',
      'Initial',
    ]);
    expect(await scenario.template('podinfo-primary')).toMatchObject({ image: '6.14.2' });
    await scenario.end();
  });

  test('superseded by a newer commit of somebody else', async ({ expect }) => {
    const scenario = await ClusterScenario.start({ testbed, namespace: 'newer' });
    const running = await scenario.start({ inputs: { set: 'image=6.14.1' } });
    await scenario.waitForPhase('Progressing');
    const files = { 'apps/deployment.yaml': deployment({ tag: '6.14.9', rolloutId: 'by-hand' }) };
    await scenario.github.push(FLEET, { files, message: 'By hand' });
    const source = `/apis/source.toolkit.fluxcd.io/v1/namespaces/newer/gitrepositories/fleet`;
    await scenario.patch(source, {
      metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': new Date().toISOString() } },
    });
    const { outputs } = await running.done;
    expect(outputs).toMatchObject({ verdict: 'superseded', reason: 'newer-release' });
    expect((await scenario.titles())[0]).toBe('By hand');
    await scenario.end();
  });
});
