import { setTimeout as sleep } from 'node:timers/promises';
import type { Acting, ListedScenario } from './listed-scenario.ts';

/** What the control plane itself suffers; these scenarios have it to themselves, one after the other. */

const RELEASED = { commits: ['Release'], serves: '6.14.1', phase: 'Succeeded' } as const;
const RELEASE = { inputs: { set: 'image=6.14.1' } } as const;

export const DISRUPTED: readonly ListedScenario[] = [
  {
    key: 'flagger-restarted',
    title: 'Flagger restarted during the analysis',
    proven: 'its status is all that it knows, and it goes on from there',
    run: async ({ scenario, ends, testbed }) => {
      const running = await scenario.start(RELEASE);
      await scenario.waitForPhase('Progressing');
      await testbed.processes.restart('flagger');
      await ends(await running.done, { verdict: 'promoted', reason: 'analysed', ...RELEASED });
    },
  },
  {
    key: 'api-server-down',
    title: 'API server down for 30 s during the analysis',
    proven: 'sight is lost and found again; nothing is decided meanwhile',
    run: async acting => {
      const { scenario, ends, testbed, expect } = acting;
      const running = await scenario.start(RELEASE);
      await scenario.waitForPhase('Progressing');
      await testbed.processes.kill('kube-apiserver');
      await sleep(30_000);
      expect(await scenario.titles()).toHaveLength(2);
      await testbed.processes.restart('kube-apiserver');
      const run = await running.done;
      await served(acting);
      await ends(run, { verdict: 'promoted', reason: 'analysed', ...RELEASED });
    },
  },
  {
    key: 'sight-lost',
    title: 'API server down for longer than `lost-sight-timeout`',
    proven: 'unknown, and nothing more is written; the next run takes the rollout up',
    run: async acting => {
      const { scenario, ends, testbed, expect } = acting;
      const running = await scenario.start({
        inputs: { set: 'image=6.14.1', 'lost-sight-timeout': '15s' },
      });
      await scenario.waitForPhase('Progressing');
      await testbed.processes.kill('kube-apiserver');
      const lost = await running.done;
      expect(lost.outputs).toMatchObject({ verdict: 'unknown', reason: 'cluster-unreachable' });
      expect(lost.exitCode).toBe(2);
      expect(await scenario.titles()).toHaveLength(2);
      await testbed.processes.restart('kube-apiserver');
      await served(acting);
      const sweep = await scenario.start({ inputs: { mode: 'sweep' } });
      await ends(await sweep.done, { verdict: 'promoted', reason: 'analysed', ...RELEASED });
    },
  },
];

async function served({ scenario }: Acting): Promise<void> {
  await scenario.waitUntil('answer of the API server', async () => (await scenario.canary()) !== undefined);
}
