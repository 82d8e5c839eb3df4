import { readObservation } from '../cluster/read-observation.ts';
import { formatProblems } from '../config/problem-text.ts';
import { parseRolloutFile } from '../config/rollout-file.ts';
import type { RepositoryName, RolloutFile } from '../config/settings.ts';
import { FluxBuilder } from '../build/flux-builder.ts';
import type { TreeBuilder } from '../build/tree-builder.ts';
import { FolderFiles } from '../gitops/folder-files.ts';
import { treeGround, type TreeOptions } from '../flux/tree-ground.ts';
import type { MetricNow, ReleasePlan } from '../plan/plan.ts';
import type { FluxChain, Observation } from '../rollout/observation.ts';
import { Refusal } from '../rollout/verdict.ts';
import { goingOn, toBeAdopted } from '../run/going-on.ts';
import { objectsOf } from '../run/observed-objects.ts';
import { systemClock } from '../runtime/clock.ts';
import { type Arguments, UsageError } from './arguments.ts';
import { differences, type GitFolder, gitFolder } from './git-folder.ts';
import { keepingSecrets } from './keeping-secrets.ts';
import { clusterOf, connectionOf } from './open-cluster.ts';
import { isOursOf, wordsOf } from './our-repository.ts';
import type { TreeSecrets } from '../secrets/tree-secrets.ts';
import { suspensionLines } from './suspension.ts';

export type Env = Readonly<Record<string, string | undefined>>;

/** What a command works on. */
export interface Ground {
  readonly files: FolderFiles;
  readonly builder: TreeBuilder;
  /** What the tree says that nobody must see. */
  readonly secrets: TreeSecrets;
  readonly chains: Readonly<Record<string, FluxChain>>;
  readonly observation: Observation;
  readonly metricsNow: (plan: ReleasePlan) => Promise<readonly MetricNow[]>;
  /** What a release of this plan would note beside what the plan itself says. */
  readonly notes: (plan: ReleasePlan) => Promise<readonly string[]>;
}

export interface Given {
  readonly given: Arguments;
  readonly env: Env;
  readonly rollout: RolloutFile;
  /** Said whether the command ends well or not. */
  readonly note: (words: string) => void;
}

type Work = (ground: Ground) => Promise<readonly string[]>;

/** With what the cluster says, or, offline, with what the folder says of itself. */
export async function onGround(on: Given, work: Work): Promise<readonly string[]> {
  return await keepingSecrets(on.rollout, secrets => groundFor({ ...on, secrets }, work));
}

type Keeping = Given & { readonly secrets: TreeSecrets };

async function groundFor(on: Keeping, work: Work): Promise<readonly string[]> {
  const { given, rollout, secrets } = on;
  const { git, files } = await openFolder(given.folder);
  if (!given.offline) return await onCluster(on, { git, files }, work);
  const { via, gitops } = rollout;
  const options = treeOptions(
    on,
    { git, files },
    { via, viaFile: rollout.viaFile, repository: gitops.repository, branch: gitops.branch },
  );
  const ground = await treeGround(options, rollout.targets);
  const none = (): Promise<readonly []> => Promise.resolve([]);
  return await work({ ...ground, files, secrets, builder: options.builder, metricsNow: none, notes: none });
}

async function onCluster(on: Keeping, { git, files }: OpenFolder, work: Work): Promise<readonly string[]> {
  const { given, rollout, note, secrets } = on;
  const kube = connectionOf(given, on.env);
  try {
    const cluster = clusterOf(kube, { ...on, git });
    const traced = await cluster.trace();
    const [source] = Object.values(traced).map(chain => chain.source);
    const differing = source ? await differences(git, source) : [];
    for (const { words } of differing) note(words);
    const remedies = differing.flatMap(({ remedy }) => (remedy === undefined ? [] : [remedy]));
    return await withRemedies(remedies, async () => {
      const { chains, observation: before, warnings } = await cluster.preflight(traced);
      for (const { message } of warnings) note(message);
      for (const words of [...goingOn(before), ...toBeAdopted(before)]) note(words);
      const watched = { targets: rollout.targets, chains, objects: objectsOf(rollout) };
      const observation = await readObservation(kube, { watched, clock: systemClock, source: 'read' });
      return await work({
        files,
        secrets,
        builder: new FluxBuilder(),
        chains,
        observation,
        metricsNow: planned => cluster.metricsNow(planned),
        notes: async planned => [
          ...(await cluster.missingSecrets(planned.rendered)).map(
            secret => `The Secret ${secret} does not exist; what names it would fail.`,
          ),
          ...(planned.automated.length === 0
            ? []
            : await suspensionLines(planned, {
                automations: (await cluster.automations(chains)).all,
                branch: source?.branch,
                files,
              })),
        ],
      });
    });
  } finally {
    await kube.close();
  }
}

/** Where the folder is not what Flux has, that is the first thing to be mended, whatever is refused. */
async function withRemedies<T>(remedies: readonly string[], work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Refusal) || remedies.length === 0) throw error;
    const remedy = [`${remedies.join(', ')}, then run this again.`, error.remedy]
      .filter(words => words !== undefined)
      .join(' ');
    throw new Refusal(error.reason, error.message, { remedy, cause: error });
  }
}

export interface OpenFolder {
  readonly git: GitFolder;
  readonly files: FolderFiles;
}

/** @throws UsageError when there is no such folder. */
export async function openFolder(folder: string): Promise<OpenFolder> {
  const git = await gitFolder(folder);
  try {
    return { git, files: new FolderFiles(folder, git.head ?? 'not a Git repository') };
  } catch (error) {
    if (error instanceof Refusal)
      throw new UsageError(`${error.message} Give the root of a clone of the GitOps repository (--folder).`);
    throw error;
  }
}

/** What the tree says of a folder's repository. */
export function treeOptions(
  { given, env }: Pick<Given, 'given' | 'env'>,
  { git, files }: OpenFolder,
  on: Pick<TreeOptions, 'via' | 'branch'> & {
    readonly repository: RepositoryName | undefined;
    readonly viaFile?: string | undefined;
  },
): TreeOptions {
  const { via, branch, repository = git.origin?.repository } = on;
  const ours = repository && { repository, host: git.origin?.host ?? 'github.com' };
  return {
    files,
    builder: new FluxBuilder(),
    // A folder without a remote says nothing of itself: whatever Flux follows is taken for it.
    isOurs: ours ? isOursOf(ours, env) : () => true,
    repository: ours ? wordsOf(ours) : given.folder,
    via,
    branch,
    cluster: given.cluster ?? on.viaFile,
    howToChoose:
      'Say which one: --cluster FOLDER, with the folder of its manifests (--cluster clusters/prod).',
  };
}

/** @throws UsageError with all that is wrong in it. */
export function rolloutOf(
  text: string | undefined,
  given: Arguments,
  values: { readonly valuesNeeded: boolean; readonly placeholder?: string },
): RolloutFile {
  if (text === undefined) throw new UsageError(`There is no file ${given.config} (--config).`);
  const parsed = parseRolloutFile(text, { file: given.config, set: given.set, ...values });
  if ('problems' in parsed) throw new UsageError(formatProblems(parsed.problems));
  return parsed.rollout;
}
