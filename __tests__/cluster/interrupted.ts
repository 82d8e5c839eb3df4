import type { Testbed } from '../../testbed/start.ts';
import { deployment } from '../testbed/podinfo.ts';
import type { CanaryOptions } from './folder.ts';
import { type Acting, type ListedScenario, settles } from './listed-scenario.ts';
import { FLEET, SOURCE } from './scenario.ts';

const BACK = { commits: ['Revert', 'Release'], serves: '6.14.0', phase: 'Succeeded' } as const;
/** After a revert that Flagger analysed and promoted as a revision of its own. */
const STAMPED = { ...BACK, changed: ['apps/deployment.yaml'] } as const;

const RELEASE = { inputs: { set: 'image=6.14.1' } } as const;

/** Cancels in a phase; main pushes the revert, post proves the cluster back. */
async function cancelsIn(acting: Acting, phase: string): Promise<void> {
  const { scenario, ends, expect } = acting;
  const running = await scenario.start(RELEASE);
  await scenario.waitForPhase(phase);
  running.cancel();
  const main = await running.done;
  expect(main.signal).toBeNull();
  expect(main.outputs).toMatchObject({ verdict: 'revert-unverified', reason: 'job-cancelled' });
  expect((await scenario.titles())[0]).toContain('Revert');
  const post = await running.post();
  await settles(acting, '6.14.0');
  await ends(main, { ...STAMPED, verdict: 'cancelled', reason: 'job-cancelled', post });
}

/** A gate that Flagger's load tester keeps closed until it is opened for this canary. */
function gated(testbed: Testbed, type: 'confirm-rollout' | 'confirm-promotion'): CanaryOptions {
  return { webhooks: [{ name: 'approval', type, url: `${testbed.loadtesterUrl}/gate/check` }] };
}

async function openGate({ testbed, namespace }: Acting): Promise<void> {
  const body = JSON.stringify({ name: 'podinfo', namespace });
  await fetch(`${testbed.loadtesterUrl}/gate/open`, { method: 'POST', body });
}

const TWO: readonly CanaryOptions[] = [{}, { name: 'frontend' }];

const twoTargets = (namespace: string, more = ''): string =>
  `name: shop\ngitops: {repository: ${FLEET}}\ntarget: [${namespace}/podinfo, ${namespace}/frontend]\nchange: [{image: ghcr.io/stefanprodan/podinfo}]\n${more}`;

