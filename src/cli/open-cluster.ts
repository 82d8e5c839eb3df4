import { type ClusterConnection, createKubeClient } from '../cluster/kube-client.ts';
import { loadKubeconfig } from '../cluster/login/kubeconfig.ts';
import { Cluster } from '../cluster/run-cluster.ts';
import { INPUT_DEFAULTS } from '../config/inputs.ts';
import type { RolloutFile } from '../config/settings.ts';
import { objectsOf } from '../run/observed-objects.ts';
import { Refusal } from '../rollout/verdict.ts';
import { isOursOf, wordsOf } from './our-repository.ts';
import { systemClock } from '../runtime/clock.ts';
import { type Arguments, UsageError } from './arguments.ts';
import type { GitFolder } from './git-folder.ts';

type Env = Readonly<Record<string, string | undefined>>;

export function connectionOf(given: Arguments, env: Env): ClusterConnection {
  const { kubeconfig, context, as } = given;
  // A terminal has no mask; nothing of a kubeconfig is printed.
  const mask = () => {};
  const load = () => {
    const config = configOf({ kubeconfig, context, mask });
    if (as !== undefined) config.users = config.users.map(user => ({ ...user, impersonateUser: as }));
    return config;
  };
  const say = (line: string): void => {
    process.stderr.write(`${line}\n`);
  };
  const connection = createKubeClient({ load, env, mask, say });
  for (const warning of connection.warnings) say(`Warning: ${warning}`);
  return connection;
}

function configOf(on: Parameters<typeof loadKubeconfig>[0]): ReturnType<typeof loadKubeconfig> {
  try {
    return loadKubeconfig(on);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new Refusal(error.reason, error.message, {
      remedy:
        'Name a kubeconfig (--kubeconfig FILE, or KUBECONFIG) and one of its contexts (--context NAME), or ask no cluster (--offline).',
    });
  }
}

/** @throws UsageError when nothing says which repository is released into. */
export function clusterOf(
  kube: ClusterConnection,
  on: {
    readonly given: Arguments;
    readonly env: Env;
    readonly rollout: RolloutFile;
    readonly git: GitFolder;
  },
): Cluster {
  const { given, env, rollout, git } = on;
  const repository = rollout.gitops.repository ?? git.origin?.repository;
  if (!repository) {
    throw new UsageError(`${given.folder} has no remote “origin”; say gitops.repository in ${given.config}.`);
  }
  const ours = { repository, host: git.origin?.host ?? 'github.com' };
  const [, namespace = '', name = '', port = ''] =
    /^(.+)\/(.+):(.+)$/.exec(INPUT_DEFAULTS['flagger-metrics']) ?? [];
  return new Cluster({
    kube,
    clock: systemClock,
    random: Math.random,
    rollout,
    objects: objectsOf(rollout),
    flagger: { namespace, name, port },
    metricsNamespaces: given.metricsNamespaces,
    repository: wordsOf(ours),
    isOurs: isOursOf(ours, env),
  });
}
