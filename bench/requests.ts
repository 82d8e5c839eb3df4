import { canary, deployment } from '../sandbox/podinfo.ts';
import { FLEET, ROLLOUT, Sandbox, SOURCE } from '../sandbox/sandbox.ts';
import type { Budget } from './budget.ts';
import { MANIFESTS, thousandManifests } from './folders.ts';

/** From "failure seen" to the branch moved, in a small repository and in one of 5,000 files. */
export async function requestsOfRevert(): Promise<readonly Budget[]> {
  const sizes = [0, 5_000];
  const budgets: Budget[] = [];
  for (const extra of sizes) {
    const more = Object.fromEntries(
      Array.from({ length: extra }, (_, index) => [`other/${index % 50}/${index}.yaml`, `n: ${index}\n`]),
    );
    const sandbox = await Sandbox.start({ files: more });
    try {
      sandbox.cluster.setMetric('prod/podinfo', 'success', 90);
      await sandbox.release('6.14.1');
      const writes = sandbox.github.requests.filter(
        ({ identity, kind }) => kind === 'api' && identity?.login === 'rollout[bot]',
      );
      const moved = writes.map(({ method, path }) => method === 'PATCH' && path.includes('/git/refs/'));
      const first = moved.indexOf(true);
      const last = moved.lastIndexOf(true);
      budgets.push({
        what: `failure seen → reverted, ${extra + 3} files`,
        measured: last - first,
        limit: 6,
        unit: 'requests',
      });
    } finally {
      await sandbox.close();
    }
  }
  return budgets;
}

export async function requestsOfLongRollout(): Promise<Budget> {
  const names = ['podinfo', 'api', 'web'];
  const steps = '    stepWeight: 3\n    maxWeight: 90\n';
  const sandbox = await Sandbox.start({
    rate: 40,
    files: {
      'apps/kustomization.yaml': null,
      'apps/canary.yaml': null,
      'apps/deployment.yaml': names.map(name => deployment({ name })).join('---\n'),
      'apps/canaries.yaml': names.map(name => canary({ name, analysis: steps })).join('---\n'),
    },
    rollout: ROLLOUT.replace('[prod/podinfo]', `[${names.map(name => `prod/${name}`).join(', ')}]`),
  });
  try {
    const pull = await sandbox.github.proposeChange(SOURCE, { branch: 'b', files: { A: '1' }, title: 'A' });
    const sha = await sandbox.github.mergePullRequest(SOURCE, pull);
    const before = sandbox.github.requests.length;
    const chatter = setInterval(() => sandbox.chatter(), 50);
    const { outputs } = await sandbox.release('6.14.1', { sha }).finally(() => clearInterval(chatter));
    if (outputs['verdict'] !== 'promoted')
      throw new Error(`The long rollout ended ${outputs['verdict'] ?? 'without a verdict'}.`);
    const measured = sandbox.github.requests.slice(before).filter(({ kind }) => kind === 'api').length;
    return {
      what: `30 steps, 3 canaries, chatty events, in ${FLEET}`,
      measured,
      limit: 120,
      unit: 'requests',
    };
  } finally {
    await sandbox.close();
  }
}

/** What it costs at GitHub to plan a release in it. */
export async function requestsOfLargeFolder(): Promise<Budget> {
  const sandbox = await Sandbox.start({ rate: 40, files: thousandManifests() });
  try {
    const before = sandbox.github.requests.length;
    const { outputs } = await sandbox.release('6.14.1', { inputs: { mode: 'plan' } });
    if (outputs['reason'] !== 'planned') throw new Error(`The plan ended ${outputs['result'] ?? ''}.`);
    const measured = sandbox.github.requests.slice(before).filter(({ kind }) => kind === 'api').length;
    return { what: `plan of a folder of ${MANIFESTS} manifests`, measured, limit: 40, unit: 'requests' };
  } finally {
    await sandbox.close();
  }
}