export const INTERRUPTED: readonly ListedScenario[] = [
  {
    key: 'superseded',
    title: 'superseded by a release of somebody else',
    proven: 'theirs is left alone',
    run: async ({ scenario, ends }) => {
      const running = await scenario.start(RELEASE);
      await scenario.waitForPhase('Progressing');
      await scenario.push(
        { 'apps/deployment.yaml': deployment({ tag: '6.14.9', rolloutId: 'by-hand' }) },
        'By hand: another version',
      );
      const run = await running.done;
      await scenario.waitForPhase('Succeeded');
      await ends(run, {
        commits: ['By', 'Release'],
        verdict: 'superseded',
        reason: 'newer-release',
        serves: '6.14.9',
        phase: 'Succeeded',
        changed: ['apps/deployment.yaml'],
      });
    },
  },
  {
    key: 'amended',
    title: 'amended by a colleague’s edit that keeps our id',
    proven: 'followed to its end, and said so; nothing of it is reverted',
    run: async ({ scenario, ends, expect }) => {
      const running = await scenario.start(RELEASE);
      await scenario.waitForPhase('Progressing');
      const ours = (await scenario.file('apps/deployment.yaml')) ?? '';
      await scenario.push(
        { 'apps/deployment.yaml': ours.replace('podinfo:6.14.1', 'podinfo:6.14.1\n          tty: true') },
        'Edit podinfo',
      );
      const run = await running.done;
      await ends(run, {
        commits: ['Edit', 'Release'],
        verdict: 'superseded',
        reason: 'amended',
        serves: '6.14.1',
        phase: 'Succeeded',
        changed: ['apps/deployment.yaml'],
      });
      expect(run.outputs['result']).toContain('kept our id');
    },
  },
  {
    key: 'cancel-progressing',
    title: 'cancel in Progressing: SIGINT, then the post step',
    proven: 'main pushes the revert, post proves the cluster back',
    run: acting => cancelsIn(acting, 'Progressing'),
  },
  {
    key: 'cancel-waiting-promotion',
    title: 'cancel in WaitingPromotion',
    proven: 'main pushes the revert, post proves the cluster back',
    options: ({ testbed }) => ({ canaries: [gated(testbed, 'confirm-promotion')] }),
    run: async acting => {
      const { scenario, ends, expect } = acting;
      const running = await scenario.start(RELEASE);
      await scenario.waitForPhase('WaitingPromotion');
      running.cancel();
      const main = await running.done;
      expect(main.outputs).toMatchObject({ reason: 'job-cancelled' });
      const post = await running.post();
      expect(post.log.text).toContain('job-cancelled');
      // The gate that refused ours refuses the restored version, too, until its owner opens it.
      await openGate(acting);
      await settles(acting, '6.14.0');
      await ends(main, {
        ...STAMPED,
        verdict: 'cancelled',
        reason: 'job-cancelled',
        post,
      });
    },
  },
  {
    key: 'cancel-promoting',
    title: 'cancel in Promoting',
    proven: 'can’t be stopped; taken back when it ends',
    run: async acting => {
      const { scenario, ends } = acting;
      const running = await scenario.start(RELEASE);
      await scenario.waitUntil('promoting in the log', async () => running.log.text.includes(' promoting'));
      running.cancel();
      const main = await running.done;
      const post = await running.post();
      await settles(acting, '6.14.0');
      await ends(main, { ...BACK, verdict: 'cancelled', reason: 'job-cancelled', post });
    },
  },
  {
    key: 'cancel-unheard',
    title: 'cancel that main never hears: the post step only',
    proven: 'post reverts and proves; main writes nothing more',
    run: async acting => {
      const { scenario, ends, expect } = acting;
      const running = await scenario.start({ ...RELEASE, deaf: true });
      await scenario.waitForPhase('Progressing');
      running.cancel();
      const post = await running.post();
      const main = await running.done;
      expect(main.log.text).toContain('The post step has taken this rollout over');
      await settles(acting, '6.14.0');
      await ends(main, { ...STAMPED, verdict: 'cancelled', reason: 'job-cancelled', post });
    },
  },
  {
    key: 'killed',
    title: 'SIGKILL, then the post step',
    proven: 'post reverts and proves the cluster back',
    run: async acting => {
      const { scenario, ends } = acting;
      const running = await scenario.start(RELEASE);
      await scenario.waitForPhase('Progressing');
      running.kill();
      const main = await running.done;
      const post = await running.post();
      await settles(acting, '6.14.0');
      await ends(main, { ...STAMPED, verdict: 'cancelled', reason: 'job-cancelled', post });
    },
  },
  {
    key: 'machine-lost',
    title: 'machine lost: the next run takes it up',
    proven: 'what was left is reverted first, then the new release goes out',
    run: async ({ scenario, ends, expect }) => {
      await scenario.metric(90);
      const lost = await scenario.start(RELEASE);
      await scenario.waitForPhase('Progressing');
      lost.kill();
      await lost.done;
      await scenario.waitForPhase('Failed');
      await scenario.metric(100);
      await ends(await scenario.release('6.14.2'), {
        commits: ['Release', 'Revert', 'Release'],
        verdict: 'promoted',
        reason: 'analysed',
        serves: '6.14.2',
        phase: 'Succeeded',
      });
      expect(scenario.github.checkRuns(SOURCE).map(({ conclusion }) => conclusion)).toEqual([
        'failure',
        'success',
      ]);
    },
  },
  {
    key: 'old-release-re-run',
    title: 'an old release re-run after a newer one',
    proven: 'nothing is written: the live source commit is newer',
    run: async ({ scenario, ends }) => {
      const old = await scenario.commitSource();
      await ends(await scenario.release('6.14.2'), {
        commits: ['Release'],
        verdict: 'promoted',
        reason: 'analysed',
        serves: '6.14.2',
        phase: 'Succeeded',
      });
      await ends(await scenario.release('6.14.1', { sha: old }), {
        commits: ['Release'],
        verdict: 'superseded',
        reason: 'source-is-older',
        serves: '6.14.2',
        phase: 'Succeeded',
        changed: ['apps/deployment.yaml'],
      });
    },
  },
  {
    key: 'timeout',
    title: 'timeout: a gate stays closed for longer than allowed',
    proven: 'reverted while Waiting: Flagger never began',
    options: ({ testbed }) => ({ canaries: [gated(testbed, 'confirm-rollout')] }),
    run: async acting => {
      const { scenario, ends } = acting;
      const run = await scenario.release('6.14.1', { inputs: { 'approval-timeout': '15s' } });
      await ends(run, { ...BACK, verdict: 'timed-out', reason: 'approval-timeout', phase: 'Waiting' });
      // Flagger waits on, for nothing: the one who opens the gate now lets the restored version through.
      await openGate(acting);
      await scenario.waitUntil('an end of Waiting', async () => {
        return (await scenario.canary())?.status.phase !== 'Waiting';
      });
      await settles(acting, '6.14.0');
      await ends(await scenario.release('6.14.2'), {
        commits: ['Release', 'Revert', 'Release'],
        verdict: 'promoted',
        reason: 'analysed',
        serves: '6.14.2',
        phase: 'Succeeded',
      });
    },
  },
  {
    key: 'baseline-analysing',
    title: 'the release before is still being analysed when we start',
    proven: 'waited for, then released',
    options: () => ({ canaries: [{ strategy: { stepWeight: 5, maxWeight: 50 } }] }),
    run: async ({ scenario, ends, expect }) => {
      await scenario.push(
        { 'apps/deployment.yaml': deployment({ tag: '6.14.7', rolloutId: 'by-hand' }) },
        'By hand: another version',
      );
      await scenario.waitForPhase('Progressing');
      const run = await scenario.release('6.14.8');
      await ends(run, {
        commits: ['Release', 'By'],
        verdict: 'promoted',
        reason: 'analysed',
        serves: '6.14.8',
        phase: 'Succeeded',
      });
      expect(run.log.text).toContain('Waiting for what goes on already');
    },
  },
  {
    key: 'one-fails-other-progressing',
    title: 'two canaries in one commit: one fails while the other is Progressing',
    proven: 'one revert commit; both are back',
    options: ({ namespace }) => ({
      canaries: [{}, { name: 'frontend', strategy: { stepWeight: 5, maxWeight: 50 } }],
      rollout: twoTargets(namespace),
    }),
    run: async acting => {
      const { scenario, ends } = acting;
      await scenario.metric(90);
      const run = await scenario.release('6.14.1');
      await ends(run, {
        ...STAMPED,
        verdict: 'rolled-back',
        reason: 'metric-out-of-range',
        phase: 'Failed',
        changed: ['apps/frontend.yaml'],
      });
      await scenario.waitForPhase('Succeeded', 'frontend');
      await ends(run, {
        ...STAMPED,
        verdict: 'rolled-back',
        reason: 'metric-out-of-range',
        canary: 'frontend',
        changed: ['apps/frontend.yaml'],
      });
    },
  },
  {
    key: 'one-fails-behind-barrier',
    title: 'two canaries behind the barrier: one fails while the other waits there',
    proven: 'nothing was promoted; one revert commit takes the release and the barrier away',
    options: ({ namespace }) => ({
      canaries: [
        { strategy: { stepWeight: 10, maxWeight: 50 } },
        { name: 'frontend', strategy: { stepWeight: 50, maxWeight: 50 } },
      ],
      rollout: twoTargets(namespace, 'barrier: true\n'),
    }),
    run: async acting => {
      const { scenario, ends, expect } = acting;
      const running = await scenario.start(RELEASE);
      await scenario.waitForPhase('WaitingPromotion', 'frontend');
      await scenario.metric(90);
      const run = await running.done;
      await settles(acting, '6.14.0', 'frontend');
      const back = { ...BACK, verdict: 'rolled-back', reason: 'metric-out-of-range' } as const;
      await ends(run, { ...back, phase: 'Failed', changed: ['apps/frontend.yaml'] });
      await ends(run, { ...back, canary: 'frontend', changed: ['apps/frontend.yaml'] });
      expect(await scenario.file('apps/canary.yaml')).not.toContain('gated-rollout-barrier');
    },
  },
  {
    key: 'one-fails-other-promoting',
    title: 'two canaries in one commit: one fails while the other is Promoting',
    proven: 'one revert commit; the promoted one is analysed back',
    options: ({ namespace }) => ({ canaries: TWO, rollout: twoTargets(namespace) }),
    run: async acting => {
      const { scenario, ends } = acting;
      const running = await scenario.start(RELEASE);
      await scenario.waitUntil('weight 50 of frontend', async () => {
        return (await scenario.canary('frontend'))?.status.canaryWeight === 50;
      });
      await scenario.metric(90);
      const run = await running.done;
      await ends(run, { ...BACK, verdict: 'rolled-back', reason: 'metric-out-of-range', phase: 'Failed' });
      await ends(run, {
        ...BACK,
        verdict: 'rolled-back',
        reason: 'metric-out-of-range',
        canary: 'frontend',
      });
    },
  },
  {
    key: 'one-fails-other-promoted',
    title: 'two canaries in one commit: one fails when the other is promoted already',
    proven: 'one revert commit; the promoted one is analysed back',
    options: ({ namespace }) => ({
      canaries: [
        { strategy: { stepWeight: 10, maxWeight: 50 } },
        { name: 'frontend', strategy: { stepWeight: 50, maxWeight: 50 } },
      ],
      rollout: twoTargets(namespace),
    }),
    run: async acting => {
      const { scenario, ends } = acting;
      const running = await scenario.start(RELEASE);
      await scenario.waitForPhase('Succeeded', 'frontend');
      await scenario.metric(90);
      const run = await running.done;
      await ends(run, { ...BACK, verdict: 'rolled-back', reason: 'metric-out-of-range', phase: 'Failed' });
      await ends(run, {
        ...BACK,
        verdict: 'rolled-back',
        reason: 'metric-out-of-range',
        canary: 'frontend',
      });
    },
  },
];
