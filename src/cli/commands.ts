import { readFile } from 'node:fs/promises';
import { KustomizeBuilder } from '../builder/kustomize-builder.ts';
import { readObservation } from '../cluster/read-observation.ts';
import { sameRepository } from '../cluster/same-repository.ts';
import { traceChain } from '../cluster/trace-chain.ts';
import { formatProblems } from '../config/problem-text.ts';
import { parseRolloutFile } from '../config/rollout-file.ts';
import { TARGET_PATTERN } from '../config/rollout-schema.ts';
import type { RolloutFile } from '../config/settings.ts';
import { FolderFiles } from '../gitops/folder-files.ts';
import { type IsOurs, type OfflineTarget, offlineGround, offlineTarget } from '../plan/offline-chain.ts';
import type { MetricNow, ReleasePlan } from '../plan/plan.ts';
import { ReleasePlanner } from '../plan/planner.ts';
import type { FluxChain, Observation, TargetView } from '../rollout/observation.ts';
import { kindMeant, type TargetRef, targetKey } from '../rollout/target.ts';
import { objectsOf } from '../run/observed-objects.ts';
import { keptSecrets, SecretKeepingPlanner } from '../run/secret-keeping-planner.ts';
import { systemClock } from '../runtime/clock.ts';
import type { TreeSecrets } from '../secrets/tree-secrets.ts';
import { type Arguments, UsageError } from './arguments.ts';
import { chainLines } from './chain-lines.ts';
import { type GitFolder, gitFolder } from './git-folder.ts';
import { keepingSecrets } from './keeping-secrets.ts';
import { clusterOf, connectionOf } from './open-cluster.ts';
import { buildLine, planLines } from './plan-lines.ts';
import { rightsLines } from './rights-lines.ts';

interface Ground {
  readonly metricsNow: (plan: ReleasePlan) => Promise<readonly MetricNow[]>;
  readonly chains: Readonly<Record<string, FluxChain>>;
  readonly observation: Observation;
}

type Work = (ground: Ground, files: FolderFiles) => Promise<readonly string[]>;

/** Runs a command. @returns lines for the terminal. @throws UsageError, Refusal, ClusterForbidden, ClusterUnavailable. */
export async function runCommand(
  given: Arguments,
  env: Readonly<Record<string, string | undefined>>,
): Promise<readonly string[]> {
  switch (given.command) {
    case 'init':
      return await init(given, env);
    case 'check':
      return await check(given, env);
    case 'plan':
      return await plan(given, env);
  }
}

async function plan(given: Arguments, env: Readonly<Record<string, string | undefined>>) {
  const rollout = await rolloutOf(given, { valuesNeeded: true });
  const work =
    (secrets: TreeSecrets): Work =>
    async (ground, files) => {
      const planner = plannerOf(rollout, env, secrets);
      const planned = await planner.plan({ files, ...ground, rolloutId: `${rollout.name}-plan` });
      if (!given.offline) planner.proveChain(planned.found, ground.observation);
      const metrics = await ground.metricsNow(planned);
      return planLines(planned, { metrics, secrets: keptSecrets(secrets) });
    };
  return await keepingSecrets(rollout, secrets => onGround(given, { env, rollout }, work(secrets)));
}

async function check(given: Arguments, env: Readonly<Record<string, string | undefined>>) {
  const rollout = await rolloutOf(given, { valuesNeeded: false, placeholder: 'check' });
  if (given.rights) return await checkRights(given, env, rollout);
  const work =
    (secrets: TreeSecrets): Work =>
    async (ground, files) => {
      const lines = rollout.targets.flatMap(target => {
        const key = targetKey(target);
        const chain = ground.chains[key];
        return chain ? chainLines(key, chain, ground.observation.targets[key] ?? NOTHING) : [];
      });
      const planner = plannerOf(rollout, env, secrets);
      const planned = await planner.plan({ files, ...ground, rolloutId: `${rollout.name}-check` });
      const built = buildLine(planned.build);
      if (given.offline)
        return [...lines, '', built, 'Nothing was proven of what runs: no cluster was asked.'];
      planner.proveChain(planned.found, ground.observation);
      const values = planned.found.map(
        ({ change, current, path, line }) => `  ${change} ${current} (${path}:${line})`,
      );
      return [...lines, '', built, 'What the tree says is what runs:', ...values];
    };
  return await keepingSecrets(rollout, secrets => onGround(given, { env, rollout }, work(secrets)));
}

async function checkRights(
  given: Arguments,
  env: Readonly<Record<string, string | undefined>>,
  rollout: RolloutFile,
) {
  const kube = connectionOf(given, env);
  try {
    const git = await gitFolder(given.folder);
    return rightsLines(await clusterOf(kube, { given, rollout, git }).rights());
  } finally {
    await kube.close();
  }
}

