import { readFile } from 'node:fs/promises';
import type { RolloutFile } from '../config/settings.ts';
import type { ReleasePlan } from '../plan/plan.ts';
import { ReleasePlanner } from '../plan/planner.ts';
import { targetKey } from '../rollout/target.ts';
import type { Arguments } from './arguments.ts';
import { chainLines } from './chain-lines.ts';
import { type Given, type Ground, onGround, openFolder, rolloutOf } from './ground.ts';
import { init } from './init.ts';
import { clusterOf, connectionOf } from './open-cluster.ts';
import { rightsLines } from './rights-lines.ts';
import { keptSecrets, SecretKeepingPlanner } from '../run/secret-keeping-planner.ts';
import { buildLine, planLines } from './plan-lines.ts';

/**
 * Runs a command. @returns lines for the terminal.
 * @param note what is to be said whether it ends well or not
 * @throws UsageError, Refusal, ClusterForbidden, ClusterUnavailable.
 */
export async function runCommand(
  given: Arguments,
  { env, note }: Pick<Given, 'env' | 'note'>,
): Promise<readonly string[]> {
  switch (given.command) {
    case 'init':
      return await init(given, env);
    case 'check':
      return await check(given, { env, note });
    case 'plan':
      return await plan(given, { env, note });
  }
}

async function plan(given: Arguments, { env, note }: Pick<Given, 'env' | 'note'>) {
  const rollout = rolloutOf(await textOf(given.config), given, { valuesNeeded: true });
  return await onGround({ given, env, rollout, note }, async ground => {
    const planned = await planOn(ground, { rollout, id: 'plan', proven: !given.offline });
    const metrics = await ground.metricsNow(planned);
    const lines = planLines(planned, { metrics, secrets: keptSecrets(ground.secrets) });
    return [...lines, ...(await noteLines(ground, planned))];
  });
}

async function check(given: Arguments, { env, note }: Pick<Given, 'env' | 'note'>) {
  const values = { valuesNeeded: false, placeholder: 'check' };
  const rollout = rolloutOf(await textOf(given.config), given, values);
  if (given.rights) return await checkRights(given, { env, rollout });
  return await onGround({ given, env, rollout, note }, async ground => {
    const lines = rollout.targets.flatMap(target => {
      const key = targetKey(target);
      const chain = ground.chains[key];
      const view = ground.observation.targets[key] ?? { replicaSets: [], events: [] };
      return chain ? chainLines(key, chain, view) : [];
    });
    const planned = await planOn(ground, { rollout, id: 'check', proven: !given.offline });
    const values = planned.found.map(
      ({ change, current, path, line }) => `  ${change} ${current} (${path}:${line})`,
    );
    return [
      ...lines,
      ...planned.warnings.map(({ message }) => `warning: ${message}`),
      ...(await noteLines(ground, planned)),
      '',
      buildLine(planned.build),
      ...(given.offline
        ? ['Nothing was proven of what runs: no cluster was asked.']
        : ['What the tree says is what runs:', ...values]),
    ];
  });
}

async function checkRights(given: Arguments, on: Pick<Given, 'env' | 'rollout'>): Promise<readonly string[]> {
  const kube = connectionOf(given, on.env);
  try {
    const { git } = await openFolder(given.folder);
    return rightsLines(await clusterOf(kube, { ...on, given, git }).rights());
  } finally {
    await kube.close();
  }
}

async function planOn(
  { files, chains, observation, builder, secrets }: Ground,
  on: { readonly rollout: RolloutFile; readonly id: string; readonly proven: boolean },
): Promise<ReleasePlan> {
  const { rollout } = on;
  const inner = new ReleasePlanner({ rollout, sourceSha: '0'.repeat(40), builder });
  const planner = new SecretKeepingPlanner(inner, { secrets, rollout });
  const rolloutId = `${rollout.name}-${on.id}`;
  const planned = await planner.plan({ files, chains, observation, rolloutId });
  if (on.proven) planner.proveChain(planned.found, observation);
  return planned;
}

async function noteLines(ground: Ground, planned: ReleasePlan): Promise<readonly string[]> {
  return (await ground.notes(planned)).map(words => `warning: ${words}`);
}

function textOf(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch(() => undefined);
}
