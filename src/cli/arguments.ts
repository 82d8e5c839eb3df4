import { parseArgs } from 'node:util';
import { formatProblems } from '../config/problem-text.ts';
import { readSet } from '../config/set-lines.ts';

export const USAGE = `gated-rollout: what the action would do, from your own machine. It never writes to Git or to the cluster.

  gated-rollout plan    what a release would change, its schedule and its gates
  gated-rollout check   the chain from the Git repository to what runs, link by link
  gated-rollout init    a first rollout.yaml for a target, with the chain that was found

  --config FILE      rollout.yaml (plan, check); default rollout.yaml
  --folder FOLDER    the GitOps repository; default the folder you are in
  --set NAME=VALUE   a value, as the input set; may be given several times
  --target TARGET    namespace/name of a Deployment; "Service …" for a Knative one, "DaemonSet …" (init)
  --rights           which rights the credentials have in the cluster, and the lines for those that they lack (check)
  --as USER          ask the cluster as somebody else (system:serviceaccount:NAMESPACE:NAME), as kubectl does
  --kubeconfig FILE  default: KUBECONFIG, ~/.kube/config
  --context NAME     context of the kubeconfig; default its current one
  --metrics-namespaces A,B  beside the targets' own: whose Prometheus may be asked for metrics (plan)
  --offline          ask no cluster: what runs is not known then, and nothing is proven
  --cluster FOLDER   with --offline, where the repository holds several clusters: the folder of one (clusters/prod)
`;

export interface Arguments {
  readonly command: 'plan' | 'check' | 'init';
  readonly config: string;
  readonly folder: string;
  readonly set: readonly { readonly name: string; readonly value: string }[];
  readonly target?: string;
  readonly kubeconfig?: string;
  readonly context?: string;
  /** Whom to impersonate. */
  readonly as?: string;
  readonly rights: boolean;
  readonly metricsNamespaces: readonly string[];
  readonly offline: boolean;
  /** Folder or file of a cluster's manifests. */
  readonly cluster?: string;
}

/** What was typed cannot be used. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** @throws UsageError; undefined = help was asked for. */
export function readArguments(argv: readonly string[]): Arguments | undefined {
  const { values, positionals } = parsed(argv);
  const [command, ...rest] = positionals;
  if (values.help === true || (command === undefined && argv.length === 0)) return undefined;
  if (command !== 'plan' && command !== 'check' && command !== 'init') {
    throw new UsageError(`There is no command ${command ?? ''}; there are plan, check and init.`);
  }
  if (rest.length > 0) throw new UsageError(`${rest.join(' ')} belongs to nothing.`);
  if (values.rights === true && (command !== 'check' || values.offline === true)) {
    throw new UsageError('--rights belongs to check, and asks the cluster.');
  }
  if (command === 'init' && values.target === undefined) {
    throw new UsageError('init needs --target namespace/name.');
  }
  if (values.cluster !== undefined && values.offline !== true) {
    throw new UsageError(
      '--cluster says whose manifests are meant where no cluster is asked: give --offline, too.',
    );
  }
  const { set, problems } = readSet(values.set ?? [], '--set');
  if (problems.length > 0) throw new UsageError(formatProblems(problems));
  return {
    command,
    config: values.config ?? 'rollout.yaml',
    folder: values.folder ?? '.',
    set,
    ...(values.target === undefined ? {} : { target: values.target }),
    ...(values.kubeconfig === undefined ? {} : { kubeconfig: values.kubeconfig }),
    ...(values.context === undefined ? {} : { context: values.context }),
    ...(values.as === undefined ? {} : { as: values.as }),
    rights: values.rights === true,
    metricsNamespaces: (values['metrics-namespaces'] ?? '').split(',').filter(name => name !== ''),
    offline: values.offline === true,
    ...(values.cluster === undefined ? {} : { cluster: values.cluster }),
  };
}

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        config: { type: 'string' },
        folder: { type: 'string' },
        set: { type: 'string', multiple: true },
        target: { type: 'string' },
        kubeconfig: { type: 'string' },
        context: { type: 'string' },
        as: { type: 'string' },
        rights: { type: 'boolean' },
        'metrics-namespaces': { type: 'string' },
        offline: { type: 'boolean' },
        cluster: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