async function init(given: Arguments, env: Readonly<Record<string, string | undefined>>) {
  const target = targetOf(given.target ?? '');
  const key = targetKey(target);
  const files = new FolderFiles(given.folder, 'here');
  const git = await gitFolder(given.folder);
  const { origin } = git;
  const isOurs = isOursOf(git);
  const found = given.offline
    ? await offlineTarget(files, target, isOurs)
    : await liveTarget(given, env, { target, isOurs });
  const images = imagesIn(found.template);
  const repository =
    repositoryIn(found.chain.source.url) ??
    (origin && `${origin.repository.owner}/${origin.repository.repo}`);
  return [
    ...chainLines(key, found.chain, found.view).map(line => `# ${line}`),
    '# yaml-language-server: $schema=https://raw.githubusercontent.com/OWNER/gated-rollout/v1/schema/rollout.schema.json',
    `gitops: {repository: ${repository ?? 'OWNER/REPOSITORY'}}`,
    `target: [${key}]`,
    'change:',
    ...(images.length > 0 ? images : ['IMAGE']).map(image => `- image: ${image}`),
    ...(found.view.canary
      ? []
      : [
          'canary: # there is none yet; it is added by a commit of its own first',
          `  ${key}:`,
          ...(target.kind === 'Service'
            ? ['    provider: knative']
            : ['    provider: nginx', `    ingressRef: {name: ${target.name}}`]),
          '    analysis: {interval: 30s, threshold: 5, stepWeight: 5, maxWeight: 50}',
          '    metrics: [{name: request-success-rate, min: 99}]',
        ]),
  ];
}

const NOTHING: TargetView = { replicaSets: [], events: [] };

async function rolloutOf(
  given: Arguments,
  values: { readonly valuesNeeded: boolean; readonly placeholder?: string },
): Promise<RolloutFile> {
  const text = await readFile(given.config, 'utf8').catch(() => undefined);
  if (text === undefined) throw new UsageError(`There is no file ${given.config} (--config).`);
  const parsed = parseRolloutFile(text, { file: given.config, set: given.set, ...values });
  if ('problems' in parsed) throw new UsageError(formatProblems(parsed.problems));
  return parsed.rollout;
}

function plannerOf(
  rollout: RolloutFile,
  env: Readonly<Record<string, string | undefined>>,
  secrets: TreeSecrets,
): SecretKeepingPlanner {
  const builder = new KustomizeBuilder({ env });
  const planner = new ReleasePlanner({ rollout, sourceSha: '0'.repeat(40), builder });
  return new SecretKeepingPlanner(planner, { secrets, rollout });
}

/** With what the cluster says, or, offline, with what the folder says of itself. */
async function onGround(
  given: Arguments,
  on: { readonly env: Readonly<Record<string, string | undefined>>; readonly rollout: RolloutFile },
  work: Work,
): Promise<readonly string[]> {
  const { rollout } = on;
  const git = await gitFolder(given.folder);
  const files = new FolderFiles(given.folder, git.head);
  if (given.offline) {
    const ground = await offlineGround(files, rollout.targets, isOursOf(git));
    return await work({ ...ground, metricsNow: () => Promise.resolve([]) }, files);
  }
  const kube = connectionOf(given, on.env);
  try {
    const cluster = clusterOf(kube, { given, rollout, git });
    const chains = await cluster.trace();
    await cluster.preflight(chains);
    const watched = { targets: rollout.targets, chains, objects: objectsOf(rollout) };
    const observation = await readObservation(kube, { watched, clock: systemClock, source: 'read' });
    return await work({ chains, observation, metricsNow: planned => cluster.metricsNow(planned) }, files);
  } finally {
    await kube.close();
  }
}

async function liveTarget(
  given: Arguments,
  env: Readonly<Record<string, string | undefined>>,
  on: { readonly target: TargetRef; readonly isOurs: IsOurs },
): Promise<OfflineTarget> {
  const kube = connectionOf(given, env);
  const { target } = on;
  try {
    const chain = await traceChain(kube, { target, via: undefined, isOurs: ({ url }) => on.isOurs(url) });
    const key = targetKey(target);
    const watched = { targets: [target], chains: { [key]: chain }, objects: [] };
    const { targets } = await readObservation(kube, { watched, clock: systemClock, source: 'read' });
    const view = targets[key] ?? NOTHING;
    return { chain, view, template: view.target?.template };
  } finally {
    await kube.close();
  }
}

/** A folder without a remote says nothing of itself: whatever Flux follows is taken for it. */
function isOursOf({ origin }: GitFolder): IsOurs {
  return origin ? url => sameRepository(url, origin) : () => true;
}

function targetOf(text: string): TargetRef {
  const [, kind, namespace, name] = TARGET_PATTERN.exec(text) ?? [];
  if (namespace === undefined || name === undefined) {
    throw new UsageError(
      `--target ${text}: namespace/name is needed, "DaemonSet namespace/name", or "Service namespace/name" (Knative).`,
    );
  }
  return { kind: kindMeant(kind), namespace, name };
}

/** Image repositories of the target's containers, without their versions. */
function imagesIn(template: unknown): readonly string[] {
  const text = JSON.stringify(template ?? {});
  const images = [...text.matchAll(/"image":"([^"@]+?)(?::[^/"@]+)?(?:@[^"]*)?"/g)].map(([, image]) => image);
  return [...new Set(images.filter(image => image !== undefined))];
}

function repositoryIn(url: string): string | undefined {
  const [, owner, repo] = /[:/]([^/:]+)\/([^/]+?)(?:\.git)?\/?$/.exec(url) ?? [];
  return owner === undefined || repo === undefined ? undefined : `${owner}/${repo}`;
}
